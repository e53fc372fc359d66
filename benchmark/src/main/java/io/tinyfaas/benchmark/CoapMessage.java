package io.tinyfaas.benchmark;

import java.io.ByteArrayOutputStream;
import java.net.URI;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;

/** The little of RFC 7252 that a client of one resource needs. */
final class CoapMessage {

  static final int CON = 0;
  static final int NON = 1;
  static final int ACK = 2;
  static final int RST = 3;

  static final int EMPTY = 0;
  static final int GET = 1;
  static final int POST = 2;

  /** 2.05. */
  static final int CREATED = 2 << 5 | 1;

  static final int CONTENT = 2 << 5 | 5;

  /** 2.04. */
  static final int CHANGED = 2 << 5 | 4;

  /** 2.31. */
  static final int CONTINUE = 2 << 5 | 31;

  /** Numbers of options (RFC 7959, 2.1). */
  static final int BLOCK2 = 23;

  static final int BLOCK1 = 27;
  private static final int SIZE1 = 60;

  /** Of requests: enough for every operation of a run to have another. */
  static final int TOKEN_LENGTH = 8;

  private static final int VERSION = 1;
  private static final int URI_PATH = 11;
  private static final int URI_QUERY = 15;
  private static final int PAYLOAD_MARKER = 0xFF;
  private static final int ABSENT = -1;
  private static final int MALFORMED = -2;

  private CoapMessage() {}

  /** A confirmable GET. Where its message ID (at 2) and token (at 4) stand is filled in later. */
  static ByteBuffer get(URI uri) {
    return request(GET, uri, -1, -1, -1, ByteBuffer.allocate(0));
  }

  /**
   * A confirmable POST, as {@link #get}.
   *
   * @param block2 the value of that option; -1 for none
   * @param block1 likewise
   * @param size1 likewise
   */
  static ByteBuffer post(URI uri, int block2, int block1, int size1, ByteBuffer payload) {
    return request(POST, uri, block2, block1, size1, payload);
  }

  private static ByteBuffer request(
      int code, URI uri, int block2, int block1, int size1, ByteBuffer payload) {
    ByteArrayOutputStream options = new ByteArrayOutputStream();
    String path = uri.getPath() == null ? "" : uri.getPath().replaceFirst("^/", "");
    int last = 0;
    if (!path.isEmpty()) {
      for (String segment : path.split("/", -1)) {
        last = option(options, last, URI_PATH, segment);
      }
    }
    if (uri.getQuery() != null) {
      for (String argument : uri.getQuery().split("&", -1)) {
        last = option(options, last, URI_QUERY, argument);
      }
    }
    last = block2 < 0 ? last : option(options, last, BLOCK2, uint(block2));
    last = block1 < 0 ? last : option(options, last, BLOCK1, uint(block1));
    if (size1 >= 0) {
      option(options, last, SIZE1, uint(size1));
    }
    int length = 4 + TOKEN_LENGTH + options.size() + 1 + payload.remaining();
    ByteBuffer message = ByteBuffer.allocateDirect(length);
    message.put((byte) (VERSION << 6 | CON << 4 | TOKEN_LENGTH));
    message.put((byte) code);
    message.position(4 + TOKEN_LENGTH).put(options.toByteArray());
    if (payload.hasRemaining()) {
      message.put((byte) PAYLOAD_MARKER).put(payload);
    }
    return message.flip();
  }

  /** In as few bytes as it takes (RFC 7252, 3.2). */
  private static byte[] uint(int value) {
    int length = (39 - Integer.numberOfLeadingZeros(value)) / 8;
    byte[] bytes = new byte[length];
    for (int i = 0; i < length; i++) {
      bytes[i] = (byte) (value >> 8 * (length - 1 - i));
    }
    return bytes;
  }

  private static int option(ByteArrayOutputStream to, int last, int number, String value) {
    return option(to, last, number, value.getBytes(StandardCharsets.UTF_8));
  }

  private static int option(ByteArrayOutputStream to, int last, int number, byte[] bytes) {
    if (bytes.length > 255) {
      throw new IllegalArgumentException("a path segment or query argument is at most 255 bytes");
    }
    // Deltas and lengths from 13 need one byte more.
    int delta = number - last;
    to.write(Math.min(delta, 13) << 4 | Math.min(bytes.length, 13));
    if (delta >= 13) {
      to.write(delta - 13);
    }
    if (bytes.length >= 13) {
      to.write(bytes.length - 13);
    }
    to.writeBytes(bytes);
    return number;
  }

  static int type(ByteBuffer message) {
    return message.get(0) >> 4 & 3;
  }

  static int code(ByteBuffer message) {
    return message.get(1) & 0xFF;
  }

  static short id(ByteBuffer message) {
    return message.getShort(2);
  }

  /** Whether this is a message of our version at all, with a whole token. */
  static boolean isWellFormed(ByteBuffer message) {
    return message.limit() >= 4
        && (message.get(0) >> 6 & 3) == VERSION
        && tokenLength(message) <= 8
        && message.limit() >= 4 + tokenLength(message);
  }

  static boolean hasToken(ByteBuffer message, long token) {
    return tokenLength(message) == TOKEN_LENGTH && message.getLong(4) == token;
  }

  static int tokenLength(ByteBuffer message) {
    return message.get(0) & 15;
  }

  /**
   * Moves the position to the payload, past token and options.
   *
   * @return whether the options were well-formed
   */
  static boolean seekPayload(ByteBuffer message) {
    return walk(message, Integer.MAX_VALUE) != MALFORMED;
  }

  /** The value of an option of at most three bytes; -1 when there is none. Moves the position. */
  static int uint(ByteBuffer message, int number) {
    int found = walk(message, number);
    if (found < 0) {
      return -1;
    }
    int value = 0;
    while (message.position() < found) {
      value = value << 8 | message.get() & 0xFF;
    }
    return value;
  }

  /**
   * Moves the position to the value of the option with this number, or to the payload.
   *
   * @return where the value ends, {@link #ABSENT} or {@link #MALFORMED}
   */
  private static int walk(ByteBuffer message, int wanted) {
    int at = 4 + tokenLength(message);
    int end = message.limit();
    int number = 0;
    while (at < end) {
      int header = message.get(at++) & 0xFF;
      if (header == PAYLOAD_MARKER) {
        message.position(at);
        return ABSENT;
      }
      int[] parts = {header >> 4, header & 15};
      for (int i = 0; i < 2; i++) {
        int more = parts[i] == 13 ? 1 : parts[i] == 14 ? 2 : 0;
        if (at + more > end) {
          return MALFORMED;
        }
        if (more == 1) {
          parts[i] = (message.get(at) & 0xFF) + 13;
        } else if (more == 2) {
          parts[i] = (message.getShort(at) & 0xFFFF) + 269;
        }
        at += more;
      }
      number += parts[0];
      if (number == wanted && at + parts[1] <= end) {
        message.position(at);
        return at + parts[1];
      }
      at += parts[1];
    }
    if (at != end) {
      return MALFORMED;
    }
    message.position(end);
    return ABSENT;
  }

  /** An empty message: the acknowledgement or the reset of a message ID. */
  static ByteBuffer empty(ByteBuffer into, int type, short id) {
    return into.clear()
        .put((byte) (VERSION << 6 | type << 4))
        .put((byte) EMPTY)
        .putShort(id)
        .flip();
  }
}
