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
    GATEWAY.requireClassesWithoutCircles();
  }
}
