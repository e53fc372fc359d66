package io.tinyfaas.gateway.ingress.coap.dtls;

import io.tinyfaas.contract.device.Device;
import io.tinyfaas.gateway.device.CurrentDevices;
import io.tinyfaas.gateway.device.DeviceIdentity;
import java.net.InetSocketAddress;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.security.cert.CertPath;
import java.security.cert.X509Certificate;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Pattern;
import javax.crypto.SecretKey;
import javax.crypto.spec.SecretKeySpec;
import javax.security.auth.x500.X500Principal;
import org.eclipse.californium.elements.util.CertPathUtil;
import org.eclipse.californium.scandium.dtls.AlertMessage;
import org.eclipse.californium.scandium.dtls.AlertMessage.AlertDescription;
import org.eclipse.californium.scandium.dtls.AlertMessage.AlertLevel;
import org.eclipse.californium.scandium.dtls.CertificateMessage;
import org.eclipse.californium.scandium.dtls.CertificateType;
import org.eclipse.californium.scandium.dtls.CertificateVerificationResult;
import org.eclipse.californium.scandium.dtls.ConnectionId;
import org.eclipse.californium.scandium.dtls.HandshakeException;
import org.eclipse.californium.scandium.dtls.HandshakeResultHandler;
import org.eclipse.californium.scandium.dtls.PskPublicInformation;
import org.eclipse.californium.scandium.dtls.PskSecretResult;
import org.eclipse.californium.scandium.dtls.pskstore.AdvancedPskStore;
import org.eclipse.californium.scandium.dtls.x509.NewAdvancedCertificateVerifier;
import org.eclipse.californium.scandium.util.ServerNames;

/** Who a device is, in a handshake, by the devices that are registered. On Scandium's threads. */
final class DeviceAuthentication implements AdvancedPskStore, NewAdvancedCertificateVerifier {

  /** Of a certificate's subject, as a part of a device's name: a header can carry it. */
  private static final Pattern COMMON_NAME = Pattern.compile("[A-Za-z0-9][A-Za-z0-9._:@-]{0,63}");

  private final CurrentDevices devices;

  DeviceAuthentication(CurrentDevices devices) {
    this.devices = devices;
  }

  @Override
  public PskSecretResult requestPskSecretResult(
      ConnectionId cid,
      ServerNames serverNames,
      PskPublicInformation identity,
      String hmacAlgorithm,
      SecretKey otherSecret,
      byte[] seed,
      boolean useExtendedMasterSecret) {
    Optional<Device> device = devices.withKey(identity.getPublicInfoAsString());
    Optional<byte[]> key = device.flatMap(devices::key);
    if (key.isEmpty()) {
      return new PskSecretResult(cid, identity, null);
    }
    return new PskSecretResult(
        cid,
        identity,
        new SecretKeySpec(key.get(), PskSecretResult.ALGORITHM_PSK),
        new DeviceIdentity(device.get().name().value(), device.get()));
  }

  @Override
  public boolean hasEcdhePskSupported() {
    return true;
  }

  /** Of a client, which the gateway is not. */
  @Override
  public PskPublicInformation getIdentity(InetSocketAddress peer, ServerNames virtualHost) {
    return null;
  }

  @Override
  public List<CertificateType> getSupportedCertificateTypes() {
    return List.of(CertificateType.X_509);
  }

  @Override
  public CertificateVerificationResult verifyCertificate(
      ConnectionId cid,
      ServerNames serverNames,
      InetSocketAddress peer,
      boolean clientUsage,
      boolean verifySubject,
      boolean truncateCertificatePath,
      CertificateMessage message) {
    CertPath chain = message.getCertificateChain();
    if (chain == null || chain.getCertificates().isEmpty()) {
      return refused(cid, AlertDescription.NO_CERTIFICATE_RESERVED, "a certificate is needed");
    }
    X509Certificate own = (X509Certificate) chain.getCertificates().getFirst();
    try {
      own.checkValidity();
      Optional<Device> pinned = devices.withCertificate(fingerprint(own));
      if (pinned.isPresent()) {
        return new CertificateVerificationResult(
            cid,
            CertPathUtil.generateCertPath(List.of(own)),
            new DeviceIdentity(pinned.get().name().value(), pinned.get()));
      }
      Optional<DeviceIdentity> issued = issued(own, chain);
      if (issued.isPresent()) {
        return new CertificateVerificationResult(
            cid, CertPathUtil.generateCertPath(List.of(own)), issued.get());
      }
      return refused(cid, AlertDescription.UNKNOWN_CA, "no such device");
    } catch (GeneralSecurityException e) {
      return refused(cid, AlertDescription.CERTIFICATE_EXPIRED, e.getMessage());
    }
  }

  static String fingerprint(X509Certificate certificate) throws GeneralSecurityException {
    return HexFormat.of()
        .formatHex(MessageDigest.getInstance("SHA-256").digest(certificate.getEncoded()));
  }

  private Optional<DeviceIdentity> issued(X509Certificate own, CertPath chain) {
    String name = CertPathUtil.getSubjectsCn(own);
    if (name == null
        || !COMMON_NAME.matcher(name).matches()
        || !CertPathUtil.canBeUsedForAuthentication(own, true)) {
      return Optional.empty();
    }
    for (Map.Entry<X509Certificate, Device> authority : devices.authorities().entrySet()) {
      if (hasIssued(authority.getKey(), chain)) {
        Device device = authority.getValue();
        return Optional.of(new DeviceIdentity(device.name() + "/" + name, device));
      }
    }
    return Optional.empty();
  }

  private static boolean hasIssued(X509Certificate authority, CertPath chain) {
    boolean claims =
        chain.getCertificates().stream()
            .map(X509Certificate.class::cast)
            .anyMatch(
                certificate ->
                    certificate
                        .getIssuerX500Principal()
                        .equals(authority.getSubjectX500Principal()));
    if (!claims) {
      return false;
    }
    try {
      CertPathUtil.validateCertificatePathWithIssuer(
          true, chain, new X509Certificate[] {authority});
      return true;
    } catch (GeneralSecurityException e) {
      return false;
    }
  }

  private static CertificateVerificationResult refused(
      ConnectionId cid, AlertDescription alert, String why) {
    return new CertificateVerificationResult(
        cid, new HandshakeException(why, new AlertMessage(AlertLevel.FATAL, alert)), null);
  }

  /** None: whoever issued it, a certificate may be registered itself. */
  @Override
  public List<X500Principal> getAcceptedIssuers() {
    return List.of();
  }

  /** Results are there at once. */
  @Override
  public void setResultHandler(HandshakeResultHandler handler) {}
}
