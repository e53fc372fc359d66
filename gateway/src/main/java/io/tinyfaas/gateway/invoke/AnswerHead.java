package io.tinyfaas.gateway.invoke;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import io.tinyfaas.contract.handler.HandlerHttp;
import io.tinyfaas.gateway.invoke.AnswerParser.MalformedAnswerException;
import io.tinyfaas.gateway.memory.BodyMemory;
import io.vertx.core.MultiMap;
import io.vertx.core.http.HttpHeaders;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;

/**
 * Status line and headers of an answer, and what they say of its body.
 *
 * @param contentLength {@link AnswerParser#UNKNOWN} if the body's end is told otherwise
 * @param kept whether the connection is kept after the answer
 * @param held what it takes beyond what is usual, in bytes of memory
 * @param headers without those that concern the connection only and the length
 */
record AnswerHead(
    ByteBuf text,
    int status,
    MultiMap headers,
    long contentLength,
    boolean chunked,
    boolean kept,
    long held) {

  private static final String MALFORMED_HEADER = "a header of it is malformed";
  private static final int LENGTH_DIGITS = 18;
  private static final String TOKEN_MARKS = "!#$%&'*+-.^_`|~";
  private static final boolean[] TOKEN = new boolean[128];
  private static final byte DELETE = 0x7f;

  static {
    for (char c = 0; c < TOKEN.length; c++) {
      TOKEN[c] =
          c >= 'a' && c <= 'z'
              || c >= 'A' && c <= 'Z'
              || c >= '0' && c <= '9'
              || TOKEN_MARKS.indexOf(c) >= 0;
    }
  }

  /**
   * @param text from the status line to the empty line, including it
   */
  static AnswerHead parse(byte[] text) throws MalformedAnswerException {
    int line = lineEnd(text, 0);
    boolean current = startsWith(text, "HTTP/1.1 ");
    if (!current && !startsWith(text, "HTTP/1.0 ")) {
      throw new MalformedAnswerException("it does not begin with HTTP/1.1");
    }
    int status = status(text, line);
    MultiMap headers = MultiMap.caseInsensitiveMultiMap();
    int at = line + 2;
    int count = 0;
    while ((line = lineEnd(text, at)) > at) {
      if (++count > HandlerHttp.MAX_HEADERS) {
        throw new MalformedAnswerException("its headers are more than " + HandlerHttp.MAX_HEADERS);
      }
      header(text, at, line, headers);
      at = line + 2;
    }
    boolean chunked = isChunked(headers);
    long length = length(headers, status, chunked);
    boolean kept = isKept(headers, current) && (chunked || length >= 0);
    options(headers).forEach(headers::remove); // which it says are of the connection, too
    HandlerHttp.CONNECTION_FIELDS.forEach(headers::remove);
    long held = BodyMemory.ofManyHeaders(headers);
    return new AnswerHead(
        Unpooled.wrappedBuffer(text), status, headers, length, chunked, kept, held);
  }

  int bytes() {
    return text.capacity();
  }

  /** 100 Continue and its like, after which the answer comes. */
  boolean isInterim() {
    return status < 200;
  }

  boolean isNextIn(ByteBuf in) {
    int length = text.capacity();
    return in.readableBytes() >= length
        && ByteBufUtil.equals(text, 0, in, in.readerIndex(), length);
  }

  private static boolean startsWith(byte[] text, String prefix) {
    if (text.length < prefix.length()) {
      return false;
    }
    for (int i = 0; i < prefix.length(); i++) {
      if (text[i] != prefix.charAt(i)) {
        return false;
      }
    }
    return true;
  }

  private static int lineEnd(byte[] text, int start) throws MalformedAnswerException {
    for (int i = start; i < text.length; i++) {
      if (text[i] == '\r' && text[i + 1] == '\n') {
        return i;
      }
      if (text[i] >= 0 && text[i] < ' ' && text[i] != '\t' || text[i] == DELETE) {
        throw new MalformedAnswerException(MALFORMED_HEADER);
      }
    }
    throw new MalformedAnswerException(MALFORMED_HEADER);
  }

  private static int status(byte[] text, int lineEnd) throws MalformedAnswerException {
    int status = 0;
    int start = "HTTP/1.1 ".length();
    int end = start + 3;
    if (lineEnd >= end && (lineEnd == end || text[end] == ' ')) {
      for (int i = start; i < end && status >= 0; i++) {
        status = text[i] >= '0' && text[i] <= '9' ? 10 * status + text[i] - '0' : -1;
      }
    }
    if (status < 100 || status == 101) {
      throw new MalformedAnswerException("its status is none that was asked for");
    }
    return status;
  }

  private static void header(byte[] text, int start, int end, MultiMap headers)
      throws MalformedAnswerException {
    int colon = start;
    while (colon < end && isToken(text[colon])) {
      colon++;
    }
    if (colon == start || colon == end || text[colon] != ':') {
      throw new MalformedAnswerException(MALFORMED_HEADER);
    }
    int from = colon + 1;
    int to = end;
    while (from < to && isBlank(text[from])) {
      from++;
    }
    while (to > from && isBlank(text[to - 1])) {
      to--;
    }
    headers.add(
        new String(text, start, colon - start, StandardCharsets.ISO_8859_1),
        new String(text, from, to - from, StandardCharsets.ISO_8859_1));
  }

  /** Whether a header's name may have it (RFC 9110, 5.6.2). */
  static boolean isToken(byte b) {
    return b >= 0 && TOKEN[b];
  }

  private static boolean isBlank(byte b) {
    return b == ' ' || b == '\t';
  }

  private static boolean isChunked(MultiMap headers) throws MalformedAnswerException {
    List<String> codings = headers.getAll(HttpHeaders.TRANSFER_ENCODING);
    if (codings.isEmpty()) {
      return false;
    }
    if (codings.size() > 1 || !codings.getFirst().equalsIgnoreCase("chunked")) {
      throw new MalformedAnswerException("its Transfer-Encoding is not chunked");
    }
    if (headers.contains(HttpHeaders.CONTENT_LENGTH)) {
      throw new MalformedAnswerException("it has a Content-Length and is chunked");
    }
    return true;
  }

  private static long length(MultiMap headers, int status, boolean chunked)
      throws MalformedAnswerException {
    List<String> lengths = headers.getAll(HttpHeaders.CONTENT_LENGTH);
    if (status < 200 || status == 204 || status == 304) {
      return 0;
    }
    if (chunked || lengths.isEmpty()) {
      return AnswerParser.UNKNOWN;
    }
    String digits = lengths.getFirst();
    boolean number =
        !digits.isEmpty()
            && digits.length() <= LENGTH_DIGITS
            && digits.chars().allMatch(c -> c >= '0' && c <= '9');
    if (lengths.size() > 1 || !number) {
      throw new MalformedAnswerException("its Content-Length is not one number");
    }
    return Long.parseLong(digits);
  }

  private static boolean isKept(MultiMap headers, boolean current) {
    boolean kept = current;
    for (String option : options(headers)) {
      if (option.equalsIgnoreCase("close")) {
        return false;
      }
      kept |= option.equalsIgnoreCase("keep-alive");
    }
    return kept;
  }

  /** What the Connection field names: options, and fields that are of the connection only. */
  private static List<String> options(MultiMap headers) {
    if (!headers.contains(HttpHeaders.CONNECTION)) {
      return List.of();
    }
    return headers.getAll(HttpHeaders.CONNECTION).stream()
        .flatMap(value -> Arrays.stream(value.split(",")))
        .map(String::strip)
        .filter(option -> !option.isEmpty())
        .toList();
  }
}
