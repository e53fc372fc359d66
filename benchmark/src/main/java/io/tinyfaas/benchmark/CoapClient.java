package io.tinyfaas.benchmark;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.PortUnreachableException;
import java.net.URI;
import java.nio.ByteBuffer;
import java.nio.channels.DatagramChannel;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.util.OptionalInt;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.AtomicIntegerArray;

/** One client of a closed loop: a socket and at most one request under way. Of one thread. */
final class CoapClient implements AutoCloseable {

  /**
   * The last message ID by local port. The engine hands ports out again, and a server that
   * remembers a port's message ID would answer the old request (RFC 7252, 4.5).
   */
  private static final AtomicIntegerArray LAST_ID = new AtomicIntegerArray(65_536);

  static {
    for (int port = 0; port < LAST_ID.length(); port++) {
      LAST_ID.set(port, ThreadLocalRandom.current().nextInt(65_536));
    }
  }

  /** What a received datagram meant to this client. */
  enum Received {
    /** Nothing: an empty ACK, a late answer, somebody else's, a block that is not the last. */
    NOTHING,
    /** A 2.05 to the request under way, or the whole payload back, or that it was accepted. */
    CONTENT,
    /** Another code to it, or a reset. */
    OTHER
  }

  private final DatagramChannel channel;
  private final boolean calls;

  /** Null where operations are a GET. */
  private final BlockTransfer transfer;

  private ByteBuffer request;
  private final ByteBuffer acknowledgement = ByteBuffer.allocateDirect(4);
  private final int localPort;
  private int remaining;
  private long token = ThreadLocalRandom.current().nextLong();
  private short id;
  private boolean waiting;
  private long sentAt;
  private long messageSentAt;
  private int retransmissions;

  CoapClient(URI target, Load.Rules rules, int operations, Selector selector) throws IOException {
    calls = rules.calls();
    OptionalInt payload = rules.payload();
    channel = DatagramChannel.open();
    try {
      int port = target.getPort() < 0 ? 5683 : target.getPort();
      channel.connect(new InetSocketAddress(target.getHost(), port));
      channel.configureBlocking(false);
      channel.register(selector, SelectionKey.OP_READ, this);
      localPort = ((InetSocketAddress) channel.getLocalAddress()).getPort();
    } catch (IOException | RuntimeException e) {
      channel.close();
      throw e;
    }
    transfer = payload.isPresent() ? new BlockTransfer(target, payload.getAsInt()) : null;
    request = CoapMessage.get(target);
    remaining = operations;
  }

  /**
   * Sends the next request. What comes for the one before is not looked at any more.
   *
   * @return whether there was one left to send
   */
  boolean send(long now) throws IOException {
    waiting = remaining > 0;
    if (waiting) {
      remaining--;
      sentAt = now;
      if (transfer != null) {
        request = transfer.begin();
      }
      sendMessage(now);
    }
    return waiting;
  }

  private void sendMessage(long now) throws IOException {
    token++;
    id = (short) LAST_ID.incrementAndGet(localPort);
    request.putShort(2, id).putLong(4, token);
    messageSentAt = now;
    retransmissions = 0;
    write(request.rewind());
  }

  /** The same message again, each time after twice as long a wait (RFC 7252, 4.2). */
  void retransmitIfDue(long now, long first) throws IOException {
    if (now - messageSentAt >= (first << retransmissions + 1) - first) {
      retransmissions++;
      write(request.rewind());
    }
  }

  /** Reads one datagram, if there is one. */
  Received receive(ByteBuffer datagram) throws IOException {
    datagram.clear();
    try {
      if (channel.read(datagram) <= 0) {
        return Received.NOTHING;
      }
    } catch (PortUnreachableException e) {
      // As if no answer came: the operation ends by its timeout, at the pace of the paper's
      // clients.
      return Received.NOTHING;
    }
    datagram.flip();
    if (!CoapMessage.isWellFormed(datagram)) {
      return Received.NOTHING;
    }
    int type = CoapMessage.type(datagram);
    if (type == CoapMessage.CON) {
      write(CoapMessage.empty(acknowledgement, CoapMessage.ACK, CoapMessage.id(datagram)));
    }
    if (!waiting) {
      return Received.NOTHING;
    }
    if (type == CoapMessage.RST && CoapMessage.id(datagram) == id) {
      return Received.OTHER;
    }
    if (CoapMessage.code(datagram) == CoapMessage.EMPTY
        || !CoapMessage.hasToken(datagram, token)
        || type == CoapMessage.ACK && CoapMessage.id(datagram) != id) {
      return Received.NOTHING;
    }
    if (calls && CoapMessage.code(datagram) == CoapMessage.CREATED) {
      return Received.CONTENT;
    }
    if (transfer != null) {
      ByteBuffer next = transfer.next(datagram);
      if (next == null) {
        return transfer.isComplete() ? Received.CONTENT : Received.OTHER;
      }
      request = next;
      sendMessage(System.nanoTime());
      return Received.NOTHING;
    }
    boolean content =
        CoapMessage.code(datagram) == CoapMessage.CONTENT && CoapMessage.seekPayload(datagram);
    return content ? Received.CONTENT : Received.OTHER;
  }

  private void write(ByteBuffer message) throws IOException {
    try {
      channel.write(message);
    } catch (PortUnreachableException e) {
      // The error of an earlier datagram, told at this one: as above.
    }
  }

  boolean isWaiting() {
    return waiting;
  }

  /** When the request under way was first sent, by {@link System#nanoTime}. */
  long sentAt() {
    return sentAt;
  }

  @Override
  public void close() throws IOException {
    channel.close();
  }
}
