package io.tinyfaas.gateway.ingress.function;

import io.smallrye.config.ConfigMapping;
import io.smallrye.config.WithDefault;
import java.nio.file.Path;

/** Where functions reach the gateway. */
@ConfigMapping(prefix = "tinyfaas")
interface FunctionSocketSettings {

  /** The folder below which each handler that may call functions has one for the socket. */
  @WithDefault("/run/tinyfaas-calls")
  Path callSockets();
}
