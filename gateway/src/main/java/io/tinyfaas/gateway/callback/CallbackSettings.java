package io.tinyfaas.gateway.callback;

import io.smallrye.config.ConfigMapping;
import io.smallrye.config.WithDefault;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** Where callbacks to URLs may go. The ports are checked where they are used. */
@ConfigMapping(prefix = "tinyfaas")
interface CallbackSettings {

  /** Addresses, in CIDR notation, that may be called back although they are not public. */
  Optional<List<String>> fetchAllow();

  /** A folder with certificate authorities that are trusted beside the usual ones. */
  Optional<Path> caCertificates();

  /** The box's names and addresses, with blanks between, where its network is not the gateway's. */
  Optional<String> boxNames();

  @WithDefault("8080")
  int managerPort();

  @WithDefault("8081")
  int gatewayHttpPort();

  Broker broker();

  Http http();

  Grpc grpc();

  Mqtts mqtts();

  Mqtt mqtt();

  interface Broker {
    @WithDefault("1883")
    int port();
  }

  interface Http {
    @WithDefault("8000")
    int port();
  }

  interface Grpc {
    @WithDefault("9000")
    int port();
  }

  interface Mqtts {
    @WithDefault("8883")
    int port();
  }

  interface Mqtt {
    @WithDefault("-1")
    int port();
  }

  /** The box's own ports, of which nobody else is to be given the use. */
  default Set<Integer> ports() {
    return Stream.of(
            managerPort(),
            gatewayHttpPort(),
            broker().port(),
            http().port(),
            grpc().port(),
            mqtts().port(),
            mqtt().port())
        .collect(Collectors.toSet());
  }
}
