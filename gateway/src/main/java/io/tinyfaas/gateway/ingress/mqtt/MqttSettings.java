package io.tinyfaas.gateway.ingress.mqtt;

import io.quarkus.runtime.Startup;
import io.quarkus.runtime.configuration.ConfigurationException;
import io.smallrye.config.ConfigMapping;
import io.smallrye.config.WithDefault;
import io.tinyfaas.contract.setting.SettingsCheck;
import jakarta.inject.Singleton;
import java.time.Duration;

/**
 * The settings of the MQTT ingress: {@code TINYFAAS_MQTT_…}; its ports are in {@link
 * io.tinyfaas.gateway.mqtt.MqttPorts}. Deadlines are kept to the second.
 */
@ConfigMapping(prefix = "tinyfaas.mqtt")
interface MqttSettings {

  /** The address to listen on; the default is all of them. */
  @WithDefault("0.0.0.0")
  String host();

  /** From the connection to the end of CONNECT, with the handshake of TLS. */
  @WithDefault("10s")
  Duration connectTimeout();

  /** The longest that a device may be silent; one that wants longer is told, or cut off. */
  @WithDefault("1h")
  Duration maxKeepAlive();

  /** From a packet's first byte to its last. */
  @WithDefault("60s")
  Duration receiveTimeout();

  /** How long a device may take nothing of what is sent to it. */
  @WithDefault("60s")
  Duration sendTimeout();

  /** What these may be; looked at before anything starts. */
  @Startup(1)
  @Singleton
  final class Ranges {

    private static final Duration SHORTEST = Duration.ofSeconds(1);
    private static final Duration LONGEST = Duration.ofHours(1);

    /** Two bytes of seconds. */
    private static final Duration LONGEST_KEEP_ALIVE = Duration.ofSeconds(65_535);

    Ranges(MqttSettings settings) {
      new SettingsCheck()
          .time("TINYFAAS_MQTT_CONNECT_TIMEOUT", settings.connectTimeout(), SHORTEST, LONGEST)
          .time(
              "TINYFAAS_MQTT_MAX_KEEP_ALIVE", settings.maxKeepAlive(), SHORTEST, LONGEST_KEEP_ALIVE)
          .time("TINYFAAS_MQTT_RECEIVE_TIMEOUT", settings.receiveTimeout(), SHORTEST, LONGEST)
          .time("TINYFAAS_MQTT_SEND_TIMEOUT", settings.sendTimeout(), SHORTEST, LONGEST)
          .orThrow(ConfigurationException::new);
    }
  }
}
