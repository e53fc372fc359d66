package io.tinyfaas.harness.flood;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.net.DatagramSocket;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.Optional;

/**
 * DTLS. Of handshakes that prove their address and go no further, outcomes are {@code begun} and
 * {@code unproved} where another proof was asked for; of sessions {@code unheard}, and the codes of
 * answers. Both may come to {@code none}.
 */
public final class DtlsFlood extends Flood<DtlsFlood> {

  /** RFC 7252, 4.8; and so many as are without purpose in a flood. */
  private static final int ACK_TIMEOUT_MILLIS = 2_000;

  private static final int TRANSMISSIONS = 3;

  /** An acknowledgement of a message that nobody has sent. */
  private static final byte[] NOTHING = {0x60, 0, 0, 0};

  private String names = "";
  private String key = "";
  private String path = "f";
  private int data;

  DtlsFlood() {}

  @Override
  DtlsFlood self() {
    return this;
  }

  /**
   * Whole ones, in which a function is asked.
   *
   * @param names of devices: with the client's number behind it
   */
  public DtlsFlood sessions(String names, String key) {
    this.names = names;
    this.key = key;
    return this;
  }

  /** The function that is asked: one segment of up to 12 letters. */
  public DtlsFlood path(String path) {
    this.path = path;
    return this;
  }

  /** Messages of so many bytes that ask for no answer, without end and one after the other. */
  public DtlsFlood data(int bytes) {
    data = bytes;
    return this;
  }

  @Override
  void attack(FloodClient client) throws IOException {
    if (names.isEmpty()) {
      begin(client);
    } else {
      ask(client);
    }
  }

  private static void begin(FloodClient client) throws IOException {
    do {
      try (HalfHandshake handshake = new HalfHandshake(client.from(), client.to(), new byte[0])) {
        client.tell(handshake.isAnswered() ? "begun" : "unproved");
      } catch (IllegalStateException e) {
        client.tell("none");
      }
      client.sent();
    } while (client.comesAgain());
  }

  private void ask(FloodClient client) throws IOException {
    DatagramSocket socket =
        client.hold(new DatagramSocket(new InetSocketAddress(client.from(), 0)));
    try {
      socket.connect(client.to());
      PskSession session = new PskSession(socket);
      if (!session.open(names + client.number(), key)) {
        client.tell("unheard");
        return;
      }
      int mid = 0;
      client.sent();
      while (data > 0 && !client.isOver()) {
        session.send(Arrays.copyOf(NOTHING, data));
        client.pause(1);
      }
      do {
        client.tell(answer(session, request(++mid)));
        client.sent();
      } while (client.comesAgain());
    } finally {
      client.release(socket);
    }
  }

  /** Sent again until there is one. */
  private static String answer(PskSession session, byte[] request) throws IOException {
    for (int sent = 0; sent < TRANSMISSIONS; sent++) {
      session.send(request);
      Optional<byte[]> came = session.next(ACK_TIMEOUT_MILLIS << sent);
      while (came.isPresent()) {
        byte[] message = came.get();
        int code = message.length < 4 ? 0 : message[1] & 0xff;
        if (code != 0) {
          if ((message[0] & 0x30) == 0) {
            session.send(new byte[] {0x60, 0, message[2], message[3]}); // acknowledged
          }
          return "%d.%02d".formatted(code >> 5, code & 31);
        }
        came = session.next(ACK_TIMEOUT_MILLIS << sent);
      }
    }
    return "none";
  }

  /** A confirmable GET with a token of one byte. */
  private byte[] request(int mid) {
    byte[] segment = path.getBytes(UTF_8);
    ByteBuffer request = ByteBuffer.allocate(6 + segment.length).put((byte) 0x41).put((byte) 1);
    request.putShort((short) mid).put((byte) mid).put((byte) (0xb0 | segment.length));
    return request.put(segment).array();
  }
}
