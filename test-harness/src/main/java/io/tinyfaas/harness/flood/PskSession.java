package io.tinyfaas.harness.flood;

import static java.nio.charset.StandardCharsets.US_ASCII;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.SocketTimeoutException;
import java.nio.ByteBuffer;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.util.Arrays;
import java.util.Optional;
import java.util.concurrent.ThreadLocalRandom;
import javax.crypto.Cipher;
import javax.crypto.Mac;
import javax.crypto.spec.GCMParameterSpec;
import javax.crypto.spec.SecretKeySpec;

/**
 * A session of DTLS 1.2 (RFC 6347) with a key that both know (RFC 5487), of which hundreds are
 * cheap. It sends again what is not answered, and reads no message that comes in fragments.
 */
final class PskSession {

  private static final int ROUNDS = 5;
  private static final int ROUND_MILLIS = 2_000;

  private static final int CHANGE_CIPHER_SPEC = 20;
  private static final int HANDSHAKE = 22;
  private static final int DATA = 23;

  private static final int CLIENT_HELLO = 1;
  private static final int SERVER_HELLO = 2;
  private static final int HELLO_VERIFY_REQUEST = 3;
  private static final int SERVER_HELLO_DONE = 14;
  private static final int CLIENT_KEY_EXCHANGE = 16;
  private static final int FINISHED = 20;

  private static final short VERSION = (short) 0xfefd;
  private static final int RECORD_HEADER = 13;
  private static final int HANDSHAKE_HEADER = 12;
  private static final int RANDOM = 32;
  private static final int TAG_BITS = 128;

  /** TLS_PSK_WITH_AES_128_GCM_SHA256, no compression, and the extended master secret. */
  private static final byte[] SUITE_AND_EXTENSION = {0, 2, 0, (byte) 0xa8, 1, 0, 0, 4, 0, 23, 0, 0};

  private final DatagramSocket socket;
  private final byte[] random = new byte[RANDOM];
  private final ByteArrayOutputStream messages = new ByteArrayOutputStream();
  private byte[] serverRandom = {};
  private byte[] cookie = {};
  private byte[] keys = {};
  private boolean helloDone;
  private boolean finished;
  private long sequence;

  /**
   * @param socket connected to the server
   */
  PskSession(DatagramSocket socket) {
    this.socket = socket;
    ThreadLocalRandom.current().nextBytes(random);
  }

  /**
   * @return whether the server has let it in
   */
  boolean open(String identity, String key) throws IOException {
    try {
      byte[] hello = message(CLIENT_HELLO, 0, hello());
      if (!ask(() -> cookie.length > 0, record(HANDSHAKE, hello))) {
        return false;
      }
      hello = message(CLIENT_HELLO, 1, hello());
      messages.writeBytes(hello);
      if (!ask(() -> helloDone, record(HANDSHAKE, hello))) {
        return false;
      }
      byte[] name = identity.getBytes(US_ASCII);
      ByteBuffer exchange = ByteBuffer.allocate(2 + name.length);
      exchange.putShort((short) name.length).put(name);
      byte[] keyExchange = message(CLIENT_KEY_EXCHANGE, 2, exchange.array());
      messages.writeBytes(keyExchange);
      byte[] master = master(key.getBytes(US_ASCII));
      keys = prf(master, "key expansion", concat(serverRandom, random), 2 * 16 + 2 * 4);
      byte[] verified = prf(master, "client finished", hash(), 12);
      byte[][] flight = {
        record(HANDSHAKE, keyExchange),
        record(CHANGE_CIPHER_SPEC, new byte[] {1}),
        protect(HANDSHAKE, message(FINISHED, 3, verified))
      };
      return ask(() -> finished, concat(flight));
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException(e);
    }
  }

  private byte[] hello() {
    ByteBuffer hello =
        ByteBuffer.allocate(2 + RANDOM + 2 + cookie.length + SUITE_AND_EXTENSION.length);
    hello.putShort(VERSION).put(random).put((byte) 0);
    return hello.put((byte) cookie.length).put(cookie).put(SUITE_AND_EXTENSION).array();
  }

  /** One with the length of one that has none as its other secret (RFC 4279, 2). */
  private byte[] master(byte[] key) throws GeneralSecurityException {
    ByteBuffer secret = ByteBuffer.allocate(4 + 2 * key.length);
    secret.putShort((short) key.length).put(new byte[key.length]);
    secret.putShort((short) key.length).put(key);
    return prf(secret.array(), "extended master secret", hash(), 48);
  }

  private byte[] hash() throws GeneralSecurityException {
    return MessageDigest.getInstance("SHA-256").digest(messages.toByteArray());
  }

  /** RFC 5246, 5. */
  private static byte[] prf(byte[] secret, String label, byte[] seed, int length)
      throws GeneralSecurityException {
    Mac mac = Mac.getInstance("HmacSHA256");
    mac.init(new SecretKeySpec(secret, "HmacSHA256"));
    byte[] labelled = concat(label.getBytes(US_ASCII), seed);
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    for (byte[] a = mac.doFinal(labelled); bytes.size() < length; a = mac.doFinal(a)) {
      bytes.writeBytes(mac.doFinal(concat(a, labelled)));
    }
    return Arrays.copyOf(bytes.toByteArray(), length);
  }

  private interface Condition {
    boolean holds();
  }

  private boolean ask(Condition answered, byte[] datagram) throws IOException {
    for (int round = 0; round < ROUNDS; round++) {
      socket.send(new DatagramPacket(datagram, datagram.length));
      while (!answered.holds()) {
        byte[] came = receive(ROUND_MILLIS);
        if (came.length == 0) {
          break;
        }
        read(came);
      }
      if (answered.holds()) {
        return true;
      }
    }
    return false;
  }

  /** Empty if nothing comes. */
  private byte[] receive(int millis) throws IOException {
    DatagramPacket datagram = new DatagramPacket(new byte[2_048], 2_048);
    socket.setSoTimeout(millis);
    try {
      socket.receive(datagram);
    } catch (SocketTimeoutException e) {
      return new byte[0];
    }
    return Arrays.copyOf(datagram.getData(), datagram.getLength());
  }

  /**
   * @return what came of data, empty if it was something else
   */
  private byte[] read(byte[] datagram) {
    byte[] data = {};
    ByteBuffer rest = ByteBuffer.wrap(datagram);
    while (rest.remaining() > RECORD_HEADER) {
      byte[] header = new byte[RECORD_HEADER];
      rest.get(header);
      byte[] content =
          new byte[Math.min(rest.remaining(), (header[11] & 0xff) << 8 | header[12] & 0xff)];
      rest.get(content);
      boolean isProtected = header[4] != 0;
      if (header[0] == HANDSHAKE && !isProtected) {
        readHandshake(ByteBuffer.wrap(content));
      } else if (header[0] == HANDSHAKE) {
        finished = true; // what it holds proves the server, which is for others to test
      } else if (header[0] == DATA && isProtected) {
        data = opened(header, content);
      }
    }
    return data;
  }

  private void readHandshake(ByteBuffer rest) {
    while (rest.remaining() >= HANDSHAKE_HEADER) {
      int start = rest.position();
      int typeAndLength = rest.getInt();
      rest.position(start + HANDSHAKE_HEADER);
      byte[] body = new byte[Math.min(rest.remaining(), typeAndLength & 0xffffff)];
      rest.get(body);
      int type = typeAndLength >>> 24;
      if (type == HELLO_VERIFY_REQUEST) {
        cookie = Arrays.copyOfRange(body, 3, 3 + body[2]);
      } else if (!helloDone) {
        messages.write(rest.array(), start, rest.position() - start);
        if (type == SERVER_HELLO) {
          serverRandom = Arrays.copyOfRange(body, 2, 2 + RANDOM);
        }
        helloDone = type == SERVER_HELLO_DONE;
      }
    }
  }

  private static byte[] message(int type, int sequence, byte[] body) {
    ByteBuffer message = ByteBuffer.allocate(HANDSHAKE_HEADER + body.length);
    message.putInt(type << 24 | body.length).putShort((short) sequence);
    message.putShort((short) 0).putInt(body.length); // not in fragments: from 0, all of it
    return message.put(body).array();
  }

  private byte[] record(int type, byte[] content) {
    return record(type, 0, sequence++, content);
  }

  private static byte[] record(int type, int epoch, long sequence, byte[] content) {
    ByteBuffer record = ByteBuffer.allocate(RECORD_HEADER + content.length);
    record.put((byte) type).putShort(VERSION).putLong((long) epoch << 48 | sequence);
    return record.putShort((short) content.length).put(content).array();
  }

  private byte[] protect(int type, byte[] content) throws GeneralSecurityException {
    if (type != DATA) {
      sequence = 0;
    }
    byte[] explicit = ByteBuffer.allocate(8).putLong(1L << 48 | sequence).array();
    Cipher cipher = cipher(Cipher.ENCRYPT_MODE, 0, explicit);
    cipher.updateAAD(associated(explicit, type, content.length));
    return record(type, 1, sequence++, concat(explicit, cipher.doFinal(content)));
  }

  private byte[] opened(byte[] header, byte[] content) {
    byte[] explicit = Arrays.copyOf(content, 8);
    int length = content.length - 8 - TAG_BITS / 8;
    try {
      Cipher cipher = cipher(Cipher.DECRYPT_MODE, 1, explicit);
      cipher.updateAAD(associated(Arrays.copyOfRange(header, 3, 11), DATA, length));
      return cipher.doFinal(content, 8, content.length - 8);
    } catch (GeneralSecurityException e) {
      return new byte[0];
    }
  }

  /**
   * @param side 0 for this, 1 for the server's
   */
  private Cipher cipher(int mode, int side, byte[] explicit) throws GeneralSecurityException {
    Cipher cipher = Cipher.getInstance("AES/GCM/NoPadding");
    byte[] implicit = Arrays.copyOfRange(keys, 32 + 4 * side, 36 + 4 * side);
    cipher.init(
        mode,
        new SecretKeySpec(keys, 16 * side, 16, "AES"),
        new GCMParameterSpec(TAG_BITS, concat(implicit, explicit)));
    return cipher;
  }

  private static byte[] associated(byte[] sequence, int type, int length) {
    ByteBuffer data = ByteBuffer.allocate(RECORD_HEADER).put(sequence).put((byte) type);
    return data.putShort(VERSION).putShort((short) length).array();
  }

  void send(byte[] data) throws IOException {
    try {
      byte[] record = protect(DATA, data);
      socket.send(new DatagramPacket(record, record.length));
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException(e);
    }
  }

  /**
   * @return empty if nothing comes; no bytes, if it is no data
   */
  Optional<byte[]> next(int millis) throws IOException {
    byte[] datagram = receive(millis);
    return datagram.length == 0 ? Optional.empty() : Optional.of(read(datagram));
  }

  private static byte[] concat(byte[]... all) {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    for (byte[] each : all) {
      bytes.writeBytes(each);
    }
    return bytes.toByteArray();
  }
}
