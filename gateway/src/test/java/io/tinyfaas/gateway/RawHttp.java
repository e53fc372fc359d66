package io.tinyfaas.gateway;

import io.tinyfaas.harness.Eventually;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Proxy;
import java.net.Socket;
import java.net.SocketException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;

/** A connection on which a test writes what no client would. */
final class RawHttp implements AutoCloseable {

  private static final int PATIENCE_MILLIS =
      (int) Eventually.patient(Duration.ofSeconds(30)).toMillis();

  /** Little, so that the kernel does not take an answer for a test that does not read. */
  private static final int RECEIVE_BYTES = 8 * 1024;

  private final Socket socket;

  RawHttp(int port) throws IOException {
    this(InetAddress.ofLiteral("127.0.0.1"), port);
  }

  RawHttp(InetAddress gateway, int port) throws IOException {
    // Without asking for a proxy, of which Java makes a URI: one fails for an interface with a
    // hyphen.
    socket = new Socket(Proxy.NO_PROXY);
    socket.setReceiveBufferSize(RECEIVE_BYTES);
    socket.connect(new InetSocketAddress(gateway, port), PATIENCE_MILLIS);
    socket.setSoTimeout(PATIENCE_MILLIS);
  }

  RawHttp send(String text) throws IOException {
    return send(text.getBytes(StandardCharsets.UTF_8));
  }

  RawHttp send(byte[] bytes) throws IOException {
    socket.getOutputStream().write(bytes);
    socket.getOutputStream().flush();
    return this;
  }

  /**
   * As much of it as the gateway takes: it may refuse it before, and close the connection. Its
   * answer can be read even then.
   */
  RawHttp offer(byte[] bytes) throws IOException {
    try {
      send(bytes);
    } catch (SocketException e) {
      // refused
    }
    return this;
  }

  RawHttp offer(String text) throws IOException {
    return offer(text.getBytes(StandardCharsets.UTF_8));
  }

  /** That nothing more is sent; what comes can still be read. */
  RawHttp shutdown() throws IOException {
    socket.shutdownOutput();
    return this;
  }

  /** Until the gateway closes the connection. */
  String readAll() throws IOException {
    ByteArrayOutputStream all = new ByteArrayOutputStream();
    try {
      socket.getInputStream().transferTo(all);
    } catch (SocketException e) {
      // closed while this side was still sending
    }
    return all.toString(StandardCharsets.UTF_8);
  }

  String readLine() throws IOException {
    InputStream in = socket.getInputStream();
    StringBuilder line = new StringBuilder();
    for (int c = in.read(); c >= 0 && c != '\n'; c = in.read()) {
      line.append((char) c);
    }
    return line.toString().strip();
  }

  /** So many characters of one byte. */
  String read(int length) throws IOException {
    return new String(socket.getInputStream().readNBytes(length), StandardCharsets.UTF_8);
  }

  @Override
  public void close() throws IOException {
    socket.close();
  }
}
