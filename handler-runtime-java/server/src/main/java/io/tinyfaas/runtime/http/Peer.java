package io.tinyfaas.runtime.http;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.util.Arrays;

/**
 * The other end of a connection. What is written is held back, to go out together with the answers
 * to further requests that are here already, until there is much of it, the connection would wait
 * for its peer, or it has been held for long: a call may block, and those before it are answered.
 *
 * <p>Channels have no timeouts of their own, so each wait within a request is noted here, for
 * {@link HttpServer} to end one that lasts too long by closing the channel.
 */
final class Peer {

  /**
   * In bytes: the JDK copies a heap buffer into a direct one as large as the rest of it, and keeps
   * that.
   */
  private static final int MAX_SLICE = 64 * 1024;

  /** In bytes; larger writes are not held. */
  private static final int MAX_HELD = 16 * 1024;

  private static final byte[] NOTHING = new byte[0];

  private final SocketChannel channel;

  private byte[] held = NOTHING;
  private int heldLength;

  /**
   * {@link System#nanoTime} when the first byte that is held was written; 0 while there is none.
   */
  private volatile long heldSince;

  /** {@link System#nanoTime} of the wait's begin; 0 while there is none. */
  private volatile long waitingSince;

  Peer(SocketChannel channel) {
    this.channel = channel;
  }

  /** Waits for the next request, without limit: connections are kept. */
  int readIdle(ByteBuffer into) throws IOException {
    return channel.read(into);
  }

  /**
   * @return bytes read, at least 1, or -1 when the peer has ended its side
   */
  int read(byte[] into, int offset, int length) throws IOException {
    flush();
    waitingSince = System.nanoTime() | 1;
    int count = channel.read(ByteBuffer.wrap(into, offset, Math.min(length, MAX_SLICE)));
    waitingSince = 0;
    return count;
  }

  synchronized void write(byte[] from, int length) throws IOException {
    if (heldLength + length > MAX_HELD) {
      flush();
    }
    if (length > MAX_HELD) {
      send(from, length);
      return;
    }
    if (heldLength + length > held.length) {
      int doubled = Math.max(heldLength + length, 2 * held.length);
      held = Arrays.copyOf(held, Math.min(doubled, MAX_HELD));
    }
    if (heldLength == 0) {
      heldSince = System.nanoTime() | 1;
    }
    System.arraycopy(from, 0, held, heldLength, length);
    heldLength += length;
  }

  /** Both in one system call, as far as they go. */
  synchronized void write(byte[] head, int headLength, byte[] body) throws IOException {
    flush();
    ByteBuffer[] both = {ByteBuffer.wrap(head, 0, headLength), ByteBuffer.wrap(body)};
    while (both[1].position() < body.length) {
      both[1].limit(Math.min(body.length, both[1].position() + MAX_SLICE));
      waitingSince = System.nanoTime() | 1;
      channel.write(both);
    }
    waitingSince = 0;
  }

  /** Called by any thread. */
  synchronized void flush() throws IOException {
    if (heldLength > 0) {
      heldSince = 0;
      send(held, heldLength);
      heldLength = 0;
    }
  }

  private void send(byte[] from, int length) throws IOException {
    ByteBuffer buffer = ByteBuffer.wrap(from, 0, length);
    waitingSince = System.nanoTime() | 1;
    while (buffer.hasRemaining()) {
      channel.write(buffer);
    }
    waitingSince = 0;
  }

  /** Called by any thread. Whether anything written has been held back for so long. */
  boolean hasHeldFor(long nanos) {
    long since = heldSince;
    return since != 0 && System.nanoTime() - since > nanos;
  }

  /** Whether anything written is held back. */
  boolean isHolding() {
    return heldSince != 0;
  }

  /** Tells the peer that no more answers come, and lets it finish sending what is not read. */
  void endAnswers() throws IOException {
    flush();
    channel.shutdownOutput();
  }

  boolean hasWaitedFor(long nanos) {
    long since = waitingSince;
    return since != 0 && System.nanoTime() - since > nanos;
  }

  void close() {
    try {
      channel.close();
    } catch (IOException e) {
      // It is closed all the same.
    }
  }
}
