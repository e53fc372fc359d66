package io.tinyfaas.gateway.ingress.mqtt;

import io.quarkus.runtime.Startup;
import io.quarkus.runtime.configuration.ConfigurationException;
import io.smallrye.config.ConfigMapping;
import jakarta.inject.Singleton;
import java.net.URI;
import java.net.URISyntaxException;
import java.nio.file.Path;
import java.util.Optional;

/** Another broker, whose messages triggers may be for: {@code TINYFAAS_MQTT_BROKER…}. */
@ConfigMapping(prefix = "tinyfaas.mqtt")
interface ExternalSettings {

  int PORT = 1883;
  int TLS_PORT = 8883;

  /** {@code mqtt://HOST:PORT}, or {@code mqtts://} by TLS; without it there is none. */
  Optional<String> broker();

  Optional<String> brokerUser();

  Optional<String> brokerPassword();

  /** A file that holds the password, read at each connect; goes before {@link #brokerPassword}. */
  Optional<Path> brokerPasswordFile();

  /**
   * Certificates of the authorities that may have signed that of the broker, in PEM; without it
   * those that Java trusts. Read at each connect.
   */
  Optional<Path> brokerCa();

  /** What these may be; looked at before anything starts. */
  @Startup(1)
  @Singleton
  final class Ranges {

    Ranges(ExternalSettings settings) {
      try {
        settings.broker().ifPresent(Address::of);
      } catch (IllegalArgumentException e) {
        throw new ConfigurationException(e.getMessage());
      }
    }
  }

  /** Where the broker is. */
  record Address(boolean tls, String host, int port) {

    /**
     * @throws IllegalArgumentException if the URL is none; says what it may be
     */
    static Address of(String url) {
      try {
        URI uri = new URI(url.strip());
        boolean tls = "mqtts".equalsIgnoreCase(uri.getScheme());
        boolean plain = "mqtt".equalsIgnoreCase(uri.getScheme());
        boolean only =
            uri.getHost() != null
                && uri.getUserInfo() == null
                && (uri.getPath().isEmpty() || uri.getPath().equals("/"))
                && uri.getQuery() == null
                && uri.getPort() <= 65_535
                && uri.getPort() != 0;
        if ((tls || plain) && only) {
          int port = uri.getPort() < 0 ? (tls ? TLS_PORT : PORT) : uri.getPort();
          return new Address(tls, uri.getHost().replaceAll("[\\[\\]]", ""), port);
        }
      } catch (URISyntaxException e) {
        // It is none.
      }
      throw new IllegalArgumentException(
          "TINYFAAS_MQTT_BROKER is mqtt://HOST:PORT or mqtts://HOST:PORT, with user and password in"
              + " TINYFAAS_MQTT_BROKER_USER and TINYFAAS_MQTT_BROKER_PASSWORD");
    }

    @Override
    public String toString() {
      return (tls ? "mqtts://" : "mqtt://") + host + ':' + port;
    }
  }
}
