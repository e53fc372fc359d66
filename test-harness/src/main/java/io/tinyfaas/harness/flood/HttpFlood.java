package io.tinyfaas.harness.flood;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import java.io.BufferedInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.Socket;
import java.net.SocketException;

/** HTTP/1.1. Outcomes are statuses, and {@code closed} and {@code refused} for connections. */
public final class HttpFlood extends Flood<HttpFlood> {

  private static final int PIECE = 16 * 1024;

  private final StringBuilder fields = new StringBuilder("Host: x\r\n");
  private String method = "GET";
  private String path = "/";
  private boolean unfinished;
  private boolean unread;
  private boolean hangUp;
  private int pipelined = 1;
  private int body;
  private int pieceMillis;
  private int chunks;
  private int chunk;
  private String trailers = "";

  HttpFlood() {}

  @Override
  HttpFlood self() {
    return this;
  }

  public HttpFlood method(String method) {
    this.method = method;
    return this;
  }

  /** What is asked for, with its query; # is the client's number. */
  public HttpFlood path(String path) {
    this.path = path;
    return this;
  }

  /** A line of the head, so many times, such as {@code a:} or {@code a: b}. */
  public HttpFlood field(String line, int times) {
    fields.append((line + "\r\n").repeat(times));
    return this;
  }

  /** The head is without its end. */
  public HttpFlood unfinished() {
    unfinished = true;
    return this;
  }

  /** The body's length, as its head says. */
  public HttpFlood contentLength(int bytes) {
    method = "POST";
    return field("Content-Length: " + bytes, 1);
  }

  /** So much of the body comes, by which nothing is said of its length. */
  public HttpFlood body(int bytes) {
    body = bytes;
    return this;
  }

  /** The body comes byte by byte, with so long a pause between them. */
  public HttpFlood slowly(int millis) {
    pieceMillis = millis;
    return this;
  }

  /** A body in so many chunks of so many bytes, and its end. */
  public HttpFlood chunks(int chunks, int bytes) {
    method = "POST";
    this.chunks = chunks;
    chunk = bytes;
    return field("Transfer-Encoding: chunked", 1);
  }

  /** A line after the last chunk, so many times. */
  public HttpFlood trailer(String line, int times) {
    trailers += (line + "\r\n").repeat(times);
    return this;
  }

  /** So many requests one after the other, without waiting for answers. */
  public HttpFlood pipelined(int requests) {
    pipelined = requests;
    return this;
  }

  /** No answer is taken. */
  public HttpFlood unread() {
    unread = true;
    return this;
  }

  /** Each connection is broken off as soon as all is sent. */
  public HttpFlood hangUp() {
    hangUp = true;
    return this;
  }

  @Override
  void attack(FloodClient client) throws IOException {
    Socket socket = client.connect();
    try {
      InputStream in = new BufferedInputStream(socket.getInputStream());
      do {
        try {
          for (int i = 0; i < pipelined; i++) {
            ask(client, socket.getOutputStream());
          }
        } catch (SocketException e) {
          // Refused before all of it was taken: the answer may be there.
        }
        client.sent();
        if (hangUp) {
          client.tell("hung up");
          socket.setSoLinger(true, 0); // closed by a reset
          return;
        }
        if (unread) {
          client.awaitEnd();
        }
        for (int i = 0; i < pipelined; i++) {
          client.tell(answer(in));
        }
      } while (client.comesAgain());
    } finally {
      client.release(socket);
    }
  }

  private void ask(FloodClient client, OutputStream out) throws IOException {
    String head =
        method
            + " "
            + client.numbered(path)
            + " HTTP/1.1\r\n"
            + fields
            + (unfinished ? "" : "\r\n");
    out.write(head.getBytes(ISO_8859_1));
    if (pieceMillis > 0) {
      for (int i = 0; i < body && !client.isOver(); i++) {
        out.write('x');
        client.pause(pieceMillis);
      }
    } else {
      for (int sent = 0; sent < body; sent += PIECE) {
        out.write(new byte[Math.min(PIECE, body - sent)]);
      }
    }
    if (chunks > 0) {
      byte[] one =
          (Integer.toHexString(chunk) + "\r\n" + "x".repeat(chunk) + "\r\n").getBytes(ISO_8859_1);
      int atOnce = Math.max(1, PIECE / one.length);
      for (int sent = 0; sent < chunks; sent += atOnce) {
        out.write(repeat(one, Math.min(atOnce, chunks - sent)));
      }
      out.write(("0\r\n" + trailers + "\r\n").getBytes(ISO_8859_1));
    }
  }

  private static byte[] repeat(byte[] bytes, int times) {
    byte[] all = new byte[times * bytes.length];
    for (int at = 0; at < all.length; at += bytes.length) {
      System.arraycopy(bytes, 0, all, at, bytes.length);
    }
    return all;
  }

  /** The status of the next one; those that are not the last of a request are left out. */
  private static String answer(InputStream in) throws IOException {
    String status = line(in).replaceFirst("HTTP/1.1 (\\d{3}).*", "$1");
    int length = 0;
    boolean chunked = false;
    for (String field = line(in); !field.isEmpty(); field = line(in)) {
      String[] nameAndValue = field.toLowerCase().split(": *", 2);
      switch (nameAndValue[0]) {
        case "content-length" -> length = Integer.parseInt(nameAndValue[1]);
        case "transfer-encoding" -> chunked = true;
        default -> {}
      }
    }
    if (chunked) {
      for (int size = chunk(in); size > 0; size = chunk(in)) {
        in.skipNBytes(size + 2);
      }
      line(in);
    }
    in.skipNBytes(length);
    return status.startsWith("1") ? answer(in) : status;
  }

  private static int chunk(InputStream in) throws IOException {
    return Integer.parseInt(line(in), 16);
  }

  private static String line(InputStream in) throws IOException {
    StringBuilder line = new StringBuilder();
    for (int c = in.read(); c != '\n'; c = in.read()) {
      if (c < 0) {
        throw new EOFException();
      }
      line.append((char) c);
    }
    return line.toString().strip();
  }
}
