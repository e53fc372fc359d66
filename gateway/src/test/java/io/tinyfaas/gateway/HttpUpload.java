package io.tinyfaas.gateway;

import static java.nio.charset.StandardCharsets.US_ASCII;

import io.tinyfaas.harness.Eventually;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.Proxy;
import java.net.Socket;
import java.net.SocketException;
import java.time.Duration;

/**
 * What came of a large body, sent on a connection of its own. The gateway may refuse it while it is
 * being sent, and waits 2 s before it closes the connection: a client that stands still for longer
 * is told all the same, where others may lose the answer with the connection.
 */
record HttpUpload(int status, int bodyLength) {

  private static final int PATIENCE_MILLIS =
      (int) Eventually.patient(Duration.ofMinutes(2)).toMillis();

  private static final int PIECE = 64 * 1_024;

  static HttpUpload post(int port, String path, byte[] body) throws IOException {
    try (Socket socket = new Socket(Proxy.NO_PROXY)) {
      socket.connect(new InetSocketAddress("127.0.0.1", port), PATIENCE_MILLIS);
      socket.setSoTimeout(PATIENCE_MILLIS);
      String head =
          "POST "
              + path
              + " HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: "
              + body.length
              + "\r\n\r\n";
      try {
        socket.getOutputStream().write(head.getBytes(US_ASCII));
        for (int sent = 0; sent < body.length; sent += PIECE) {
          socket.getOutputStream().write(body, sent, Math.min(PIECE, body.length - sent));
        }
      } catch (SocketException e) {
        // refused
      }
      return parse(readAll(socket));
    }
  }

  private static byte[] readAll(Socket socket) throws IOException {
    ByteArrayOutputStream answer = new ByteArrayOutputStream();
    try {
      socket.getInputStream().transferTo(answer);
    } catch (SocketException e) {
      // closed while this side was still sending
    }
    return answer.toByteArray();
  }

  private static HttpUpload parse(byte[] answer) throws IOException {
    String head = new String(answer, 0, Math.min(answer.length, PIECE), US_ASCII);
    int end = head.indexOf("\r\n\r\n");
    if (!head.startsWith("HTTP/1.1 ") || end < 0) {
      throw new IOException("no answer, but: " + head);
    }
    return new HttpUpload(Integer.parseInt(head.substring(9, 12)), answer.length - end - 4);
  }
}
