package io.tinyfaas.manager.device;

import static io.tinyfaas.manager.problem.ProblemType.INVALID_REQUEST;
import static java.nio.charset.StandardCharsets.US_ASCII;

import io.tinyfaas.contract.device.DeviceCredential;
import io.tinyfaas.manager.problem.ProblemException;
import java.io.ByteArrayInputStream;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.security.cert.Certificate;
import java.security.cert.CertificateException;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.security.interfaces.ECPublicKey;
import java.util.Base64;
import java.util.Collection;
import java.util.Date;
import java.util.HexFormat;

/** An X.509 certificate that somebody sent, to know a device or its authority by. */
record DeviceCertificate(X509Certificate certificate) {

  /** RFC 7252, 9.1.3.3: P-256. */
  private static final int CURVE_BITS = 256;

  /**
   * @param pem one certificate
   * @throws ProblemException INVALID_REQUEST if it is no certificate that the gateway can use
   */
  static DeviceCertificate read(byte[] pem) {
    if (new String(pem, US_ASCII).contains("PRIVATE KEY-----")) {
      throw invalid("The body has a private key, which is for the device only: leave it out.");
    }
    try {
      Collection<? extends Certificate> all =
          CertificateFactory.getInstance("X.509")
              .generateCertificates(new ByteArrayInputStream(pem));
      if (all.size() != 1 || !(all.iterator().next() instanceof X509Certificate certificate)) {
        throw invalid("The body has " + all.size() + " certificates: send the device's own only.");
      }
      if (!(certificate.getPublicKey() instanceof ECPublicKey key)
          || key.getParams().getCurve().getField().getFieldSize() != CURVE_BITS) {
        throw invalid(
            "The certificate's key is not of the curve P-256, which is what CoAP asks for (RFC"
                + " 7252, 9.1.3.3): openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 …");
      }
      if (certificate.getNotAfter().before(new Date())) {
        throw invalid("The certificate has expired: " + certificate.getNotAfter().toInstant());
      }
      return new DeviceCertificate(certificate);
    } catch (CertificateException e) {
      throw invalid("The body is no certificate in PEM (-----BEGIN CERTIFICATE-----…).");
    }
  }

  DeviceCredential.Certificate pinned() {
    return new DeviceCredential.Certificate(fingerprint());
  }

  /**
   * @throws ProblemException INVALID_REQUEST if it may not issue certificates
   */
  DeviceCredential.Authority authority() {
    boolean[] usage = certificate.getKeyUsage();
    boolean signs = usage == null || usage[5]; // keyCertSign (RFC 5280, 4.2.1.3)
    if (certificate.getBasicConstraints() < 0 || !signs) {
      throw invalid(
          "The certificate is not an authority's (CA:TRUE): leave ?authority=true away to register"
              + " it as a device's.");
    }
    return new DeviceCredential.Authority(Base64.getEncoder().encodeToString(encoded()));
  }

  String subject() {
    return certificate.getSubjectX500Principal().getName();
  }

  String expires() {
    return certificate.getNotAfter().toInstant().toString();
  }

  private String fingerprint() {
    try {
      return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(encoded()));
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException(e);
    }
  }

  private byte[] encoded() {
    try {
      return certificate.getEncoded();
    } catch (CertificateException e) {
      throw new IllegalStateException(e);
    }
  }

  private static ProblemException invalid(String detail) {
    return ProblemException.ofField(INVALID_REQUEST, "certificate", detail);
  }
}
