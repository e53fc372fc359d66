package io.tinyfaas.gateway.ingress.mqtt;

import io.tinyfaas.contract.device.Device;
import io.tinyfaas.gateway.device.CurrentDevices;
import io.tinyfaas.gateway.device.DeviceIdentity;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.security.cert.CertPathValidator;
import java.security.cert.CertificateFactory;
import java.security.cert.PKIXParameters;
import java.security.cert.TrustAnchor;
import java.security.cert.X509Certificate;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Which device a certificate is, as by DTLS: it is registered itself, or its authority is. */
record CertifiedDevices(CurrentDevices devices) {

  private static final String CLIENT_AUTHENTICATION = "1.3.6.1.5.5.7.3.2";

  /** Of a certificate's subject (RFC 2253), as a part of a device's name: a header can carry it. */
  private static final Pattern COMMON_NAME =
      Pattern.compile("(?:^|[,+])CN=([A-Za-z0-9][A-Za-z0-9._:@-]{0,63})(?:$|[,+])");

  /** Empty if it is of nobody, or not valid now. */
  Optional<DeviceIdentity> identity(X509Certificate[] chain) {
    try {
      X509Certificate own = chain[0];
      own.checkValidity();
      String fingerprint =
          HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(own.getEncoded()));
      Optional<Device> pinned = devices.withCertificate(fingerprint);
      return pinned.isPresent()
          ? pinned.map(device -> new DeviceIdentity(device.name().value(), device))
          : issued(chain);
    } catch (GeneralSecurityException e) {
      return Optional.empty();
    }
  }

  private Optional<DeviceIdentity> issued(X509Certificate[] chain) throws GeneralSecurityException {
    Matcher name = COMMON_NAME.matcher(chain[0].getSubjectX500Principal().getName());
    if (!name.find() || !isForClients(chain[0])) {
      return Optional.empty();
    }
    for (Map.Entry<X509Certificate, Device> authority : devices.authorities().entrySet()) {
      if (hasIssued(authority.getKey(), chain)) {
        Device device = authority.getValue();
        return Optional.of(new DeviceIdentity(device.name() + "/" + name.group(1), device));
      }
    }
    return Optional.empty();
  }

  private static boolean isForClients(X509Certificate certificate) throws GeneralSecurityException {
    boolean[] usage = certificate.getKeyUsage();
    List<String> extended = certificate.getExtendedKeyUsage();
    return (usage == null || usage[0])
        && (extended == null || extended.contains(CLIENT_AUTHENTICATION));
  }

  private static boolean hasIssued(X509Certificate authority, X509Certificate[] chain) {
    List<X509Certificate> below = new ArrayList<>();
    for (X509Certificate each : chain) {
      below.add(each);
      if (each.getIssuerX500Principal().equals(authority.getSubjectX500Principal())) {
        return isValid(authority, below);
      }
    }
    return false;
  }

  private static boolean isValid(X509Certificate authority, List<X509Certificate> path) {
    try {
      PKIXParameters parameters = new PKIXParameters(Set.of(new TrustAnchor(authority, null)));
      parameters.setRevocationEnabled(false);
      CertPathValidator.getInstance("PKIX")
          .validate(CertificateFactory.getInstance("X.509").generateCertPath(path), parameters);
      return true;
    } catch (GeneralSecurityException e) {
      return false;
    }
  }
}
