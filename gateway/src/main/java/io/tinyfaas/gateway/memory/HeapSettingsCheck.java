package io.tinyfaas.gateway.memory;

import io.quarkus.runtime.Startup;
import io.quarkus.runtime.configuration.ConfigurationException;
import io.tinyfaas.contract.handler.HandlerHttp;
import io.tinyfaas.contract.setting.SettingsCheck;
import jakarta.inject.Inject;
import jakarta.inject.Singleton;
import java.math.BigInteger;

/** What {@link HeapSettings} may be; looked at before anything starts. */
@Startup(1)
@Singleton
final class HeapSettingsCheck {

  private static final int MAX_COUNT = 65_536;

  @Inject
  HeapSettingsCheck(HeapSettings settings) {
    this(settings, Runtime.getRuntime().maxMemory());
  }

  HeapSettingsCheck(HeapSettings settings, long heap) {
    long body =
        settings.maxBody().asBigInteger().min(BigInteger.valueOf(Long.MAX_VALUE)).longValue();
    new SettingsCheck()
        .size(
            "TINYFAAS_MAX_BODY",
            settings.maxBody().asBigInteger(),
            HandlerHttp.MAX_BODY_FROM,
            HandlerHttp.MAX_BODY_TO)
        .number("TINYFAAS_HTTP_MAX_CONNECTIONS", settings.http().maxConnections(), 1, MAX_COUNT)
        .number("TINYFAAS_HTTP_MAX_EVENT_STREAMS", settings.http().maxEventStreams(), 1, MAX_COUNT)
        .number("TINYFAAS_GRPC_MAX_CONNECTIONS", settings.grpc().maxConnections(), 1, MAX_COUNT)
        .number("TINYFAAS_MQTT_MAX_CONNECTIONS", settings.mqtt().maxConnections(), 1, MAX_COUNT)
        .number("TINYFAAS_COAP_MAX_OBSERVERS", settings.coap().maxObservers(), 1, MAX_COUNT)
        .number("TINYFAAS_CALLS_MAX", settings.calls().max(), 1, MAX_COUNT)
        .require(
            body < HandlerHttp.MAX_BODY_FROM
                || body > HandlerHttp.MAX_BODY_TO
                || new HeapBudget(heap, settings).isEnough(),
            () -> tooLittleHeap(settings, heap))
        .orThrow(ConfigurationException::new);
  }

  private static String tooLittleHeap(HeapSettings settings, long heap) {
    return "TINYFAAS_MAX_BODY is "
        + settings.maxBody().asLongValue()
        + " bytes, which the gateway's heap of "
        + (heap >> 20)
        + " MiB has no room for besides its other limits: "
        + HeapBudget.set(new HeapBudget(heap, settings).enough())
        + ", or lower one (docs/limits.md).";
  }
}
