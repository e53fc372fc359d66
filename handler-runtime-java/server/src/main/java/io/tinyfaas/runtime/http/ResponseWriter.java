package io.tinyfaas.runtime.http;

import io.tinyfaas.function.Response;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Map;

/**
 * Writes the answers of one connection, each with one system call where it fits. There is no Date
 * header: the gateway is the only reader, and devices get none.
 */
final class ResponseWriter {

  static final String TEXT = "text/plain; charset=utf-8";

  /**
   * Bodies up to here are copied behind their head; larger ones are written from where they are.
   */
  private static final int MAX_COPIED = 8 * 1024;

  private static final byte[] OK = ascii("HTTP/1.1 200 OK\r\n");
  private static final byte[] TEXT_TYPE = ascii("Content-Type: " + TEXT + "\r\n");
  private static final byte[] BYTES_TYPE = ascii("Content-Type: application/octet-stream\r\n");
  private static final byte[] CLOSE = ascii("Connection: close\r\n");
  private static final byte[] LENGTH = ascii("Content-Length: ");
  private static final byte[] CONTINUE = ascii("HTTP/1.1 100 Continue\r\n\r\n");
  private static final byte[] NONE = new byte[0];
  private static final int MAX_MESSAGE = 200;

  private final Peer peer;
  private byte[] buffer = new byte[512];
  private int length;

  ResponseWriter(Peer peer) {
    this.peer = peer;
  }

  void writeContinue() throws IOException {
    peer.write(CONTINUE, CONTINUE.length);
  }

  void writeEmpty(int status, boolean close) throws IOException {
    write(status, NONE, Map.of(), NONE, close);
  }

  void writeText(String text, boolean close) throws IOException {
    write(200, TEXT_TYPE, Map.of(), text.getBytes(StandardCharsets.UTF_8), close);
  }

  void writeBytes(byte[] bytes, boolean close) throws IOException {
    write(200, BYTES_TYPE, Map.of(), bytes, close);
  }

  void write(Response response, boolean close) throws IOException {
    write(response.status(), NONE, response.headers(), response.body(), close);
  }

  /**
   * @param message becomes one line of at most 200 characters
   */
  void writeError(int status, String message, boolean close) throws IOException {
    String start = message.substring(0, Math.min(message.length(), 2 * MAX_MESSAGE));
    String line = start.replaceAll("[\\s\\p{Cntrl}]+", " ").strip();
    if (line.length() > MAX_MESSAGE) {
      // Not between the two halves of a character beyond U+FFFF.
      boolean splits = Character.isHighSurrogate(line.charAt(MAX_MESSAGE - 1));
      line = line.substring(0, splits ? MAX_MESSAGE - 1 : MAX_MESSAGE);
    }
    write(status, TEXT_TYPE, Map.of(), line.getBytes(StandardCharsets.UTF_8), close);
  }

  private void write(
      int status, byte[] typeLine, Map<String, String> headers, byte[] content, boolean close)
      throws IOException {
    boolean hasBody = status != 204 && status != 304;
    byte[] body = hasBody ? content : NONE;
    length = 0;
    if (status == 200) {
      append(OK);
    } else {
      append("HTTP/1.1 ");
      appendNumber(status);
      append(" \r\n");
    }
    append(typeLine);
    for (Map.Entry<String, String> header : headers.entrySet()) {
      append(header.getKey());
      append(": ");
      append(header.getValue());
      append("\r\n");
    }
    if (close) {
      append(CLOSE);
    }
    if (hasBody) {
      append(LENGTH);
      appendNumber(body.length);
      append("\r\n");
    }
    append("\r\n");
    if (body.length <= MAX_COPIED) {
      append(body);
      peer.write(buffer, length);
    } else {
      peer.write(buffer, length, body);
    }
  }

  private void append(byte[] bytes) {
    ensure(bytes.length);
    System.arraycopy(bytes, 0, buffer, length, bytes.length);
    length += bytes.length;
  }

  /** Characters up to U+00FF, as {@link Response} has checked. */
  private void append(String text) {
    ensure(text.length());
    for (int i = 0; i < text.length(); i++) {
      buffer[length++] = (byte) text.charAt(i);
    }
  }

  private void appendNumber(int number) {
    int digits = 1;
    for (int rest = number / 10; rest > 0; rest /= 10) {
      digits++;
    }
    ensure(digits);
    length += digits;
    int rest = number;
    for (int at = length - 1; at >= length - digits; at--) {
      buffer[at] = (byte) ('0' + rest % 10);
      rest /= 10;
    }
  }

  private void ensure(int more) {
    if (length + more > buffer.length) {
      buffer = Arrays.copyOf(buffer, Math.max(length + more, 2 * buffer.length));
    }
  }

  private static byte[] ascii(String text) {
    return text.getBytes(StandardCharsets.US_ASCII);
  }
}
