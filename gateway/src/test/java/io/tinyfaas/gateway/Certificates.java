package io.tinyfaas.gateway;

import io.tinyfaas.contract.device.DeviceCredential;
import io.tinyfaas.harness.Command;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.security.cert.X509Certificate;
import java.util.ArrayList;
import java.util.Base64;
import java.util.HexFormat;
import java.util.List;
import org.eclipse.californium.elements.util.SslContextUtil;
import org.eclipse.californium.elements.util.SslContextUtil.Credentials;

/** Keys with certificates, made by OpenSSL as people make them. */
final class Certificates {

  private static final List<String> EC =
      List.of("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes");

  private final Path folder;

  Certificates(Path folder) {
    this.folder = folder;
  }

  /**
   * A self-signed certificate.
   *
   * @return the PEM file with key and certificate
   */
  Path selfSigned(String name, String... more) {
    List<String> arguments = new ArrayList<>(List.of("req", "-x509"));
    arguments.addAll(EC);
    arguments.addAll(List.of("-days", "30", "-subj", "/CN=" + name, "-keyout", name + ".key"));
    arguments.addAll(List.of("-out", name + ".crt"));
    arguments.addAll(List.of(more));
    openssl(arguments);
    return joined(name);
  }

  /** A certificate of an authority that {@link #selfSigned} has made. */
  Path issued(String authority, String name) {
    List<String> request = new ArrayList<>(List.of("req"));
    request.addAll(EC);
    request.addAll(List.of("-subj", "/CN=" + name, "-keyout", name + ".key", "-out", name));
    openssl(request);
    openssl(
        List.of(
            "x509",
            "-req",
            "-in",
            name,
            "-CA",
            authority + ".crt",
            "-CAkey",
            authority + ".key",
            "-set_serial",
            "1",
            "-days",
            "30",
            "-out",
            name + ".crt"));
    return joined(name);
  }

  private Path joined(String name) {
    try {
      Path pem = folder.resolve(name + ".pem");
      Files.writeString(
          pem,
          Files.readString(folder.resolve(name + ".key"))
              + Files.readString(folder.resolve(name + ".crt")));
      return pem;
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }

  static Credentials credentials(Path pem) {
    try {
      return SslContextUtil.loadCredentials(pem.toString());
    } catch (IOException | GeneralSecurityException e) {
      throw new AssertionError(e);
    }
  }

  static X509Certificate certificate(Path pem) {
    return credentials(pem).getCertificateChain()[0];
  }

  static DeviceCredential pinned(Path pem) {
    try {
      byte[] digest = MessageDigest.getInstance("SHA-256").digest(certificate(pem).getEncoded());
      return new DeviceCredential.Certificate(HexFormat.of().formatHex(digest));
    } catch (GeneralSecurityException e) {
      throw new AssertionError(e);
    }
  }

  static DeviceCredential authority(Path pem) {
    try {
      return new DeviceCredential.Authority(
          Base64.getEncoder().encodeToString(certificate(pem).getEncoded()));
    } catch (GeneralSecurityException e) {
      throw new AssertionError(e);
    }
  }

  private void openssl(List<String> arguments) {
    List<String> command = new ArrayList<>(List.of("openssl"));
    command.addAll(arguments);
    Command.of(command).in(folder).succeed();
  }
}
