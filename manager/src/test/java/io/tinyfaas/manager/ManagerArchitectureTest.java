package io.tinyfaas.manager;

import io.tinyfaas.harness.Architecture;
import org.junit.jupiter.api.Test;

/** Who may use whom, as CONTRIBUTING has it. */
class ManagerArchitectureTest {

  private static final Architecture MANAGER = new Architecture("io.tinyfaas.manager");

  @Test
  void shouldHavePackagesThatUseEachOtherInOneDirection() {
    MANAGER.requirePackagesWithoutCircles();
  }

  @Test
  void shouldHaveClassesThatUseEachOtherInOneDirection() {
    MANAGER.requireClassesWithoutCircles("spec");
  }

  @Test
  void shouldSpeakHttpAtTheEdgeOnly() {
    MANAGER.requireOnlyIn("jakarta.ws.rs..", "api", "compat");
  }

  @Test
  void shouldAskTheEngineInItsOwnPackagesOnly() {
    MANAGER.requireOnlyIn(
        "com.github.dockerjava..", "engine", "network", "runtime", "image", "handler", "problem");
  }

  @Test
  void shouldSpeakMqttWhereTheGatewayIsToldOrAskedOnly() {
    MANAGER.requireOnlyIn(
        "org.eclipse.microprofile.reactive.messaging..", "control", "route", "device", "call");
  }
}
