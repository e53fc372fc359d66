package io.tinyfaas.gateway.ingress.coap.message;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.eclipse.californium.core.coap.CoAP.Code;
import org.eclipse.californium.core.coap.option.StandardOptionRegistry;

/**
 * A confirmable request that asks no more of CoAP than an acknowledgement with the response in it:
 * what nearly all requests are. Reads those only, and leaves every other datagram, malformed ones
 * too, to Californium with {@link CoapParser}, which must accept whatever this accepts.
 *
 * @param contentFormat {@link #NONE} if it says none
 * @param accept {@link #NONE} if it says none
 */
public record PlainRequest(
    Code method,
    List<String> path,
    List<String> query,
    int contentFormat,
    int accept,
    byte[] payload) {

  static final int NONE = -1;

  private static final int HEADER_BYTES = 4;

  /** Version 1 and type CON; the token's length is beside it. */
  private static final int CONFIRMABLE = 0x40;

  private static final int TOKEN_LENGTH = 0x0f;
  private static final int MAX_TOKEN_BYTES = 8;
  private static final int PAYLOAD_MARKER = 0xff;

  /** A delta or a length from 13 has a byte of its own (RFC 7252, 3.1). */
  private static final int ONE_MORE = 13;

  private static final int URI_HOST = StandardOptionRegistry.URI_HOST.getNumber();
  private static final int URI_PORT = StandardOptionRegistry.URI_PORT.getNumber();
  private static final int URI_PATH = StandardOptionRegistry.URI_PATH.getNumber();
  private static final int CONTENT_FORMAT = StandardOptionRegistry.CONTENT_FORMAT.getNumber();
  private static final int URI_QUERY = StandardOptionRegistry.URI_QUERY.getNumber();
  private static final int ACCEPT = StandardOptionRegistry.ACCEPT.getNumber();

  private static final int MAX_TEXT_BYTES = 255;
  private static final int MAX_NUMBER_BYTES = 2;
  private static final byte[] EMPTY = {};

  /** Its name; empty if the path is. */
  public String function() {
    return path.isEmpty() ? "" : path.getFirst();
  }

  /** Whether it may be one, and {@link #mid} and {@link #tokenLength} can be asked. */
  public static boolean isConfirmable(byte[] message) {
    return message.length > HEADER_BYTES
        && (message[0] & ~TOKEN_LENGTH & 0xff) == CONFIRMABLE
        && message[1] >= Code.GET.value
        && message[1] <= Code.IPATCH.value;
  }

  public static int mid(byte[] message) {
    return (message[2] & 0xff) << 8 | message[3] & 0xff;
  }

  /** In bytes; the token is behind the header's four. */
  public static int tokenLength(byte[] message) {
    return message[0] & TOKEN_LENGTH;
  }

  /**
   * @param message of which {@link #isConfirmable} is true
   * @return empty if it is not plain
   */
  public static Optional<PlainRequest> parse(byte[] message) {
    return new Reader(message).read();
  }

  private static final class Reader {
    private final byte[] message;
    private final List<String> path = new ArrayList<>(2);
    private List<String> query = List.of();
    private int contentFormat = NONE;
    private int accept = NONE;
    private int options;
    private int at;

    Reader(byte[] message) {
      this.message = message;
    }

    Optional<PlainRequest> read() {
      int tokenLength = tokenLength(message);
      at = HEADER_BYTES + tokenLength;
      if (tokenLength > MAX_TOKEN_BYTES || at > message.length) {
        return Optional.empty();
      }
      int number = 0;
      while (at < message.length && (message[at] & 0xff) != PAYLOAD_MARKER) {
        int nibbles = message[at++] & 0xff;
        int delta = extended(nibbles >> 4);
        int length = extended(nibbles & 0x0f);
        if (delta < 0 || length < 0 || length > message.length - at) {
          return Optional.empty();
        }
        boolean again = delta == 0;
        number += delta;
        if (++options > CoapParser.MAX_OPTIONS || !option(number, length, again)) {
          return Optional.empty();
        }
        at += length;
      }
      Optional<byte[]> payload = payload();
      return payload.isEmpty()
          ? Optional.empty()
          : Optional.of(
              new PlainRequest(
                  Code.valueOf(message[1]), path, query, contentFormat, accept, payload.get()));
    }

    /** Negative if it would be too large for any of these options. */
    private int extended(int nibble) {
      if (nibble < ONE_MORE) {
        return nibble;
      }
      return nibble == ONE_MORE && at < message.length ? ONE_MORE + (message[at++] & 0xff) : NONE;
    }

    private boolean option(int number, int length, boolean again) {
      if (number == URI_PATH) {
        return text(length, path);
      }
      if (number == URI_QUERY) {
        query = query.isEmpty() ? new ArrayList<>(2) : query;
        return text(length, query);
      }
      if (again || length > (number == URI_HOST ? MAX_TEXT_BYTES : MAX_NUMBER_BYTES)) {
        return false;
      }
      if (number == CONTENT_FORMAT) {
        contentFormat = number(length);
      } else if (number == ACCEPT) {
        accept = number(length);
      } else {
        return number == URI_PORT || number == URI_HOST && length > 0;
      }
      return true;
    }

    private boolean text(int length, List<String> to) {
      if (length > MAX_TEXT_BYTES) {
        return false;
      }
      for (int i = at; i < at + length; i++) {
        if (message[i] < 0) {
          return false; // what is no ASCII may be no UTF-8 either
        }
      }
      to.add(new String(message, at, length, StandardCharsets.ISO_8859_1));
      return true;
    }

    private int number(int length) {
      int value = 0;
      for (int i = at; i < at + length; i++) {
        value = value << 8 | message[i] & 0xff;
      }
      return value;
    }

    private Optional<byte[]> payload() {
      if (at == message.length) {
        return Optional.of(EMPTY);
      }
      int length = message.length - at - 1;
      return length == 0 || length > Blocks.MAX_BYTES
          ? Optional.empty()
          : Optional.of(Arrays.copyOfRange(message, at + 1, message.length));
    }
  }
}
