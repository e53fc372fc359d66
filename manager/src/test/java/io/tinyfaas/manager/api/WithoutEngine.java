package io.tinyfaas.manager.api;

import static io.tinyfaas.harness.Eventually.patient;

import io.quarkus.test.junit.QuarkusTestProfile;
import io.tinyfaas.manager.call.PlayedGatewayCalls;
import io.tinyfaas.manager.call.PlayedGatewaySchedules;
import io.tinyfaas.manager.deploy.FakeDeployer;
import io.tinyfaas.manager.device.PlayedDevicePublisher;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;

/** The API alone: neither engine nor broker. */
public class WithoutEngine implements QuarkusTestProfile {

  @Override
  public Set<Class<?>> getEnabledAlternatives() {
    return Set.of(
        FakeDeployer.class,
        FakeDeployer.States.class,
        PlayedDevicePublisher.class,
        PlayedGatewayCalls.class,
        PlayedGatewaySchedules.class);
  }

  @Override
  public Map<String, String> getConfigOverrides() {
    Map<String, String> settings = new HashMap<>();
    settings.put(
        "quarkus.arc.exclude-types",
        "io.tinyfaas.manager.docker.**,io.tinyfaas.manager.reconcile.**,"
            + "io.tinyfaas.manager.route.**,io.tinyfaas.manager.deploy.FunctionDeployer,"
            + "io.tinyfaas.manager.deploy.FunctionStates,"
            + "io.tinyfaas.manager.device.DevicePublisher,"
            + "io.tinyfaas.manager.call.GatewayCalls,"
            + "io.tinyfaas.manager.call.GatewaySchedules,"
            + "io.tinyfaas.manager.api.FunctionLogsResource,"
            + "io.tinyfaas.manager.api.RuntimeResource,"
            + "io.tinyfaas.manager.compat.LogsCall");
    settings.put("mp.messaging.outgoing.routes.enabled", "false");
    settings.put("mp.messaging.outgoing.devices.enabled", "false");
    settings.put("tinyfaas.device-key-file", "src/test/resources/device-key");
    settings.put("tinyfaas.coaps-certificate-file", "src/test/resources/lamp.crt");
    settings.put("mp.messaging.incoming.gateway-status.enabled", "false");
    settings.put("mp.messaging.outgoing.calls-requests.enabled", "false");
    settings.put("mp.messaging.incoming.calls-replies.enabled", "false");
    settings.put("mp.messaging.outgoing.schedules-requests.enabled", "false");
    settings.put("mp.messaging.incoming.schedules-replies.enabled", "false");
    settings.put("tinyfaas.store", "target/api-test-store");
    settings.put("tinyfaas.max-archive", "1M");
    settings.put("tinyfaas.coap-port", "5683");
    settings.put("tinyfaas.http-port", "8000");
    settings.put("tinyfaas.grpc-port", "9000");
    return settings;
  }

  /** And without a token. */
  public static class AndToken extends WithoutEngine {
    @Override
    public Map<String, String> getConfigOverrides() {
      Map<String, String> settings = new HashMap<>(super.getConfigOverrides());
      settings.put("tinyfaas.auth", "none");
      settings.put("tinyfaas.coap-port", "15683");
      settings.put("tinyfaas.grpc-port", "-1");
      return settings;
    }
  }

  /** And with little time for uploads. */
  public static class AndLittleTime extends WithoutEngine {
    @Override
    public Map<String, String> getConfigOverrides() {
      Map<String, String> settings = new HashMap<>(super.getConfigOverrides());
      // What is sent at once may stand still on its way.
      settings.put("tinyfaas.upload-timeout", patient(Duration.ofSeconds(3)).toString());
      return settings;
    }
  }

  /** And with so much patience that nothing is closed for its silence. */
  public static class AndAllPatience extends WithoutEngine {
    @Override
    public Map<String, String> getConfigOverrides() {
      Map<String, String> settings = new HashMap<>(super.getConfigOverrides());
      settings.put("tinyfaas.http-header-timeout", "1h");
      settings.put("quarkus.http.idle-timeout", "1h");
      return settings;
    }
  }

  /** And with little patience for connections without a request. */
  public static class AndPatience extends WithoutEngine {
    @Override
    public Map<String, String> getConfigOverrides() {
      Map<String, String> settings = new HashMap<>(super.getConfigOverrides());
      // A client may stand still between its connection and its request.
      settings.put("tinyfaas.http-header-timeout", patient(Duration.ofSeconds(2)).toString());
      settings.put("quarkus.http.idle-timeout", patient(Duration.ofSeconds(2)).toString());
      return settings;
    }
  }
}
