package io.tinyfaas.gateway.ingress.mqtt;

import io.netty.channel.Channel;
import io.netty.handler.ssl.ClientAuth;
import io.netty.handler.ssl.SslContext;
import io.netty.handler.ssl.SslContextBuilder;
import io.netty.handler.ssl.SslHandler;
import io.netty.handler.ssl.SslProvider;
import io.tinyfaas.gateway.device.DeviceIdentity;
import java.io.IOException;
import java.io.InputStream;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.cert.Certificate;
import java.security.cert.CertificateException;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.util.Arrays;
import java.util.Optional;
import java.util.concurrent.Executor;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLPeerUnverifiedException;
import javax.net.ssl.X509ExtendedTrustManager;

/**
 * TLS 1.2 and 1.3 with the gateway's certificate. A device may show one of its own: of one that is
 * not registered the handshake fails.
 */
final class DeviceTls {

  /** How long the thread waits for another handshake. */
  private static final long IDLE_SECONDS = 10;

  private static final int CACHED_SESSIONS = 256;
  private static final long SESSION_SECONDS = 300;

  private final SslContext context;
  private final CertifiedDevices devices;

  /**
   * What handshakes compute takes milliseconds: not the event loop's. It has as many tasks at once
   * as there are connections that have not logged in.
   */
  private final Executor handshakes;

  /**
   * @param pem with the private key and the certificate
   * @throws IOException if it cannot be read, or has something else
   */
  DeviceTls(Path pem, CertifiedDevices devices) throws IOException {
    this.devices = devices;
    try (InputStream certificate = Files.newInputStream(pem);
        InputStream key = Files.newInputStream(pem)) {
      context =
          SslContextBuilder.forServer(certificate, key)
              .sslProvider(SslProvider.JDK)
              .protocols("TLSv1.3", "TLSv1.2")
              .clientAuth(ClientAuth.OPTIONAL)
              .trustManager(new Registered())
              .sessionCacheSize(CACHED_SESSIONS)
              .sessionTimeout(SESSION_SECONDS)
              .build();
    } catch (IllegalArgumentException e) {
      throw new IOException(e.getMessage(), e);
    }
    ThreadPoolExecutor one =
        new ThreadPoolExecutor(
            1,
            1,
            IDLE_SECONDS,
            TimeUnit.SECONDS,
            new LinkedBlockingQueue<>(),
            task -> {
              Thread thread = new Thread(task, "mqtts-handshakes");
              thread.setDaemon(true);
              return thread;
            });
    one.allowCoreThreadTimeOut(true);
    handshakes = one;
  }

  SslHandler handler(Channel connection, Duration timeout) {
    SslHandler handler = context.newHandler(connection.alloc(), handshakes);
    handler.setHandshakeTimeoutMillis(timeout.toMillis());
    return handler;
  }

  /** Whom the certificate of a connection names that has ended its handshake. */
  Optional<DeviceIdentity> identity(Channel connection) {
    try {
      Certificate[] chain =
          connection.pipeline().get(SslHandler.class).engine().getSession().getPeerCertificates();
      return devices.identity(Arrays.copyOf(chain, chain.length, X509Certificate[].class));
    } catch (SSLPeerUnverifiedException none) {
      return Optional.empty();
    }
  }

  /** Who is registered, on the thread of handshakes. */
  private final class Registered extends X509ExtendedTrustManager {

    private void check(X509Certificate[] chain) throws CertificateException {
      if (devices.identity(chain).isEmpty()) {
        throw new CertificateException("no such device");
      }
    }

    @Override
    public void checkClientTrusted(X509Certificate[] chain, String type, SSLEngine engine)
        throws CertificateException {
      check(chain);
    }

    @Override
    public void checkClientTrusted(X509Certificate[] chain, String type, Socket socket)
        throws CertificateException {
      check(chain);
    }

    @Override
    public void checkClientTrusted(X509Certificate[] chain, String type)
        throws CertificateException {
      check(chain);
    }

    @Override
    public void checkServerTrusted(X509Certificate[] chain, String type, SSLEngine engine)
        throws CertificateException {
      throw new CertificateException("the gateway is no client");
    }

    @Override
    public void checkServerTrusted(X509Certificate[] chain, String type, Socket socket)
        throws CertificateException {
      throw new CertificateException("the gateway is no client");
    }

    @Override
    public void checkServerTrusted(X509Certificate[] chain, String type)
        throws CertificateException {
      throw new CertificateException("the gateway is no client");
    }

    /** None: whoever issued it, a certificate may be registered itself. */
    @Override
    public X509Certificate[] getAcceptedIssuers() {
      return new X509Certificate[0];
    }
  }
}
