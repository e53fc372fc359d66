package io.tinyfaas.runtime.http;

import io.tinyfaas.function.Request;
import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Set;

/**
 * Reads the requests of one connection, one after the other (RFC 9112). A request stays in this
 * buffer, and its parts are looked at there, until the next one is read: what the function does not
 * ask for is never made an object.
 *
 * <p>Each method throws {@link EOFException} if the peer leaves in the middle of a request.
 */
final class RequestReader {

  enum Route {
    INVOKE,
    HEALTH,
    UNKNOWN
  }

  /** In bytes, with the request line. */
  static final int MAX_HEAD = 16 * 1024;

  static final int MAX_HEADERS = 100;
  private static final int FIRST_BUFFER = 8 * 1024;

  /** A chunk's size line with its extensions, in bytes. */
  private static final int MAX_CHUNK_LINE = 1024;

  private static final byte[] INVOKE = "POST /fn".getBytes(StandardCharsets.US_ASCII);
  private static final byte[] HEALTH = "GET /health".getBytes(StandardCharsets.US_ASCII);
  private static final byte[] NO_BODY = new byte[0];

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

  private final Peer peer;
  private final int maxBody;

  /** Bytes from {@code position} to {@code end} are received and not yet read. */
  private byte[] buffer = new byte[FIRST_BUFFER];

  private ByteBuffer asIdleBuffer = ByteBuffer.wrap(buffer);
  private int position;
  private int end;

  /** Bytes below it belong to the current request's head and stay. */
  private int keep;

  private int scan;
  private int line;

  private Route route;
  private boolean lastOnConnection;
  private boolean expectsContinue;
  private boolean chunked;
  private long contentLength;

  /** Per header: where its name begins, ends, its value begins, ends. */
  private final int[] headers = new int[4 * MAX_HEADERS];

  private int headerCount;

  private byte[] body;
  private int bodyOffset;
  private int bodyLength;

  RequestReader(Peer peer, int maxBody) {
    this.peer = peer;
    this.maxBody = maxBody;
  }

  /** Whether there is no byte of a next request yet. */
  boolean isEmpty() {
    return position == end;
  }

  /**
   * Waits for the first bytes of a request.
   *
   * @return false when the peer has ended the connection
   */
  boolean awaitRequest() throws IOException {
    position = 0;
    end = 0;
    keep = 0;
    if (asIdleBuffer.array() != buffer) {
      asIdleBuffer = ByteBuffer.wrap(buffer);
    }
    int count = peer.readIdle(asIdleBuffer.clear());
    if (count < 0) {
      return false;
    }
    end = count;
    return true;
  }

  void readHead() throws IOException, RefusedRequest {
    keep = 0;
    scan = position;
    line = position;
    while (!isHeadComplete()) {
      if (end - position >= MAX_HEAD) {
        throw headTooLarge();
      }
      fill();
    }
    if (scan - position > MAX_HEAD) {
      throw headTooLarge();
    }
    parseHead(position, scan);
    position = scan;
    keep = scan;
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
    return expectsContinue && isEmpty() && (chunked || contentLength > 0);
  }

  /**
   * @throws RefusedRequest with 413 before anything of a body of known and excessive length is read
   */
  void checkBodyLength() throws RefusedRequest {
    if (contentLength > maxBody) {
      throw bodyTooLarge();
    }
  }

  void readBody() throws IOException, RefusedRequest {
    if (chunked) {
      readChunks();
      return;
    }
    checkBodyLength();
    bodyLength = (int) contentLength;
    int received = Math.min(end - position, bodyLength);
    if (received == bodyLength) {
      body = buffer;
      bodyOffset = position;
    } else {
      body = new byte[bodyLength];
      bodyOffset = 0;
      System.arraycopy(buffer, position, body, 0, received);
      readFully(body, received, bodyLength - received);
    }
    position += received;
  }

  String bodyAsText() {
    return new String(body, bodyOffset, bodyLength, StandardCharsets.UTF_8);
  }

  byte[] bodyAsBytes() {
    if (bodyLength == 0) {
      return NO_BODY;
    }
    return body != buffer && body.length == bodyLength
        ? body
        : Arrays.copyOfRange(body, bodyOffset, bodyOffset + bodyLength);
  }

  Request toRequest() {
    Map<String, String> named = HashMap.newHashMap(headerCount);
    String method = "POST";
    String path = "";
    String query = "";
    for (int i = 0; i < 4 * headerCount; i += 4) {
      String name = text(headers[i], headers[i + 1]);
      String value = text(headers[i + 2], headers[i + 3]);
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
    return new Request(method, path, query, named, bodyAsBytes());
  }

  /** Lets go of a large body before the connection waits for its next request. */
  void forgetBody() {
    body = NO_BODY;
  }

  /**
   * Goes on where it stopped when the bytes ran out, so that each is looked at once.
   *
   * @return whether {@code scan} is behind the empty line that ends the head
   */
  private boolean isHeadComplete() throws RefusedRequest {
    while (scan < end) {
      byte b = buffer[scan];
      boolean afterReturn = scan > line && buffer[scan - 1] == '\r';
      if (b == '\n') {
        if (!afterReturn) {
          throw malformed("a line does not end with CR LF");
        }
        boolean emptyLine = scan - 1 == line;
        scan++;
        if (emptyLine && line != position) {
          return true;
        }
        if (emptyLine) {
          // Some clients end a body with an empty line: RFC 9112, section 2.2.
          position = scan;
        }
        line = scan;
        continue;
      }
      if (afterReturn || b >= 0 && b < ' ' && b != '\t' && b != '\r' || b == 0x7F) {
        throw malformed("a control character in the head");
      }
      scan++;
    }
    return false;
  }

  /** {@code from} the request line {@code to} behind the empty line. */
  private void parseHead(int from, int to) throws RefusedRequest {
    headerCount = 0;
    contentLength = -1;
    chunked = false;
    expectsContinue = false;
    int next = parseRequestLine(from);
    while (next < to - 2) {
      int lineEnd = indexOf((byte) '\r', next);
      int colon = indexOf((byte) ':', next);
      if (colon >= lineEnd || colon == next || !isToken(next, colon)) {
        throw malformed("not a header line");
      }
      int begin = colon + 1;
      int stop = lineEnd;
      while (begin < stop && isBlank(buffer[begin])) {
        begin++;
      }
      while (stop > begin && isBlank(buffer[stop - 1])) {
        stop--;
      }
      if (headerCount == MAX_HEADERS) {
        throw new RefusedRequest(431, "more than " + MAX_HEADERS + " headers");
      }
      int at = 4 * headerCount++;
      headers[at] = next;
      headers[at + 1] = colon;
      headers[at + 2] = begin;
      headers[at + 3] = stop;
      switch (colon - next) {
        case 6 -> expectsContinue |= equalsIgnoreCase("expect", next);
        case 10 -> {
          if (equalsIgnoreCase("connection", next)) {
            lastOnConnection |= text(begin, stop).toLowerCase(Locale.ROOT).contains("close");
          }
        }
        case 14 -> {
          if (equalsIgnoreCase("content-length", next)) {
            parseContentLength(begin, stop);
          }
        }
        case 17 -> {
          if (equalsIgnoreCase("transfer-encoding", next)) {
            if (chunked || !"chunked".equalsIgnoreCase(text(begin, stop))) {
              throw new RefusedRequest(501, "no transfer coding but chunked");
            }
            chunked = true;
          }
        }
        default -> {}
      }
      next = lineEnd + 2;
    }
    if (chunked && contentLength >= 0) {
      throw malformed("both Content-Length and Transfer-Encoding");
    }
    contentLength = Math.max(0, contentLength);
  }

  /**
   * @return where the first header begins
   */
  private int parseRequestLine(int from) throws RefusedRequest {
    int lineEnd = indexOf((byte) '\r', from);
    int version = lineEnd - "HTTP/1.1".length();
    int target = indexOf((byte) ' ', from) + 1;
    if (version - 2 < target
        || buffer[version - 1] != ' '
        || !isToken(from, target - 1)
        || indexOf((byte) ' ', target) != version - 1
        || !startsWith("HTTP/1.", version)) {
      throw malformed("not an HTTP/1.1 request line");
    }
    lastOnConnection = buffer[lineEnd - 1] == '0';
    if (is(INVOKE, from, version - 1)) {
      route = Route.INVOKE;
    } else {
      route = is(HEALTH, from, version - 1) ? Route.HEALTH : Route.UNKNOWN;
    }
    return lineEnd + 2;
  }

  private void parseContentLength(int from, int to) throws RefusedRequest {
    if (contentLength >= 0 || from == to) {
      throw malformed("not one Content-Length");
    }
    long length = 0;
    for (int i = from; i < to; i++) {
      int digit = buffer[i] - '0';
      if (digit < 0 || digit > 9) {
        throw malformed("Content-Length is not a number");
      }
      length = Math.min(Integer.MAX_VALUE, length * 10 + digit);
    }
    contentLength = length;
  }

  private void readChunks() throws IOException, RefusedRequest {
    body = new byte[FIRST_BUFFER];
    bodyOffset = 0;
    bodyLength = 0;
    for (int size = readChunkSize(); size > 0; size = readChunkSize()) {
      if (size > maxBody - bodyLength) {
        throw bodyTooLarge();
      }
      if (bodyLength + size > body.length) {
        int doubled = Math.max(bodyLength + size, 2 * body.length);
        body = Arrays.copyOf(body, Math.min(doubled, maxBody));
      }
      int received = Math.min(end - position, size);
      System.arraycopy(buffer, position, body, bodyLength, received);
      position += received;
      readFully(body, bodyLength + received, size - received);
      bodyLength += size;
      if (readByte() != '\r' || readByte() != '\n') {
        throw malformed("a chunk is longer than its size");
      }
    }
    int trailers = 0;
    for (int length = skipLine(); length > 0; length = skipLine()) {
      trailers += length;
      if (trailers > MAX_HEAD) {
        throw headTooLarge();
      }
    }
  }

  private int readChunkSize() throws IOException, RefusedRequest {
    int size = 0;
    int digits = 0;
    int b = readByte();
    for (int digit = Character.digit(b, 16); digit >= 0; digit = Character.digit(b, 16)) {
      if (++digits > 7) {
        throw bodyTooLarge();
      }
      size = 16 * size + digit;
      b = readByte();
    }
    if (digits == 0 || b != '\r' && b != ';' && b != ' ' && b != '\t') {
      throw malformed("not a chunk's size");
    }
    for (int length = 0; b != '\r'; length++) {
      if (length > MAX_CHUNK_LINE || b == '\n') {
        throw malformed("not a chunk's size");
      }
      b = readByte();
    }
    if (readByte() != '\n') {
      throw malformed("not a chunk's size");
    }
    return size;
  }

  /**
   * @return its length in bytes, without its end
   */
  private int skipLine() throws IOException, RefusedRequest {
    int length = 0;
    int b = readByte();
    while (b != '\r') {
      if (++length > MAX_HEAD || b == '\n') {
        throw malformed("not a trailer");
      }
      b = readByte();
    }
    if (readByte() != '\n') {
      throw malformed("not a trailer");
    }
    return length;
  }

  private int readByte() throws IOException {
    if (isEmpty()) {
      fill();
    }
    return buffer[position++];
  }

  private void readFully(byte[] into, int offset, int length) throws IOException {
    int missing = length;
    while (missing > 0) {
      int count = peer.read(into, offset + length - missing, missing);
      if (count < 0) {
        throw new EOFException();
      }
      missing -= count;
    }
  }

  /** Receives at least one byte more, behind {@code end}. */
  private void fill() throws IOException {
    if (position == end && position > keep && keep > 0) {
      position = keep;
      end = keep;
    }
    if (end == buffer.length) {
      makeRoom();
    }
    int count = peer.read(buffer, end, buffer.length - end);
    if (count < 0) {
      throw new EOFException();
    }
    end += count;
  }

  private void makeRoom() {
    if (keep == 0 && position > 0) {
      System.arraycopy(buffer, position, buffer, 0, end - position);
      scan -= position;
      line -= position;
      end -= position;
      position = 0;
    } else {
      buffer = Arrays.copyOf(buffer, 2 * buffer.length);
    }
  }

  private int indexOf(byte wanted, int from) {
    int i = from;
    while (i < scan && buffer[i] != wanted) {
      i++;
    }
    return i;
  }

  private boolean is(byte[] expected, int from, int to) {
    return Arrays.equals(buffer, from, to, expected, 0, expected.length);
  }

  private boolean startsWith(String expected, int from) {
    for (int i = 0; i < expected.length(); i++) {
      if (buffer[from + i] != expected.charAt(i)) {
        return false;
      }
    }
    return Character.isDigit(buffer[from + expected.length()]);
  }

  /** {@code lowerCase} holds letters and hyphens only. */
  private boolean equalsIgnoreCase(String lowerCase, int from) {
    for (int i = 0; i < lowerCase.length(); i++) {
      if ((buffer[from + i] | 0x20) != lowerCase.charAt(i)) {
        return false;
      }
    }
    return true;
  }

  private boolean isToken(int from, int to) {
    for (int i = from; i < to; i++) {
      int c = buffer[i];
      if (c <= ' ' || "\"(),/:;<=>?@[\\]{}".indexOf(c) >= 0) {
        return false;
      }
    }
    return to > from;
  }

  private static boolean isBlank(byte b) {
    return b == ' ' || b == '\t';
  }

  private String text(int from, int to) {
    return new String(buffer, from, to - from, StandardCharsets.ISO_8859_1);
  }

  private RefusedRequest bodyTooLarge() {
    return new RefusedRequest(413, "a body has at most " + maxBody + " bytes");
  }

  private static RefusedRequest headTooLarge() {
    return new RefusedRequest(431, "request line and headers have at most " + MAX_HEAD + " bytes");
  }

  private static RefusedRequest malformed(String what) {
    return new RefusedRequest(400, what);
  }
}
