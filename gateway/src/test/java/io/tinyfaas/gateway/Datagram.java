package io.tinyfaas.gateway;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;

/** A CoAP message as it is on the wire, written and read independently of Californium. */
record Datagram(int type, int code, int mid, byte[] token, List<Field> options, byte[] payload) {

  static final int CON = 0;
  static final int NON = 1;
  static final int ACK = 2;
  static final int RST = 3;

  static final int GET = 1;
  static final int POST = 2;
  static final int PUT = 3;

  static final int ETAG = 4;
  static final int URI_PATH = 11;
  static final int CONTENT_FORMAT = 12;
  static final int MAX_AGE = 14;
  static final int URI_QUERY = 15;
  static final int BLOCK2 = 23;
  static final int BLOCK1 = 27;
  static final int SIZE2 = 28;
  static final int SIZE1 = 60;
  static final int ECHO = 252;
  static final int NO_RESPONSE = 258;
  static final int REQUEST_TAG = 292;

  private static final List<String> TYPES = List.of("CON", "NON", "ACK", "RST");

  record Field(int number, byte[] value) {}

  static Datagram request(int type, int code, int mid, String... path) {
    Datagram request =
        new Datagram(type, code, mid, new byte[] {(byte) mid}, List.of(), new byte[0]);
    for (String segment : path) {
      request = request.with(URI_PATH, segment.getBytes(StandardCharsets.UTF_8));
    }
    return request;
  }

  static Datagram empty(int type, int mid) {
    return new Datagram(type, 0, mid, new byte[0], List.of(), new byte[0]);
  }

  Datagram with(int option, byte... value) {
    List<Field> more = new ArrayList<>(options);
    more.add(new Field(option, value));
    more.sort(Comparator.comparingInt(Field::number));
    return new Datagram(type, code, mid, token, List.copyOf(more), payload);
  }

  /** Block1 or Block2 (RFC 7959, 2.2). */
  Datagram block(int option, int num, boolean more, int size) {
    int value = num << 4 | (more ? 8 : 0) | Integer.numberOfTrailingZeros(size) - 4;
    return with(option, (byte) (value >> 16), (byte) (value >> 8), (byte) value);
  }

  Datagram withToken(int... bytes) {
    byte[] other = new byte[bytes.length];
    for (int i = 0; i < bytes.length; i++) {
      other[i] = (byte) bytes[i];
    }
    return new Datagram(type, code, mid, other, options, payload);
  }

  Datagram payload(byte[] bytes) {
    return new Datagram(type, code, mid, token, options, bytes);
  }

  byte[] bytes() {
    ByteArrayOutputStream out = new ByteArrayOutputStream(64 + payload.length);
    out.write(0x40 | type << 4 | token.length);
    out.write(code);
    out.write(mid >> 8);
    out.write(mid);
    out.writeBytes(token);
    int last = 0;
    for (Field option : options) {
      int delta = option.number() - last;
      out.write(nibble(delta) << 4 | nibble(option.value().length));
      extend(out, delta);
      extend(out, option.value().length);
      out.writeBytes(option.value());
      last = option.number();
    }
    if (payload.length > 0) {
      out.write(0xff);
      out.writeBytes(payload);
    }
    return out.toByteArray();
  }

  private static int nibble(int value) {
    return value < 13 ? value : value < 269 ? 13 : 14;
  }

  private static void extend(ByteArrayOutputStream out, int value) {
    if (value >= 269) {
      out.write(value - 269 >> 8);
      out.write(value - 269);
    } else if (value >= 13) {
      out.write(value - 13);
    }
  }

  static Datagram parse(byte[] bytes) {
    int tokenLength = bytes[0] & 15;
    int at = 4 + tokenLength;
    List<Field> options = new ArrayList<>();
    int number = 0;
    byte[] payload = {};
    while (at < bytes.length) {
      int first = bytes[at++] & 0xff;
      if (first == 0xff) {
        payload = Arrays.copyOfRange(bytes, at, bytes.length);
        break;
      }
      int[] values = {first >> 4, first & 15};
      for (int i = 0; i < 2; i++) {
        if (values[i] == 13) {
          values[i] = 13 + (bytes[at++] & 0xff);
        } else if (values[i] == 14) {
          values[i] = 269 + ((bytes[at++] & 0xff) << 8 | bytes[at++] & 0xff);
        }
      }
      number += values[0];
      options.add(new Field(number, Arrays.copyOfRange(bytes, at, at + values[1])));
      at += values[1];
    }
    return new Datagram(
        bytes[0] >> 4 & 3,
        bytes[1] & 0xff,
        (bytes[2] & 0xff) << 8 | bytes[3] & 0xff,
        Arrays.copyOfRange(bytes, 4, 4 + tokenLength),
        List.copyOf(options),
        payload);
  }

  Optional<byte[]> option(int number) {
    return options.stream().filter(o -> o.number() == number).map(Field::value).findFirst();
  }

  /** Of an option whose value is a number. */
  Optional<Long> number(int option) {
    return option(option)
        .map(value -> value.length == 0 ? 0L : Long.parseLong(HexFormat.of().formatHex(value), 16));
  }

  int blockSize(int option) {
    return 16 << (number(option).orElseThrow() & 7);
  }

  boolean hasMore(int option) {
    return (number(option).orElseThrow() & 8) != 0;
  }

  /** {@code "ACK 2.05"}. Put together by hand: hundreds of thousands are looked at. */
  String head() {
    int detail = code & 31;
    return TYPES.get(type) + ' ' + (code >> 5) + '.' + detail / 10 + detail % 10;
  }

  String text() {
    return new String(payload, StandardCharsets.UTF_8);
  }

  @Override
  public String toString() {
    return "%s mid=%d, %d bytes".formatted(head(), mid, payload.length);
  }
}
