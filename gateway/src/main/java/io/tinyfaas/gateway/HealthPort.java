package io.tinyfaas.gateway;

import io.quarkus.runtime.Startup;
import io.quarkus.runtime.configuration.ConfigurationException;
import io.tinyfaas.contract.setting.SettingsCheck;
import jakarta.inject.Singleton;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import org.eclipse.microprofile.config.inject.ConfigProperty;

/**
 * The TCP port of health and metrics, on which Quarkus listens last. Of one that is taken it would
 * print stack traces that name no port.
 */
@Startup(1)
@Singleton
final class HealthPort {

  HealthPort(
      @ConfigProperty(name = "quarkus.http.host") String host,
      @ConfigProperty(name = "quarkus.http.port") int port) {
    new SettingsCheck()
        .number("TINYFAAS_GATEWAY_HTTP_PORT", port, 0, 65_535)
        .orThrow(ConfigurationException::new);
    try (ServerSocket tried = new ServerSocket()) {
      tried.bind(new InetSocketAddress(InetAddress.getByName(host), port));
    } catch (IOException e) {
      throw new ConfigurationException(
          "cannot listen for health and metrics on TCP "
              + host
              + ':'
              + port
              + " ("
              + e.getMessage()
              + "): stop what listens there, or choose another TINYFAAS_GATEWAY_HTTP_PORT");
    }
  }
}
