package io.tinyfaas.gateway.mqtt;

import io.quarkus.runtime.Startup;
import io.quarkus.runtime.configuration.ConfigurationException;
import io.smallrye.config.ConfigMapping;
import io.smallrye.config.WithDefault;
import io.tinyfaas.contract.setting.SettingsCheck;
import jakarta.inject.Singleton;

/** Where devices connect: {@code MQTTS_PORT} and {@code MQTT_PORT}. */
@ConfigMapping(prefix = "tinyfaas")
public interface MqttPorts {

  /** The port that switches one off. */
  int OFF = -1;

  Mqtts mqtts();

  Mqtt mqtt();

  /** By TLS. */
  interface Mqtts {

    /** The TCP port, from 0 (any free one, for tests) to 65535; -1 switches it off. */
    @WithDefault("8883")
    int port();
  }

  /** Without encryption, for a network of one's own. */
  interface Mqtt {

    /** As with TLS. */
    @WithDefault("-1")
    int port();
  }

  /** Whether devices can connect at all. */
  default boolean areOpen() {
    return mqtts().port() != OFF || mqtt().port() != OFF;
  }

  /** What these may be; looked at before anything starts. */
  @Startup(1)
  @Singleton
  final class Ranges {

    Ranges(MqttPorts ports) {
      new SettingsCheck()
          .port("MQTTS_PORT", ports.mqtts().port())
          .port("MQTT_PORT", ports.mqtt().port())
          .orThrow(ConfigurationException::new);
    }
  }
}
