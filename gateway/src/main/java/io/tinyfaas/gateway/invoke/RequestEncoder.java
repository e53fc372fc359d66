package io.tinyfaas.gateway.invoke;

import io.netty.buffer.ByteBuf;
import io.tinyfaas.contract.handler.HandlerHttp;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/** Writes invocations as HTTP/1.1 requests (RFC 9112). On one event loop only. */
final class RequestEncoder {

  private static final byte[] BEGIN = ascii("POST " + HandlerHttp.INVOKE_PATH + " HTTP/1.1\r\n");

  private static final byte[] HOST = ascii("Host: localhost\r\n");

  private static final byte[] LENGTH = ascii("Content-Length: ");
  private static final byte[] LINE_END = ascii("\r\n");
  private static final byte[] END = ascii("\r\n\r\n");

  private static final char DELETE = 0x7f;

  /** Fields that are not a caller's to say, by the length of their names. */
  private static final String[][] OURS =
      IntStream.range(0, 32)
          .mapToObj(
              length ->
                  Stream.concat(
                          HandlerHttp.CONNECTION_FIELDS.stream(),
                          Stream.of(
                              HandlerHttp.DEVICE_HEADER,
                              HandlerHttp.CALLER_HEADER,
                              HandlerHttp.DEADLINE_HEADER,
                              HandlerHttp.DEPTH_HEADER))
                      .filter(name -> name.length() == length)
                      .toArray(String[]::new))
          .toArray(String[][]::new);

  /** A head being written: cheaper than writing it into the buffer character by character. */
  private byte[] head = new byte[1_024];

  private int length;
  private int headers;

  private static byte[] ascii(String text) {
    return text.getBytes(StandardCharsets.US_ASCII);
  }

  /**
   * Appends the whole request.
   *
   * @throws IllegalArgumentException if a header would become something else, or handlers would
   *     refuse the head, and with it what others have sent on the connection; nothing is written
   */
  void write(Invocation invocation, ByteBuf to) {
    putHead(invocation);
    to.writeBytes(head, 0, length).writeBytes(invocation.body());
  }

  /**
   * @throws IllegalArgumentException as {@link #write} would
   */
  void check(Invocation invocation) {
    putHead(invocation);
  }

  private void putHead(Invocation invocation) {
    length = 0;
    headers = 1; // the length
    put(BEGIN);
    boolean hostIsNamed = false;
    for (Map.Entry<String, String> header : invocation.headers()) {
      String name = header.getKey();
      boolean host = name.length() == 4 && name.equalsIgnoreCase("Host");
      if (host ? !hostIsNamed : !isOurs(name)) {
        put(name, header.getValue());
      }
      hostIsNamed |= host;
    }
    if (!hostIsNamed) {
      put(HOST);
      headers++;
    }
    if (!invocation.device().isEmpty()) {
      put(HandlerHttp.DEVICE_HEADER, invocation.device());
    }
    if (invocation.lineage() != Lineage.OUTSIDE) {
      put(invocation.lineage());
    }
    put(LENGTH);
    put(Integer.toString(invocation.body().length));
    put(END);
    if (headers > HandlerHttp.MAX_HEADERS || length > HandlerHttp.MAX_HEAD_BYTES) {
      throw new IllegalArgumentException(
          "its headers are more than "
              + HandlerHttp.MAX_HEADERS
              + ", or take more than "
              + HandlerHttp.MAX_HEAD_BYTES
              + " bytes");
    }
  }

  /**
   * What ends a request, or concerns the connection, is said here and nowhere else, and so is who
   * has proved to be which device, and which functions led to it: no ingress can pass on what a
   * sender says.
   */
  private static boolean isOurs(String name) {
    if (name.length() >= OURS.length) {
      return false;
    }
    for (String ours : OURS[name.length()]) {
      if (ours.equalsIgnoreCase(name)) {
        return true;
      }
    }
    return false;
  }

  private void put(Lineage lineage) {
    if (!lineage.caller().isEmpty()) {
      put(HandlerHttp.CALLER_HEADER, lineage.caller());
    }
    if (lineage.hasDeadline()) {
      put(HandlerHttp.DEADLINE_HEADER, Long.toString(lineage.deadline()));
      put(HandlerHttp.DEPTH_HEADER, Integer.toString(lineage.depth()));
    }
  }

  private void put(String name, String value) {
    put(name);
    boolean token = !name.isEmpty();
    for (int i = length - name.length(); i < length; i++) {
      token &= AnswerHead.isToken(head[i]);
    }
    if (!token) {
      throw new IllegalArgumentException("a header's name is none");
    }
    headers++;
    put(": ");
    put(value);
    put(LINE_END);
  }

  private void put(byte[] bytes) {
    reserve(bytes.length);
    System.arraycopy(bytes, 0, head, length, bytes.length);
    length += bytes.length;
  }

  private void put(String text) {
    int count = text.length();
    reserve(count);
    byte[] target = head;
    int at = length;
    for (int i = 0; i < count; i++) {
      char c = text.charAt(i);
      if (c < ' ' && c != '\t' || c == DELETE || c > 0xff) {
        throw new IllegalArgumentException("a header with a control character in it");
      }
      target[at++] = (byte) c;
    }
    length = at;
  }

  private void reserve(int count) {
    if (head.length - length < count) {
      byte[] larger = new byte[Math.max(2 * head.length, length + count)];
      System.arraycopy(head, 0, larger, 0, length);
      head = larger;
    }
  }
}
