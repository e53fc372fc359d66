package io.tinyfaas.harness.flood;

import java.io.Closeable;
import java.io.IOException;
import java.net.ConnectException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Proxy;
import java.net.Socket;
import java.util.concurrent.atomic.AtomicBoolean;

/** One of the many of a flood. */
final class FloodClient {

  private static final int CONNECT_MILLIS = 30_000;

  /** Little, so that the kernel does not take answers for a client that does not read. */
  private static final int RECEIVE_BYTES = 8 * 1024;

  private final RunningFlood flood;
  private final int number;
  private final InetAddress from;
  private final InetSocketAddress to;
  private final int again;
  private final AtomicBoolean sent = new AtomicBoolean();

  /**
   * @param again in milliseconds; negative if it does not
   */
  FloodClient(RunningFlood flood, int number, InetAddress from, InetSocketAddress to, int again) {
    this.flood = flood;
    this.number = number;
    this.from = from;
    this.to = to;
    this.again = again;
  }

  int number() {
    return number;
  }

  /** With its number in place of each #. */
  String numbered(String text) {
    return text.replace("#", Integer.toString(number));
  }

  InetAddress from() {
    return from;
  }

  InetSocketAddress to() {
    return to;
  }

  Socket connect() throws IOException {
    Socket socket = flood.hold(new Socket(Proxy.NO_PROXY));
    try {
      socket.setReceiveBufferSize(RECEIVE_BYTES);
      socket.bind(new InetSocketAddress(from, 0));
      socket.connect(to, CONNECT_MILLIS);
      return socket;
    } catch (IOException e) {
      release(socket);
      throw e;
    }
  }

  /** Closed when the flood ends, should it still be open. */
  <C extends Closeable> C hold(C connection) throws IOException {
    return flood.hold(connection);
  }

  void release(Closeable connection) throws IOException {
    flood.release(connection);
  }

  /** All that it sends at first. */
  void sent() {
    if (sent.compareAndSet(false, true)) {
      flood.sent();
    }
  }

  void tell(String outcome) {
    flood.tell(outcome);
  }

  void closed(IOException reason) {
    if (!flood.isOver()) {
      flood.tell(reason instanceof ConnectException ? "refused" : "closed");
    }
  }

  /** Whether it does, when the pause before is over. */
  boolean comesAgain() {
    return again >= 0 && !flood.awaitEnd(again);
  }

  boolean isOver() {
    return flood.isOver();
  }

  /** Ends early if the flood does. */
  void pause(int millis) {
    flood.awaitEnd(millis);
  }

  void awaitEnd() {
    flood.awaitEnd(Integer.MAX_VALUE);
  }
}
