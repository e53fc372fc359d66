package io.tinyfaas.manager.control;

import io.smallrye.reactive.messaging.ClientCustomizer;
import io.smallrye.reactive.messaging.mqtt.session.MqttClientSessionOptions;
import jakarta.enterprise.context.ApplicationScoped;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import org.eclipse.microprofile.config.Config;
import org.eclipse.microprofile.config.inject.ConfigProperty;

/** Who the manager is to the broker: its password is in a file that only it can read. */
@ApplicationScoped
class BrokerCredentials implements ClientCustomizer<MqttClientSessionOptions> {

  private final String user;
  private final Optional<Path> passwordFile;

  BrokerCredentials(
      @ConfigProperty(name = "tinyfaas.broker-user") String user,
      @ConfigProperty(name = "tinyfaas.broker-password-file") Optional<Path> passwordFile) {
    this.user = user;
    this.passwordFile = passwordFile;
  }

  @Override
  public MqttClientSessionOptions customize(
      String channel, Config channelConfig, MqttClientSessionOptions options) {
    if (passwordFile.isPresent()) {
      try {
        options.setUsername(user).setPassword(Files.readString(passwordFile.get()).strip());
      } catch (IOException e) {
        throw new UncheckedIOException(
            "TINYFAAS_BROKER_PASSWORD_FILE cannot be read: " + passwordFile.get(), e);
      }
    }
    return options;
  }
}
