package io.tinyfaas.gateway.callback;

import io.smallrye.config.ConfigMapping;
import io.smallrye.config.WithDefault;
import io.smallrye.config.WithName;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/** Where callbacks to URLs may go. The ports are checked where they are used. */
@ConfigMapping(prefix = "tinyfaas")
interface CallbackSettings {

  /** Addresses, in CIDR notation, that may be called back although they are not public. */
  Optional<List<String>> fetchAllow();

  /** A folder with certificate authorities that are trusted beside the usual ones. */
  Optional<Path> caCertificates();

  @WithDefault("8080")
  int managerPort();

  @WithName("gateway-http-port")
  @WithDefault("8081")
  int healthPort();

  @WithName("broker.port")
  @WithDefault("1883")
  int brokerPort();

  @WithName("http.port")
  @WithDefault("8000")
  int httpPort();

  @WithName("grpc.port")
  @WithDefault("9000")
  int grpcPort();

  /** The box's own ports, of which nobody else is to be given the use. */
  default Set<Integer> ports() {
    return Set.copyOf(List.of(managerPort(), healthPort(), brokerPort(), httpPort(), grpcPort()));
  }
}
