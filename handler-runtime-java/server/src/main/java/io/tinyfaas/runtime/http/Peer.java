package io.tinyfaas.runtime.http;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;

/**
 * The other end of a connection. Channels have no timeouts of their own, so each wait within a
 * request is noted here, for {@link HttpServer} to end one that lasts too long by closing the
 * channel.
 */
final class Peer {

  /**
   * In bytes: the JDK copies a heap buffer into a direct one as large as the rest of it, and keeps
   * that.
   */
  private static final int MAX_SLICE = 64 * 1024;

  private final SocketChannel channel;

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
    waitingSince = System.nanoTime() | 1;
    int count = channel.read(ByteBuffer.wrap(into, offset, Math.min(length, MAX_SLICE)));
    waitingSince = 0;
    return count;
  }

  void write(byte[] from, int length) throws IOException {
    ByteBuffer buffer = ByteBuffer.wrap(from, 0, length);
    waitingSince = System.nanoTime() | 1;
    while (buffer.hasRemaining()) {
      channel.write(buffer);
    }
    waitingSince = 0;
  }

  /** Both in one system call, as far as they go. */
  void write(byte[] head, int headLength, byte[] body) throws IOException {
    ByteBuffer[] both = {ByteBuffer.wrap(head, 0, headLength), ByteBuffer.wrap(body)};
    while (both[1].position() < body.length) {
      both[1].limit(Math.min(body.length, both[1].position() + MAX_SLICE));
      waitingSince = System.nanoTime() | 1;
      channel.write(both);
    }
    waitingSince = 0;
  }

  /** Tells the peer that no more answers come, and lets it finish sending what is not read. */
  void endAnswers() throws IOException {
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
