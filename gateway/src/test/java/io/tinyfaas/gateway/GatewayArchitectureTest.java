package io.tinyfaas.gateway;

import io.tinyfaas.harness.Architecture;
import org.junit.jupiter.api.Test;

/** Who may use whom, as CONTRIBUTING has it. */
class GatewayArchitectureTest {

  private static final Architecture GATEWAY = new Architecture("io.tinyfaas.gateway");

  @Test
  void shouldHavePackagesThatUseEachOtherInOneDirection() {
    GATEWAY.requirePackagesWithoutCircles();
  }

  @Test
  void shouldHaveClassesThatUseEachOtherInOneDirection() {
    GATEWAY.requireClassesWithoutCircles("invoke");
  }

  @Test
  void shouldUseCaliforniumForCoapOnly() {
    GATEWAY.requireOnlyIn("org.eclipse.californium..", "ingress.coap");
  }

  @Test
  void shouldUseGrpcInItsIngressOnly() {
    GATEWAY.requireOnlyIn("io.grpc..", "ingress.grpc");
  }

  @Test
  void shouldSpeakMqttInTheControlPlaneOnly() {
    GATEWAY.requireOnlyIn("io.vertx.mqtt..", "control");
  }

  @Test
  void shouldSpeakMqttWithDevicesAndTheirBrokerOnly() {
    GATEWAY.requireOnlyIn("io.netty.handler.codec.mqtt..", "mqtt", "ingress.mqtt", "control");
  }
}
