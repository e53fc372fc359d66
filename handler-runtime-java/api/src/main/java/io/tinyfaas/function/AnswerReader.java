package io.tinyfaas.function;

import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.ReadableByteChannel;
import java.util.Arrays;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Reads the answers on one connection (RFC 9112), strictly and bounded. */
final class AnswerReader {

  /** What has come is no answer, or too large to be taken. */
  static final class Unacceptable extends IOException {
    private static final long serialVersionUID = 1;

    Unacceptable(String message) {
      super(message);
    }
  }

  private static final int MAX_HEAD = 16 * 1024;
  private static final int MAX_HEADERS = 100;
  private static final int MAX_INTERIM = 8;
  private static final int MAX_CHUNK_LINE = 1024;
  private static final Pattern STATUS = Pattern.compile("HTTP/1\\.1 ([1-5][0-9]{2})(?: .*)?");
  private static final Pattern HEADER =
      Pattern.compile(
          "([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \\t]*([^\\x00-\\x08\\x0a-\\x1f\\x7f]*?)[ \\t]*");
  private static final Pattern CHUNK = Pattern.compile("([0-9A-Fa-f]{1,7})[ \\t]*(?:;.*)?");
  private static final byte[] NONE = new byte[0];

  private final ReadableByteChannel channel;
  private final int maxBody;

  /** What has come and is not yet read is between position and limit. */
  private final ByteBuffer received = ByteBuffer.allocate(MAX_HEAD).limit(0);

  private boolean hasBegun;
  private boolean isKept;

  AnswerReader(ReadableByteChannel channel, int maxBody) {
    this.channel = channel;
    this.maxBody = maxBody;
  }

  /** The answer to another request is awaited from here on. */
  void begin() {
    hasBegun = false;
  }

  /** Whether anything of it has come. */
  boolean hasBegun() {
    return hasBegun;
  }

  /** Whether there is no byte that is not read. */
  boolean isEmpty() {
    return !received.hasRemaining();
  }

  /** Whether the connection goes on behind the answer that was read. */
  boolean isKept() {
    return isKept;
  }

  /**
   * @throws EOFException if the connection ends within the answer
   * @throws IOException if it ends before it
   */
  Answer read(String method) throws IOException {
    for (int interim = 0; interim <= MAX_INTERIM; interim++) {
      int[] left = {MAX_HEAD};
      Matcher first = STATUS.matcher(line(left));
      if (!first.matches()) {
        throw new Unacceptable("it is not one of HTTP/1.1");
      }
      int status = Integer.parseInt(first.group(1));
      Map<String, String> headers = headers(left);
      if (status >= 200) {
        isKept = !headers.getOrDefault("Connection", "").toLowerCase(Locale.ROOT).contains("close");
        boolean hasBody = !method.equals("HEAD") && status != 204 && status != 304;
        return new Answer(status, headers, hasBody ? body(headers) : NONE);
      }
    }
    throw new Unacceptable("more than " + MAX_INTERIM + " answers come before it");
  }

  private Map<String, String> headers(int[] left) throws IOException {
    Map<String, String> headers = new TreeMap<>(String.CASE_INSENSITIVE_ORDER);
    int count = 0;
    for (String line = line(left); !line.isEmpty(); line = line(left)) {
      Matcher header = HEADER.matcher(line);
      if (!header.matches()) {
        throw new Unacceptable("a header of it is not valid");
      }
      if (++count > MAX_HEADERS) {
        throw new Unacceptable("it has more than " + MAX_HEADERS + " headers");
      }
      headers.merge(header.group(1), header.group(2), (one, next) -> one + ", " + next);
    }
    return headers;
  }

  private byte[] body(Map<String, String> headers) throws IOException {
    String coding = headers.get("Transfer-Encoding");
    String length = headers.get("Content-Length");
    if (coding != null && length == null && coding.equalsIgnoreCase("chunked")) {
      return chunks();
    }
    if (coding != null || length == null || !length.matches("[0-9]{1,18}")) {
      throw new Unacceptable("it does not say how long it is");
    }
    if (Long.parseLong(length) > maxBody) {
      throw tooLarge();
    }
    byte[] body = new byte[Integer.parseInt(length)];
    readInto(body, 0);
    return body;
  }

  private byte[] chunks() throws IOException {
    byte[] body = NONE;
    while (true) {
      Matcher size = CHUNK.matcher(line(new int[] {MAX_CHUNK_LINE}));
      if (!size.matches()) {
        throw new Unacceptable("a chunk of it has no size");
      }
      int length = Integer.parseInt(size.group(1), 16);
      if (length > maxBody - body.length) {
        throw tooLarge();
      }
      if (length == 0) {
        headers(new int[] {MAX_HEAD}); // trailers, of which nobody knows any
        return body;
      }
      int offset = body.length;
      body = Arrays.copyOf(body, offset + length);
      readInto(body, offset);
      if (!line(new int[] {2}).isEmpty()) {
        throw new Unacceptable("a chunk of it is longer than it says");
      }
    }
  }

  private void readInto(byte[] body, int offset) throws IOException {
    for (int at = offset; at < body.length; ) {
      if (!received.hasRemaining()) {
        receive();
      }
      int count = Math.min(received.remaining(), body.length - at);
      received.get(body, at, count);
      at += count;
    }
  }

  /**
   * @param left how many bytes there may be with the line's end, of which it takes them
   */
  private String line(int[] left) throws IOException {
    StringBuilder line = new StringBuilder();
    while (true) {
      if (!received.hasRemaining()) {
        receive();
      }
      if (left[0]-- == 0) {
        throw new Unacceptable("a line or the head of it is too long");
      }
      char c = (char) (received.get() & 0xFF);
      if (c == '\n') {
        break;
      }
      line.append(c);
    }
    int end = line.length() - 1;
    if (end < 0 || line.charAt(end) != '\r') {
      throw new Unacceptable("a line of it does not end with CR LF");
    }
    return line.substring(0, end);
  }

  private void receive() throws IOException {
    received.clear();
    int count;
    try {
      count = channel.read(received);
    } catch (IOException e) {
      received.limit(0);
      throw hasBegun ? (IOException) new EOFException().initCause(e) : e;
    }
    received.flip();
    if (count < 0) {
      received.limit(0);
      throw hasBegun ? new EOFException() : new IOException("closed");
    }
    hasBegun = true;
  }

  private Unacceptable tooLarge() {
    return new Unacceptable("it has more than " + maxBody + " bytes");
  }
}
