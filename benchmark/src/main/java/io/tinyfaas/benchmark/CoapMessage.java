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

  /** 2.05. */
  static final int CONTENT = 2 << 5 | 5;

  /** Of requests: enough for every operation of a run to have another. */
  static final int TOKEN_LENGTH = 8;

  private static final int VERSION = 1;
  private static final int URI_PATH = 11;
  private static final int URI_QUERY = 15;
  private static final int PAYLOAD_MARKER = 0xFF;

  private CoapMessage() {}

  /** A confirmable GET. Where its message ID (at 2) and token (at 4) stand is filled in later. */
  static ByteBuffer get(URI uri) {
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
    ByteBuffer message = ByteBuffer.allocateDirect(4 + TOKEN_LENGTH + options.size());
    message.put((byte) (VERSION << 6 | CON << 4 | TOKEN_LENGTH));
    message.put((byte) GET);
    message.position(4 + TOKEN_LENGTH).put(options.toByteArray());
    return message.flip();
  }

  private static int option(ByteArrayOutputStream to, int last, int number, String value) {
    byte[] bytes = value.getBytes(StandardCharsets.UTF_8);
    if (bytes.length > 255) {
      throw new IllegalArgumentException("a path segment or query argument is at most 255 bytes");
    }
    // Deltas of Uri-Path and Uri-Query need no extended form; lengths from 13 need one byte of it.
    int delta = number - last;
    if (bytes.length < 13) {
      to.write(delta << 4 | bytes.length);
    } else {
      to.write(delta << 4 | 13);
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
    int at = 4 + tokenLength(message);
    int end = message.limit();
    while (at < end) {
      int header = message.get(at++) & 0xFF;
      if (header == PAYLOAD_MARKER) {
        message.position(at);
        return true;
      }
      int delta = header >> 4;
      int length = header & 15;
      at += delta == 13 ? 1 : delta == 14 ? 2 : 0;
      if (length == 13) {
        if (at >= end) {
          return false;
        }
        length = (message.get(at) & 0xFF) + 13;
        at += 1;
      } else if (length == 14) {
        if (at + 1 >= end) {
          return false;
        }
        length = (message.getShort(at) & 0xFFFF) + 269;
        at += 2;
      }
      at += length;
    }
    message.position(end);
    return at == end;
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
