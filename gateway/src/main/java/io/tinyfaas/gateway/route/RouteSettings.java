package io.tinyfaas.gateway.route;

import io.smallrye.config.ConfigMapping;
import io.smallrye.config.WithDefault;
import java.nio.file.Path;

/** Where handlers are. */
@ConfigMapping(prefix = "tinyfaas")
public interface RouteSettings {

  /**
   * The folder below which the sockets of handlers are: {@link Path} of a {@code unix} endpoint.
   */
  @WithDefault("/run/tinyfaas")
  Path sockets();
}
