package io.tinyfaas.gateway;

import io.tinyfaas.harness.Eventually;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.security.cert.Certificate;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.UnaryOperator;
import org.eclipse.californium.core.CoapClient;
import org.eclipse.californium.core.CoapHandler;
import org.eclipse.californium.core.CoapResponse;
import org.eclipse.californium.core.coap.CoAP.Code;
import org.eclipse.californium.core.coap.Request;
import org.eclipse.californium.core.config.CoapConfig;
import org.eclipse.californium.core.network.CoapEndpoint;
import org.eclipse.californium.elements.config.Configuration;
import org.eclipse.californium.elements.exception.ConnectorException;
import org.eclipse.californium.elements.util.SslContextUtil.Credentials;
import org.eclipse.californium.scandium.DTLSConnector;
import org.eclipse.californium.scandium.config.DtlsConfig;
import org.eclipse.californium.scandium.config.DtlsConfig.DtlsRole;
import org.eclipse.californium.scandium.config.DtlsConnectorConfig;
import org.eclipse.californium.scandium.dtls.CertificateType;
import org.eclipse.californium.scandium.dtls.DTLSContext;
import org.eclipse.californium.scandium.dtls.Handshaker;
import org.eclipse.californium.scandium.dtls.SessionListener;
import org.eclipse.californium.scandium.dtls.pskstore.AdvancedSinglePskStore;
import org.eclipse.californium.scandium.dtls.x509.SingleCertificateProvider;
import org.eclipse.californium.scandium.dtls.x509.StaticNewAdvancedCertificateVerifier;

/** A device with Scandium, one socket, and at most one session. */
final class DtlsDevice implements AutoCloseable {

  /** How long an answer may take on a quiet machine, with a handshake that loses datagrams. */
  private static final Duration ANSWER = Duration.ofSeconds(30);

  private static final long QUIET_MILLIS = 700;

  private final AtomicLong handshakes = new AtomicLong();
  private final CoapEndpoint endpoint;
  private int port;

  private DtlsDevice(
      int port, UnaryOperator<DtlsConnectorConfig.Builder> who, Configuration settings) {
    this.port = port;
    this.endpoint =
        CoapEndpoint.builder()
            .setConfiguration(settings)
            .setConnector(
                new DTLSConnector(
                    who.apply(DtlsConnectorConfig.builder(settings))
                        .setSessionListener(counting())
                        .build()))
            .build();
    try {
      endpoint.start();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private SessionListener counting() {
    return new SessionListener() {
      @Override
      public void handshakeStarted(Handshaker handshaker) {}

      @Override
      public void contextEstablished(Handshaker handshaker, DTLSContext context) {}

      @Override
      public void handshakeCompleted(Handshaker handshaker) {
        handshakes.incrementAndGet();
      }

      @Override
      public void handshakeFailed(Handshaker handshaker, Throwable error) {}

      @Override
      public void handshakeFlightRetransmitted(Handshaker handshaker, int flight) {}
    };
  }

  /** Those that came to an end. */
  long handshakes() {
    return handshakes.get();
  }

  static Configuration settings() {
    CoapConfig.register();
    DtlsConfig.register();
    return Configuration.createStandardWithoutFile()
        .set(DtlsConfig.DTLS_ROLE, DtlsRole.CLIENT_ONLY)
        .set(DtlsConfig.DTLS_CONNECTION_ID_LENGTH, 0)
        .set(DtlsConfig.DTLS_RETRANSMISSION_TIMEOUT, 500, TimeUnit.MILLISECONDS)
        .set(DtlsConfig.DTLS_VERIFY_SERVER_CERTIFICATES_SUBJECT, false)
        .set(DtlsConfig.DTLS_RECEIVER_THREAD_COUNT, 1)
        .set(DtlsConfig.DTLS_CONNECTOR_THREAD_COUNT, 1);
  }

  static DtlsDevice withKey(int port, String name, byte[] key) {
    return withKey(port, name, key, settings());
  }

  static DtlsDevice withKey(int port, String name, byte[] key, Configuration settings) {
    return new DtlsDevice(
        port,
        builder -> builder.setAdvancedPskStore(new AdvancedSinglePskStore(name, key)),
        settings);
  }

  /**
   * @param trusted the gateway's certificate
   */
  static DtlsDevice withCertificate(int port, Credentials own, Certificate trusted) {
    return new DtlsDevice(
        port,
        builder ->
            builder
                .setCertificateIdentityProvider(
                    new SingleCertificateProvider(
                        own.getPrivateKey(), own.getCertificateChain(), CertificateType.X_509))
                .setAdvancedCertificateVerifier(
                    StaticNewAdvancedCertificateVerifier.builder()
                        .setTrustedCertificates(trusted)
                        .build()),
        settings());
  }

  /** From now on the gateway, or what stands before it, is there. */
  void asks(int otherPort) {
    port = otherPort;
  }

  /**
   * @return {@code CODE PAYLOAD}, or {@code none} without an answer, as when there is no session
   */
  String get(String path) {
    return ask(new Request(Code.GET), path);
  }

  String ask(Request request, String path) {
    return ask(request, path, Eventually.patient(ANSWER).toMillis());
  }

  /** Whether it gets no answer for a while, as whoever is not known. */
  boolean isRefused(String path) {
    return ask(new Request(Code.GET), path, QUIET_MILLIS).equals("none");
  }

  private String ask(Request request, String path, long patienceMillis) {
    request.setURI("coaps://127.0.0.1:" + port + "/" + path);
    CoapClient client = new CoapClient().setEndpoint(endpoint).setTimeout(patienceMillis);
    try {
      CoapResponse response = client.advanced(request);
      return response == null ? "none" : response.getCode().text + " " + response.getResponseText();
    } catch (ConnectorException | IOException e) {
      return "none";
    } finally {
      client.shutdown();
    }
  }

  /** What it is told of the function, in the order of its coming. */
  List<String> observe(String path) {
    List<String> told = new CopyOnWriteArrayList<>();
    new CoapClient("coaps://127.0.0.1:" + port + "/" + path)
        .setEndpoint(endpoint)
        .observe(
            new CoapHandler() {
              @Override
              public void onLoad(CoapResponse response) {
                told.add(response.getResponseText());
              }

              @Override
              public void onError() {
                told.add("error");
              }
            });
    return told;
  }

  @Override
  public void close() {
    endpoint.destroy();
  }
}
