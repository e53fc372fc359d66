package io.tinyfaas.runtime.http;

import static io.tinyfaas.runtime.http.RefusedRequest.malformed;

import io.tinyfaas.function.Request;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Set;

/**
 * Request line and headers of the request in hand (RFC 9112): where they are among the bytes
 * received, and what they say of the connection and the body.
 */
final class RequestHead {

  enum Route {
    INVOKE,
    HEALTH,
    UNKNOWN
  }

  /** In bytes, with the request line. */
  static final int MAX_LENGTH = 16 * 1024;

  static final int MAX_HEADERS = 100;

  private static final byte[] INVOKE = "POST /fn".getBytes(StandardCharsets.US_ASCII);
  private static final byte[] HEALTH = "GET /health".getBytes(StandardCharsets.US_ASCII);
  private static final byte[] HTTP_1 = "HTTP/1.".getBytes(StandardCharsets.US_ASCII);

  /** Headers of this connection, which are no business of the function. */
  private static final Set<String> OF_THE_CONNECTION =
      Set.of(
          "connection",
          "content-length",
          "expect",
          "host",
          "keep-alive",
          "te",
          "trailer",
          "transfer-encoding",
          "upgrade");

  private final ReceivedBytes received;

  private Route route;
  private boolean lastOnConnection;
  private boolean expectsContinue;
  private boolean chunked;

  /** -1 until it is named. */
  private int contentLength;

  /** Per header: where its name begins, ends, its value begins, ends. */
  private final int[] headers = new int[4 * MAX_HEADERS];

  private int headerCount;

  RequestHead(ReceivedBytes received) {
    this.received = received;
  }

  void read() throws IOException, RefusedRequest {
    received.forgetHead();
    int length = receive();
    int begin = received.position();
    received.skip(length);
    received.keepHead();
    parse(begin, begin + length);
  }

  Route route() {
    return route;
  }

  /** Whether the peer wants the connection closed after the answer. */
  boolean isLastOnConnection() {
    return lastOnConnection;
  }

  /** Whether the peer sends the body only after it was told to (RFC 9110, section 10.1.1). */
  boolean awaitsContinue() {
    return expectsContinue && received.isEmpty() && (chunked || contentLength > 0);
  }

  boolean isChunked() {
    return chunked;
  }

  /** In bytes, {@link Integer#MAX_VALUE} where it is more; 0 where the body is chunked. */
  int contentLength() {
    return contentLength;
  }

  Request toRequest(byte[] body) {
    Map<String, String> named = HashMap.newHashMap(headerCount);
    String method = "POST";
    String path = "";
    String query = "";
    for (int i = 0; i < 4 * headerCount; i += 4) {
      String name = received.text(headers[i], headers[i + 1]);
      String value = received.text(headers[i + 2], headers[i + 3]);
      switch (name.toLowerCase(Locale.ROOT)) {
        case "x-tinyfaas-method" -> method = value;
        case "x-tinyfaas-path" -> path = value;
        case "x-tinyfaas-query" -> query = value;
        case String other when OF_THE_CONNECTION.contains(other) -> {
          continue;
        }
        default -> {}
      }
      named.merge(name, value, (first, next) -> first + ", " + next);
    }
    return new Request(method, path, query, named, body);
  }

  /** Those of these names (in lower case) that are there. */
  Map<String, String> fields(Set<String> names) {
    Map<String, String> found = HashMap.newHashMap(names.size());
    for (int i = 0; i < 4 * headerCount; i += 4) {
      String name = received.text(headers[i], headers[i + 1]).toLowerCase(Locale.ROOT);
      if (names.contains(name)) {
        found.putIfAbsent(name, received.text(headers[i + 2], headers[i + 3]));
      }
    }
    return found;
  }

  /**
   * Looks at each byte once, and waits where they run out.
   *
   * @return its length in bytes, with the empty line that ends it
   */
  private int receive() throws IOException, RefusedRequest {
    int line = 0;
    int length = 0;
    byte previous = 0;
    while (true) {
      if (length == received.length()) {
        if (length >= MAX_LENGTH) {
          throw tooLarge();
        }
        received.receiveMore();
      }
      byte b = received.at(received.position() + length);
      length++;
      if (b == '\n') {
        if (previous != '\r') {
          throw malformed("a line does not end with CR LF");
        }
        boolean emptyLine = length == line + 2;
        if (emptyLine && line > 0) {
          break;
        }
        if (emptyLine) {
          // Some clients end a body with an empty line: RFC 9112, section 2.2.
          received.skip(length);
          length = 0;
        }
        line = length;
      } else if (previous == '\r' || b >= 0 && b < ' ' && b != '\t' && b != '\r' || b == 0x7F) {
        throw malformed("a control character in the head");
      }
      previous = b;
    }
    if (length > MAX_LENGTH) {
      throw tooLarge();
    }
    return length;
  }

  /** {@code from} the request line {@code to} behind the empty line. */
  private void parse(int from, int to) throws RefusedRequest {
    headerCount = 0;
    contentLength = -1;
    chunked = false;
    expectsContinue = false;
    int line = parseRequestLine(from, received.indexOf('\r', from, to));
    while (line < to - 2) {
      line = parseHeader(line, received.indexOf('\r', line, to));
    }
    if (chunked && contentLength >= 0) {
      throw malformed("both Content-Length and Transfer-Encoding");
    }
    contentLength = Math.max(0, contentLength);
  }

  /**
   * @return where the next line begins
   */
  private int parseRequestLine(int from, int lineEnd) throws RefusedRequest {
    int version = lineEnd - "HTTP/1.1".length();
    int target = received.indexOf(' ', from, lineEnd) + 1;
    if (version - 2 < target
        || received.at(version - 1) != ' '
        || !received.isToken(from, target - 1)
        || received.indexOf(' ', target, lineEnd) != version - 1
        || !received.is(HTTP_1, version, lineEnd - 1)
        || !Character.isDigit(received.at(lineEnd - 1))) {
      throw malformed("not an HTTP/1.1 request line");
    }
    lastOnConnection = received.at(lineEnd - 1) == '0';
    if (received.is(INVOKE, from, version - 1)) {
      route = Route.INVOKE;
    } else {
      route = received.is(HEALTH, from, version - 1) ? Route.HEALTH : Route.UNKNOWN;
    }
    return lineEnd + 2;
  }

  /**
   * @return where the next line begins
   */
  private int parseHeader(int name, int lineEnd) throws RefusedRequest {
    int colon = received.indexOf(':', name, lineEnd);
    if (colon == lineEnd || !received.isToken(name, colon)) {
      throw malformed("not a header line");
    }
    int value = colon + 1;
    int valueEnd = lineEnd;
    while (value < valueEnd && isBlank(received.at(value))) {
      value++;
    }
    while (valueEnd > value && isBlank(received.at(valueEnd - 1))) {
      valueEnd--;
    }
    if (headerCount == MAX_HEADERS) {
      throw new RefusedRequest(431, "more than " + MAX_HEADERS + " headers");
    }
    int at = 4 * headerCount++;
    headers[at] = name;
    headers[at + 1] = colon;
    headers[at + 2] = value;
    headers[at + 3] = valueEnd;
    readFraming(name, colon - name, value, valueEnd);
    return lineEnd + 2;
  }

  private static boolean isBlank(byte b) {
    return b == ' ' || b == '\t';
  }

  /** The headers that say something of the connection or the body. */
  private void readFraming(int name, int nameLength, int value, int valueEnd)
      throws RefusedRequest {
    switch (nameLength) {
      case 6 -> expectsContinue |= received.startsWithIgnoreCase("expect", name);
      case 10 -> {
        if (received.startsWithIgnoreCase("connection", name)) {
          lastOnConnection |=
              received.text(value, valueEnd).toLowerCase(Locale.ROOT).contains("close");
        }
      }
      case 14 -> {
        if (received.startsWithIgnoreCase("content-length", name)) {
          parseContentLength(value, valueEnd);
        }
      }
      case 17 -> {
        if (received.startsWithIgnoreCase("transfer-encoding", name)) {
          if (chunked || !"chunked".equalsIgnoreCase(received.text(value, valueEnd))) {
            throw new RefusedRequest(501, "no transfer coding but chunked");
          }
          chunked = true;
        }
      }
      default -> {}
    }
  }

  private void parseContentLength(int from, int to) throws RefusedRequest {
    if (contentLength >= 0 || from == to) {
      throw malformed("not one Content-Length");
    }
    long length = 0;
    for (int i = from; i < to; i++) {
      int digit = received.at(i) - '0';
      if (digit < 0 || digit > 9) {
        throw malformed("Content-Length is not a number");
      }
      length = Math.min(Integer.MAX_VALUE, length * 10 + digit);
    }
    contentLength = (int) length;
  }

  static RefusedRequest tooLarge() {
    return new RefusedRequest(
        431, "request line and headers have at most " + MAX_LENGTH + " bytes");
  }
}
