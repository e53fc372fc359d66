package io.tinyfaas.manager;

import static io.tinyfaas.harness.Eventually.eventually;
import static org.assertj.core.api.Assertions.assertThat;

import io.quarkus.test.common.WithTestResource;
import io.quarkus.test.junit.QuarkusTest;
import io.tinyfaas.contract.device.DeviceName;
import io.tinyfaas.harness.Broker;
import io.tinyfaas.manager.device.DeviceRegistry;
import jakarta.inject.Inject;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Devices of a whole site, registered by a script that does not wait. */
@Tag("slow")
@QuarkusTest
@WithTestResource(RealParts.class)
class DeviceRegistrationIT extends FunctionOnAnEngine {

  private static final int DEVICES = 64;

  @Inject DeviceRegistry registry;

  Broker broker;

  @AfterEach
  void revoke() {
    registry.list().forEach(status -> registry.revoke(status.device().name()));
  }

  @Test
  void shouldRegisterAllThatComeAtOnceToABrokerThatStandsStill() throws Exception {
    List<Future<DeviceRegistry.WithKey>> registrations;
    try (ExecutorService clients = Executors.newVirtualThreadPerTaskExecutor()) {
      broker.standsStill();
      try {
        registrations =
            IntStream.range(0, DEVICES)
                .mapToObj(number -> new DeviceName("lamp-" + number))
                .map(name -> clients.submit(() -> registry.registerWithNewKey(name, Optional.empty())))
                .toList();
        eventually().untilAsserted(() -> assertThat(registry.list()).hasSize(DEVICES));
      } finally {
        broker.goesOn();
      }
    }

    for (Future<DeviceRegistry.WithKey> registration : registrations) {
      assertThat(registration.get().key()).isNotEmpty();
    }
    eventually()
        .untilAsserted(
            () ->
                assertThat(registry.list())
                    .extracting(DeviceRegistry.Status::state)
                    .containsOnly(DeviceRegistry.State.ACTIVE));
  }
}
