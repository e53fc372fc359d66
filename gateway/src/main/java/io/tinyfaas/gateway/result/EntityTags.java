package io.tinyfaas.gateway.result;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.Optional;

/**
 * Entity tags between HTTP's quoted text and CoAP's 1 to 8 bytes. A device sends back what a
 * function has sent before, so the way from HTTP to CoAP and back is exact: up to 8 characters are
 * the bytes as they are, and 10 to 16 hexadecimal digits the bytes that they spell. In the place of
 * a tag that would not come back the same, and of none where there has to be one, the gateway has
 * its own.
 */
public final class EntityTags {

  private static final int MAX_BYTES = 8;
  private static final HexFormat HEX = HexFormat.of();

  private EntityTags() {}

  public static String toHttp(byte[] tag) {
    return '"' + opaque(tag) + '"';
  }

  /**
   * Empty if CoAP cannot carry it. Functions forget the quotes of a tag, which HTTP's own clients
   * pass over, too.
   */
  public static Optional<byte[]> toCoap(String header) {
    String tag = header.strip();
    if (tag.startsWith("W/")) {
      tag = tag.substring(2);
    }
    boolean quoted = tag.length() > 1 && tag.startsWith("\"") && tag.endsWith("\"");
    String text = quoted ? tag.substring(1, tag.length() - 1) : tag;
    return bytes(text).filter(bytes -> opaque(bytes).equals(text));
  }

  /** The gateway's own: the same for the same representation, and for no other one. */
  public static byte[] of(byte[] body, int contentFormat) {
    try {
      MessageDigest digest = MessageDigest.getInstance("SHA-256");
      digest.update((byte) (contentFormat >> 8));
      digest.update((byte) contentFormat);
      return Arrays.copyOf(digest.digest(body), MAX_BYTES);
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException(e); // each JDK has it
    }
  }

  private static Optional<byte[]> bytes(String text) {
    if (text.isEmpty()) {
      return Optional.empty();
    }
    if (text.length() <= MAX_BYTES) {
      return Optional.of(text.getBytes(StandardCharsets.ISO_8859_1));
    }
    if (text.length() > 2 * MAX_BYTES
        || text.length() % 2 != 0
        || !text.chars().allMatch(HexFormat::isHexDigit)) {
      return Optional.empty();
    }
    return Optional.of(HEX.parseHex(text));
  }

  private static String opaque(byte[] tag) {
    for (byte b : tag) {
      if (b < 0x21 || b == '"' || b > 0x7e) {
        return HEX.formatHex(tag);
      }
    }
    return new String(tag, StandardCharsets.US_ASCII);
  }
}
