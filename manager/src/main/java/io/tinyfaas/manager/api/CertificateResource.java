package io.tinyfaas.manager.api;

import io.smallrye.common.annotation.RunOnVirtualThread;
import jakarta.ws.rs.GET;
import jakarta.ws.rs.NotFoundException;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.Produces;
import java.io.IOException;
import java.nio.file.Files;
import java.util.Optional;
import org.eclipse.microprofile.config.inject.ConfigProperty;

/** What devices with certificates know the gateway by. */
@Path("/certificate")
@Produces("application/x-pem-file")
@RunOnVirtualThread
class CertificateResource {

  private final Optional<java.nio.file.Path> file;

  CertificateResource(
      @ConfigProperty(name = "tinyfaas.coaps-certificate-file") Optional<java.nio.file.Path> file) {
    this.file = file;
  }

  @GET
  public String get() throws IOException {
    return Files.readString(file.filter(Files::exists).orElseThrow(NotFoundException::new));
  }
}
