package io.tinyfaas.gateway.ingress.mqtt;

import io.smallrye.config.ConfigMapping;
import java.nio.file.Path;
import java.util.Optional;

/** The gateway's certificate for devices, which is that of CoAP over DTLS. */
@ConfigMapping(prefix = "tinyfaas.coaps")
interface CertificateSettings {

  /** A PEM file with the gateway's private key and its certificate. */
  Optional<Path> certificateFile();
}
