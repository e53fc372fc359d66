package io.tinyfaas.gateway.result;

import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.Objects;
import java.util.Optional;

/**
 * What has a state: a function, or one of its paths.
 *
 * @param function its name
 * @param path what follows that with its slash, percent-encoded in one way only; empty if nothing
 *     does
 */
public record Resource(String function, String path) {

  /** Percent-encoded; a longer path has no state. */
  static final int MAX_PATH_BYTES = 512;

  /** What stands for itself, as in CoAP (RFC 7252, 6.5). */
  private static final String LITERAL =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~!$&'()*+,;=:@";

  private static final char[] HEX = "0123456789ABCDEF".toCharArray();

  public Resource {
    Objects.requireNonNull(function, "function");
    Objects.requireNonNull(path, "path");
  }

  /** A function itself. */
  public static Resource of(String function) {
    return new Resource(function, "");
  }

  /**
   * Empty if the path is too long, or none in UTF-8: CoAP and MQTT have no others.
   *
   * @param path as handlers are told it, with what is percent-encoded that need not be; null for
   *     none
   */
  static Optional<Resource> of(String function, String path) {
    return path == null || path.isEmpty()
        ? Optional.of(of(function))
        : canonical(path).map(one -> new Resource(function, one));
  }

  private static Optional<String> canonical(String path) {
    int length = path.length();
    ByteBuffer decoded = ByteBuffer.allocate(length);
    StringBuilder encoded = new StringBuilder(length);
    for (int i = 0; i < length; i++) {
      int next = path.charAt(i);
      boolean slash = next == '/';
      if (next == '%') {
        next = i + 2 < length ? octet(path.charAt(i + 1), path.charAt(i + 2)) : -1;
        i += 2;
      }
      if (next < 0 || next > 0xff) {
        return Optional.empty();
      }
      decoded.put((byte) next);
      if (slash || next > 0 && LITERAL.indexOf(next) >= 0) {
        encoded.append((char) next);
      } else {
        encoded.append('%').append(HEX[next >> 4]).append(HEX[next & 0xf]);
      }
    }
    return encoded.length() <= MAX_PATH_BYTES && isUtf8(decoded.flip())
        ? Optional.of(encoded.toString())
        : Optional.empty();
  }

  /** Negative if these are no hexadecimal digits. */
  private static int octet(char high, char low) {
    return Character.digit(high, 16) << 4 | Character.digit(low, 16);
  }

  private static boolean isUtf8(ByteBuffer bytes) {
    try {
      StandardCharsets.UTF_8.newDecoder().decode(bytes);
      return true;
    } catch (CharacterCodingException e) {
      return false;
    }
  }

  /**
   * Where its state is published. The path is percent-encoded there, too, with the plus, which
   * would be a wildcard: no path makes a topic that is none, or that of another one.
   */
  String topic() {
    return "functions/" + function + "/result" + path.replace("+", "%2B");
  }

  @Override
  public String toString() {
    return function + path;
  }
}
