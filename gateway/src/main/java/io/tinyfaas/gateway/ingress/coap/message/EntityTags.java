package io.tinyfaas.gateway.ingress.coap.message;

import java.nio.charset.StandardCharsets;
import java.util.HexFormat;
import java.util.Optional;

/**
 * Entity tags between HTTP's quoted text and CoAP's 1 to 8 bytes. A device sends back what a
 * function has sent before, so the way from HTTP to CoAP and back is exact: up to 8 characters are
 * the bytes as they are, and 10 to 16 hexadecimal digits the bytes that they spell. A tag that
 * would not come back the same is left out, which costs a transfer and never a wrong answer.
 */
final class EntityTags {

  private static final int MAX_BYTES = 8;
  private static final HexFormat HEX = HexFormat.of();

  private EntityTags() {}

  static String toHttp(byte[] tag) {
    return '"' + opaque(tag) + '"';
  }

  /** Empty if the header is no entity tag, or one that CoAP cannot carry. */
  static Optional<byte[]> toCoap(String header) {
    String tag = header.strip();
    if (tag.startsWith("W/")) {
      tag = tag.substring(2);
    }
    if (tag.length() < 3 || !tag.startsWith("\"") || !tag.endsWith("\"")) {
      return Optional.empty();
    }
    String text = tag.substring(1, tag.length() - 1);
    return bytes(text).filter(bytes -> opaque(bytes).equals(text));
  }

  private static Optional<byte[]> bytes(String text) {
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
