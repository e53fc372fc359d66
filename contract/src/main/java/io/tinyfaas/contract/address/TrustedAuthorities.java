package io.tinyfaas.contract.address;

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
import java.util.function.BiConsumer;
import javax.net.ssl.TrustManager;
import javax.net.ssl.TrustManagerFactory;

/** The certificate authorities that Java knows, and the operator's own. */
public final class TrustedAuthorities {

  private TrustedAuthorities() {}

  /**
   * @param own a folder with files {@code *.crt}, certificates as PEM
   * @param unreadable is told which of them are none, and why
   */
  public static TrustManager of(Optional<Path> own, BiConsumer<Path, String> unreadable) {
    try {
      File known = Path.of(System.getProperty("java.home"), "lib/security/cacerts").toFile();
      KeyStore trusted = KeyStore.getInstance(known, (char[]) null);
      if (own.isPresent() && Files.isDirectory(own.get())) {
        addAll(own.get(), trusted, unreadable);
      }
      TrustManagerFactory factory =
          TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
      factory.init(trusted);
      return factory.getTrustManagers()[0];
    } catch (IOException | GeneralSecurityException e) {
      throw new IllegalStateException("Java's certificate authorities cannot be read", e);
    }
  }

  private static void addAll(Path folder, KeyStore trusted, BiConsumer<Path, String> unreadable)
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
          unreadable.accept(file, e.getMessage());
        }
      }
    }
  }
}
