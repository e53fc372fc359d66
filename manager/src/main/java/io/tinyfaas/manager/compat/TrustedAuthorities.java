package io.tinyfaas.manager.compat;

import io.vertx.core.net.TrustOptions;
import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.cert.Certificate;
import java.security.cert.CertificateFactory;
import java.util.Optional;
import javax.net.ssl.TrustManagerFactory;
import org.jboss.logging.Logger;

/** The certificate authorities that Java knows, and the operator's own. */
final class TrustedAuthorities {

  private static final Logger LOG = Logger.getLogger(TrustedAuthorities.class);

  private TrustedAuthorities() {}

  static TrustOptions options(Optional<Path> checkout) {
    try {
      File known = Path.of(System.getProperty("java.home"), "lib/security/cacerts").toFile();
      KeyStore trusted = KeyStore.getInstance(known, (char[]) null);
      Path own = checkout.map(c -> c.resolve("compose/ca-certificates")).orElse(Path.of(""));
      if (checkout.isPresent() && Files.isDirectory(own)) {
        addAll(own, trusted);
      }
      TrustManagerFactory factory =
          TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
      factory.init(trusted);
      return TrustOptions.wrap(factory.getTrustManagers()[0]);
    } catch (IOException | GeneralSecurityException e) {
      throw new IllegalStateException("Java's certificate authorities cannot be read", e);
    }
  }

  private static void addAll(Path folder, KeyStore trusted)
      throws IOException, GeneralSecurityException {
    try (DirectoryStream<Path> files = Files.newDirectoryStream(folder, "*.crt")) {
      for (Path file : files) {
        try (InputStream pem = Files.newInputStream(file)) {
          int number = 0;
          for (Certificate certificate :
              CertificateFactory.getInstance("X.509").generateCertificates(pem)) {
            trusted.setCertificateEntry(file.getFileName() + "-" + number++, certificate);
          }
        } catch (IOException | GeneralSecurityException e) {
          LOG.warnf(
              "event=ca-certificate file=%s outcome=ignored reason=\"%s\"", file, e.getMessage());
        }
      }
    }
  }
}
