package io.tinyfaas.endtoend;

import java.io.IOException;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.SocketTimeoutException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Arrays;
import java.util.Optional;
import java.util.concurrent.ThreadLocalRandom;

/**
 * As small a CoAP client as can be: one request at a time, confirmable, retransmitted (RFC 7252,
 * 4.2), its response matched by token. Small enough for many of them beside the system they load.
 */
final class RawDevice implements AutoCloseable {

  private static final int CON = 0;
  private static final int ACK = 2;
  private static final int RST = 3;
  private static final int GET = 1;
  private static final int URI_PATH = 11;
  private static final int TOKEN_LENGTH = 4;
  private static final long ACK_TIMEOUT_NANOS = Duration.ofSeconds(2).toNanos();

  private final DatagramSocket socket;
  private final byte[] received = new byte[2_048];
  private int messageId = ThreadLocalRandom.current().nextInt(0x10000);
  private int token = ThreadLocalRandom.current().nextInt();

  RawDevice(int port) throws IOException {
    socket = new DatagramSocket();
    socket.connect(InetAddress.ofLiteral("127.0.0.1"), port);
  }

  /**
   * @param code such as {@code 2.05}
   */
  record Answer(String code, String text) {}

  /**
   * @param atMost for the answer, retransmissions included
   * @return empty if none came
   * @throws IOException if the gateway's port is closed
   */
  Optional<Answer> get(String segment, Duration atMost) throws IOException {
    messageId = messageId + 1 & 0xffff;
    token++;
    byte[] request = request(segment);
    long now = System.nanoTime();
    long end = now + atMost.toNanos();
    long timeout = Math.round(ACK_TIMEOUT_NANOS * ThreadLocalRandom.current().nextDouble(1.0, 1.5));
    long retransmission = now + timeout;
    boolean acknowledged = false;
    send(request);
    while (now - end < 0) {
      long wait = acknowledged ? end - now : Math.min(end, retransmission) - now;
      ByteBuffer message = receive(wait);
      now = System.nanoTime();
      if (message == null) {
        if (!acknowledged && now - retransmission >= 0) {
          send(request);
          timeout *= 2;
          retransmission = now + timeout;
        }
        continue;
      }
      int first = message.get();
      int type = first >> 4 & 3;
      int code = message.get() & 0xff;
      int id = message.getShort() & 0xffff;
      if (type == CON) {
        send(new byte[] {(byte) (1 << 6 | ACK << 4), 0, (byte) (id >> 8), (byte) id});
      }
      if (code == 0 && id == messageId) {
        if (type == RST) {
          return Optional.of(new Answer("reset", ""));
        }
        acknowledged = true;
      } else if (code != 0 && (first & 15) == TOKEN_LENGTH && message.getInt() == token) {
        return Optional.of(new Answer((code >> 5) + ".0" + (code & 31), payload(message)));
      }
    }
    return Optional.empty();
  }

  private byte[] request(String segment) {
    byte[] path = segment.getBytes(StandardCharsets.UTF_8);
    if (path.length > 12) {
      throw new IllegalArgumentException("short names only: " + segment);
    }
    return ByteBuffer.allocate(4 + TOKEN_LENGTH + 1 + path.length)
        .put((byte) (1 << 6 | CON << 4 | TOKEN_LENGTH))
        .put((byte) GET)
        .putShort((short) messageId)
        .putInt(token)
        .put((byte) (URI_PATH << 4 | path.length))
        .put(path)
        .array();
  }

  private void send(byte[] message) throws IOException {
    socket.send(new DatagramPacket(message, message.length));
  }

  private ByteBuffer receive(long nanos) throws IOException {
    socket.setSoTimeout((int) Math.max(1, nanos / 1_000_000));
    DatagramPacket packet = new DatagramPacket(received, received.length);
    try {
      socket.receive(packet);
      return packet.getLength() < 4 ? null : ByteBuffer.wrap(received, 0, packet.getLength());
    } catch (SocketTimeoutException e) {
      return null;
    }
  }

  /** What follows the marker after the options (RFC 7252, 3.1). */
  private static String payload(ByteBuffer rest) {
    while (rest.hasRemaining()) {
      int option = rest.get() & 0xff;
      if (option == 0xff) {
        byte[] bytes = Arrays.copyOfRange(rest.array(), rest.position(), rest.limit());
        return new String(bytes, StandardCharsets.UTF_8);
      }
      extended(option >> 4, rest);
      int length = extended(option & 15, rest);
      rest.position(rest.position() + length);
    }
    return "";
  }

  private static int extended(int nibble, ByteBuffer rest) {
    return switch (nibble) {
      case 13 -> 13 + (rest.get() & 0xff);
      case 14 -> 269 + (rest.getShort() & 0xffff);
      default -> nibble;
    };
  }

  @Override
  public void close() {
    socket.close();
  }
}
