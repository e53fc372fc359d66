package io.tinyfaas.gateway.ingress.coap.dtls;

import io.netty.channel.EventLoop;
import io.tinyfaas.gateway.device.CurrentDevices;
import io.tinyfaas.gateway.device.DeviceIdentity;
import io.tinyfaas.gateway.memory.HeapBudget;
import java.io.IOException;
import java.net.DatagramSocket;
import java.net.InetSocketAddress;
import java.security.Principal;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Executor;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import org.eclipse.californium.elements.DtlsEndpointContext;
import org.eclipse.californium.elements.EndpointContext;
import org.eclipse.californium.elements.MapBasedEndpointContext.Attributes;
import org.eclipse.californium.elements.MessageCallback;
import org.eclipse.californium.elements.RawData;
import org.eclipse.californium.elements.RawDataChannel;
import org.eclipse.californium.elements.auth.AdditionalInfo;
import org.eclipse.californium.elements.auth.ExtensiblePrincipal;
import org.eclipse.californium.elements.config.CertificateAuthenticationMode;
import org.eclipse.californium.elements.config.Configuration;
import org.eclipse.californium.elements.util.Bytes;
import org.eclipse.californium.elements.util.Filter;
import org.eclipse.californium.elements.util.LimitedRunnable;
import org.eclipse.californium.elements.util.SslContextUtil.Credentials;
import org.eclipse.californium.scandium.DTLSConnector;
import org.eclipse.californium.scandium.config.DtlsConfig;
import org.eclipse.californium.scandium.config.DtlsConfig.DtlsRole;
import org.eclipse.californium.scandium.config.DtlsConnectorConfig;
import org.eclipse.californium.scandium.dtls.CertificateType;
import org.eclipse.californium.scandium.dtls.Connection;
import org.eclipse.californium.scandium.dtls.ConnectionId;
import org.eclipse.californium.scandium.dtls.Record;
import org.eclipse.californium.scandium.dtls.ResumptionSupportingConnectionStore;
import org.eclipse.californium.scandium.dtls.cipher.CipherSuite;
import org.eclipse.californium.scandium.dtls.x509.SingleCertificateProvider;

/**
 * DTLS 1.2 as a server, with bounded memory and two threads, one that receives and one that
 * decrypts and encrypts; messages are handed to the event loop. A device that can have a connection
 * ID (RFC 9146) has one, so its address may change within a session. Sessions are not resumed: a
 * device that was revoked must not come back by one.
 */
public final class DtlsConnector extends DTLSConnector {

  /** Of a device, in what Scandium says of a peer. */
  private static final String IDENTITY = "device";

  /** Beyond it those silent for longest make room, if they are silent for long. */
  private static final int MAX_CONNECTIONS = HeapBudget.SESSIONS;

  private static final int SILENT_MINUTES = 5;

  /** A handshake that is not answered is given up after 15 s: 1 + 2 + 4 + 8. */
  private static final int HANDSHAKE_TIMEOUT_SECONDS = 1;

  private static final int HANDSHAKE_RETRANSMISSIONS = 3;

  /** Of 1,000 devices, each would be mistaken for another once in 280 million attempts. */
  private static final int CONNECTION_ID_BYTES = 6;

  /** Jobs of Scandium's besides those for what comes; what is more is dropped. */
  private static final int MAX_WAITING = 1_024;

  /**
   * Records that are being worked on, and messages that the event loop has yet to take. Meanwhile
   * datagrams wait in the socket, whose places addresses share: else whoever sends without end
   * would have all that may wait, and nobody else would be heard.
   */
  private static final int MAX_AT_WORK = 64;

  /** As by UDP; longer ones are ignored. */
  private static final int MAX_MESSAGE_BYTES = 2_048;

  private static final long LOOP_SECONDS = 10;

  /** IPv6's minimum MTU, less the headers of IP and UDP. */
  private static final int MAX_DATAGRAM_BYTES = 1_232;

  /** Of a certificate chain with some spare. */
  private static final int MAX_HANDSHAKE_MESSAGE_BYTES = 4_096;

  private static final List<CipherSuite> WITH_KEY =
      List.of(
          CipherSuite.TLS_ECDHE_PSK_WITH_AES_128_GCM_SHA256,
          CipherSuite.TLS_ECDHE_PSK_WITH_AES_128_CCM_8_SHA256,
          CipherSuite.TLS_PSK_WITH_AES_128_GCM_SHA256,
          CipherSuite.TLS_PSK_WITH_AES_128_CCM,
          CipherSuite.TLS_PSK_WITH_AES_128_CCM_8);

  private static final List<CipherSuite> WITH_CERTIFICATE =
      List.of(
          CipherSuite.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
          CipherSuite.TLS_ECDHE_ECDSA_WITH_AES_128_CCM,
          CipherSuite.TLS_ECDHE_ECDSA_WITH_AES_128_CCM_8);

  /** Opens what datagrams come and go by. */
  @FunctionalInterface
  public interface Sockets {

    /**
     * @throws IOException if the address cannot be bound
     */
    DatagramSocket open(EventLoop loop, InetSocketAddress address) throws IOException;
  }

  private final EventLoop loop;
  private final Sockets sockets;
  private final ResumptionSupportingConnectionStore connections;
  private final CurrentDevices devices;
  private final Semaphore records = new Semaphore(MAX_AT_WORK);
  private final Semaphore messages = new Semaphore(MAX_AT_WORK);

  /**
   * @param credentials the gateway's own; without them devices with certificates cannot connect
   */
  public DtlsConnector(
      EventLoop loop,
      Sockets sockets,
      InetSocketAddress address,
      Optional<Credentials> credentials,
      CurrentDevices devices) {
    this(loop, sockets, settings(address, credentials, devices), devices);
  }

  private DtlsConnector(
      EventLoop loop, Sockets sockets, DtlsConnectorConfig settings, CurrentDevices devices) {
    this(
        loop,
        sockets,
        settings,
        new BoundedHandshakes(
            MAX_CONNECTIONS,
            TimeUnit.MINUTES.toSeconds(SILENT_MINUTES),
            settings.get(DtlsConfig.DTLS_REMOVE_STALE_DOUBLE_PRINCIPALS)),
        devices);
  }

  private DtlsConnector(
      EventLoop loop,
      Sockets sockets,
      DtlsConnectorConfig settings,
      ResumptionSupportingConnectionStore connections,
      CurrentDevices devices) {
    super(settings, connections);
    this.loop = loop;
    this.sockets = sockets;
    this.connections = connections;
    this.devices = devices;
  }

  private static DtlsConnectorConfig settings(
      InetSocketAddress address, Optional<Credentials> credentials, CurrentDevices devices) {
    DtlsConfig.register();
    List<CipherSuite> suites = new ArrayList<>(WITH_KEY);
    if (credentials.isPresent()) {
      suites.addAll(0, WITH_CERTIFICATE);
    }
    Configuration settings =
        Configuration.createStandardWithoutFile()
            .set(DtlsConfig.DTLS_ROLE, DtlsRole.SERVER_ONLY)
            .set(DtlsConfig.DTLS_RECEIVER_THREAD_COUNT, 1)
            .set(DtlsConfig.DTLS_CONNECTOR_THREAD_COUNT, 1)
            .set(DtlsConfig.DTLS_MAX_CONNECTIONS, MAX_CONNECTIONS)
            .set(DtlsConfig.DTLS_STALE_CONNECTION_THRESHOLD, SILENT_MINUTES, TimeUnit.MINUTES)
            .set(DtlsConfig.DTLS_MAX_PENDING_INBOUND_JOBS, MAX_WAITING)
            .set(DtlsConfig.DTLS_MAX_PENDING_OUTBOUND_JOBS, MAX_WAITING)
            .set(DtlsConfig.DTLS_MAX_PENDING_HANDSHAKE_RESULT_JOBS, MAX_WAITING)
            .set(DtlsConfig.DTLS_MAX_TRANSMISSION_UNIT_LIMIT, MAX_DATAGRAM_BYTES)
            .set(
                DtlsConfig.DTLS_MAX_FRAGMENTED_HANDSHAKE_MESSAGE_LENGTH,
                MAX_HANDSHAKE_MESSAGE_BYTES)
            .set(
                DtlsConfig.DTLS_RETRANSMISSION_TIMEOUT, HANDSHAKE_TIMEOUT_SECONDS, TimeUnit.SECONDS)
            .set(DtlsConfig.DTLS_MAX_RETRANSMISSIONS, HANDSHAKE_RETRANSMISSIONS)
            .set(DtlsConfig.DTLS_CONNECTION_ID_LENGTH, CONNECTION_ID_BYTES)
            .set(DtlsConfig.DTLS_SERVER_USE_SESSION_ID, false)
            .set(DtlsConfig.DTLS_CLIENT_AUTHENTICATION_MODE, CertificateAuthenticationMode.NEEDED)
            // CCM_8, which RFC 7252 (9.1.3) makes mandatory, is not among those recommended now.
            .set(DtlsConfig.DTLS_RECOMMENDED_CIPHER_SUITES_ONLY, false)
            .set(DtlsConfig.DTLS_CIPHER_SUITES, suites);
    DeviceAuthentication authentication = new DeviceAuthentication(devices);
    DtlsConnectorConfig.Builder builder =
        DtlsConnectorConfig.builder(settings)
            .setAddress(address)
            .setAdvancedPskStore(authentication)
            .setAdvancedCertificateVerifier(authentication)
            .setApplicationLevelInfoSupplier(
                (principal, identity) -> AdditionalInfo.from(Map.of(IDENTITY, identity)));
    credentials.ifPresent(
        own ->
            builder.setCertificateIdentityProvider(
                new SingleCertificateProvider(
                    own.getPrivateKey(), own.getCertificateChain(), CertificateType.X_509)));
    return builder.build();
  }

  /** Who a peer has proved to be; empty for one that is not known by DTLS. */
  public static Optional<DeviceIdentity> identity(Principal peer) {
    return peer instanceof ExtensiblePrincipal<?> principal
        ? Optional.ofNullable(principal.getExtendedInfo().get(IDENTITY, DeviceIdentity.class))
        : Optional.empty();
  }

  @Override
  protected void start(InetSocketAddress address) throws IOException {
    if (!isRunning()) {
      init(address, sockets.open(loop, address), null);
    }
  }

  /** A hello is never thrown away for the name that it has for the gateway. */
  @Override
  protected void processRecords(
      List<Record> records, InetSocketAddress peer, InetSocketAddress router) {
    boolean hello = records.size() == 1 && records.getFirst().isNewClientHello();
    super.processRecords(
        hello ? List.of(NamelessHello.readable(records.getFirst())) : records, peer, router);
  }

  /** Not before there is room for it: this is the thread that receives. */
  @Override
  protected boolean executeInbound(Executor executor, InetSocketAddress peer, LimitedRunnable job) {
    try {
      records.acquire();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return false;
    }
    boolean begun =
        super.executeInbound(task -> executor.execute(() -> runAndRelease(task)), peer, job);
    if (!begun) {
      records.release();
    }
    return begun;
  }

  private void runAndRelease(Runnable job) {
    try {
      job.run();
    } finally {
      records.release();
    }
  }

  /** Messages go on on the event loop, as fast as it takes them. */
  @Override
  public void setRawDataReceiver(RawDataChannel receiver) {
    super.setRawDataReceiver(
        message -> {
          if (message.getSize() <= MAX_MESSAGE_BYTES && mayGoOn()) {
            loop.execute(
                () -> {
                  messages.release();
                  receiver.receiveData(message);
                });
          }
        });
  }

  /** On the thread that decrypts, for which the loop never waits. */
  private boolean mayGoOn() {
    try {
      return messages.tryAcquire(LOOP_SECONDS, TimeUnit.SECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return false;
    }
  }

  /**
   * An answer goes to where the device is by now, not to where it was when it asked: Scandium knows
   * a session by its address only, when it sends.
   */
  @Override
  public void send(RawData message) {
    EndpointContext asked = message.getEndpointContext();
    Bytes id = asked.get(DtlsEndpointContext.KEY_READ_CONNECTION_ID);
    Connection connection = id == null ? null : connections.get(new ConnectionId(id.getBytes()));
    InetSocketAddress now = connection == null ? null : connection.getPeerAddress();
    if (now == null || now.equals(asked.getPeerAddress())) {
      super.send(message);
      return;
    }
    Attributes session =
        new Attributes()
            .add(
                DtlsEndpointContext.KEY_HANDSHAKE_TIMESTAMP,
                asked.get(DtlsEndpointContext.KEY_HANDSHAKE_TIMESTAMP));
    super.send(
        RawData.outbound(
            message.getBytes(),
            new DtlsEndpointContext(now, null, asked.getPeerIdentity(), session),
            new Forwarded(message),
            false));
  }

  /** Tells the sender of a message what becomes of the one in its place. */
  private record Forwarded(RawData message) implements MessageCallback {

    @Override
    public void onConnecting() {
      message.onConnecting();
    }

    @Override
    public void onDtlsRetransmission(int flight) {
      message.onDtlsRetransmission(flight);
    }

    @Override
    public void onContextEstablished(EndpointContext context) {
      message.onContextEstablished(context);
    }

    @Override
    public void onSent() {
      message.onSent();
    }

    @Override
    public void onError(Throwable error) {
      message.onError(error);
    }
  }

  /** Ends the sessions of devices that are not registered any more, and tells them so. */
  public void closeRevoked() {
    Filter<Connection> each =
        connection -> {
          closeIfRevoked(connection);
          return false; // go on
        };
    startForEach(each);
  }

  /** In the connection's own order of things. */
  private void closeIfRevoked(Connection connection) {
    if (connection.hasEstablishedDtlsContext()
        && identity(connection.getSession().getPeerIdentity())
            .filter(devices::isCurrent)
            .isEmpty()) {
      close(connection.getPeerAddress());
      connection.getExecutor().execute(() -> connections.remove(connection, true));
    }
  }
}
