package io.tinyfaas.gateway.ingress.coap;

import io.quarkus.runtime.Startup;
import io.quarkus.runtime.configuration.ConfigurationException;
import io.smallrye.config.ConfigMapping;
import io.smallrye.config.WithDefault;
import io.tinyfaas.contract.setting.SettingsCheck;
import io.tinyfaas.gateway.ingress.coap.peer.Peers;
import jakarta.inject.Singleton;
import java.time.Duration;
import java.util.List;

/** The settings of the CoAP ingress: {@code TINYFAAS_COAP_…}, and {@code COAP_PORT}. */
@ConfigMapping(prefix = "tinyfaas.coap")
public interface CoapSettings {

  /** The address to listen on, also for DTLS; the default is all of them. */
  @WithDefault("0.0.0.0")
  String host();

  /** The UDP port, from 0 (any free one, for tests) to 65535; -1 switches CoAP off. */
  @WithDefault("5683")
  int port();

  /**
   * When a request that is still unanswered gets its empty acknowledgement; well below the 2 s
   * after which a device sends it again (RFC 7252, 4.8).
   */
  @WithDefault("500ms")
  Duration ackDelay();

  /**
   * Networks (192.0.2.0/24, 2001:db8::/32) whose addresses nobody else can use. A device of them
   * need not prove that it receives at its address before it gets a large answer.
   */
  @WithDefault("127.0.0.0/8,::1/128")
  List<String> trustedNetworks();

  /** What these may be; looked at before anything starts. */
  @Startup(1)
  @Singleton
  final class Ranges {

    private static final Duration SHORTEST = Duration.ofMillis(1);
    private static final Duration LONGEST = Duration.ofMillis(1900);

    Ranges(CoapSettings settings) {
      try {
        settings.trustedNetworks().forEach(Peers::network);
      } catch (IllegalArgumentException e) {
        throw new ConfigurationException(e.getMessage());
      }
      new SettingsCheck()
          .port("COAP_PORT", settings.port())
          .time("TINYFAAS_COAP_ACK_DELAY", settings.ackDelay(), SHORTEST, LONGEST)
          .orThrow(ConfigurationException::new);
    }
  }
}
