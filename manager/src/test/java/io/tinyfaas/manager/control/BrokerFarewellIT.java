package io.tinyfaas.manager.control;

import static io.tinyfaas.harness.Eventually.eventually;
import static org.assertj.core.api.Assertions.assertThat;

import io.quarkus.runtime.ShutdownEvent;
import io.quarkus.test.common.WithTestResource;
import io.quarkus.test.junit.QuarkusTest;
import io.quarkus.test.junit.QuarkusTestProfile;
import io.quarkus.test.junit.TestProfile;
import io.smallrye.reactive.messaging.health.HealthReport.ChannelInfo;
import io.smallrye.reactive.messaging.mqtt.MqttConnector;
import io.tinyfaas.manager.RealParts;
import jakarta.inject.Inject;
import java.util.List;
import org.eclipse.microprofile.reactive.messaging.spi.Connector;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** In an application of its own, which has no broker afterwards. */
@Tag("slow")
@QuarkusTest
@WithTestResource(RealParts.class)
@TestProfile(BrokerFarewellIT.Alone.class)
class BrokerFarewellIT {

  public static class Alone implements QuarkusTestProfile {}

  @Inject BrokerFarewell farewell;

  @Inject
  @Connector("smallrye-mqtt")
  MqttConnector connector;

  @Test
  void shouldReturnOnceAllConnectionsToTheBrokerHaveEnded() {
    eventually().until(() -> connections().size() == 7 && !connections().contains(false));

    farewell.stop(new ShutdownEvent());

    assertThat(connections()).containsOnly(false);
  }

  private List<Boolean> connections() {
    return connector.getReadiness().getChannels().stream().map(ChannelInfo::isOk).toList();
  }
}
