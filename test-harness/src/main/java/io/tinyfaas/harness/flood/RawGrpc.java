package io.tinyfaas.harness.flood;

import io.tinyfaas.harness.Eventually;
import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.Proxy;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.zip.GZIPOutputStream;

/** A connection of HTTP/2 (RFC 9113) on which a test does what no gRPC client would. */
public final class RawGrpc implements AutoCloseable {

  public static final String REQUEST = "/openfogstack.tinyfaas.tinyfaas.TinyFaaS/Request";
  public static final String HEALTH = "/grpc.health.v1.Health/Check";
  public static final String REFLECTION =
      "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo";

  public static final int DATA = 0;
  public static final int HEADERS = 1;
  public static final int RESET = 3;
  public static final int SETTINGS = 4;
  static final int PING = 6;
  static final int GOAWAY = 7;
  static final int WINDOW_UPDATE = 8;
  static final int CONTINUATION = 9;

  public static final int HEADER_TABLE_SIZE = 1;
  private static final int INITIAL_WINDOW = 4;
  static final int ACK = 1;
  static final int END_STREAM = 1;
  private static final int END_HEADERS = 4;
  private static final int MAX_PREFIX = 0x7f;

  /** Longer than the gateway waits for anything, with its settings as they come. */
  private static final int PATIENCE_MILLIS =
      (int) Eventually.patient(Duration.ofSeconds(90)).toMillis();

  /** Little, so that the kernel does not take answers for a test that does not read. */
  private static final int RECEIVE_BYTES = 8 * 1024;

  private static final int FRAMES_AT_ONCE = 1_000;

  private final Socket socket;
  private final DataInputStream in;
  private int stream = -1;

  /**
   * @param window of what the gateway may send in a call, in bytes
   */
  public RawGrpc(int port, int window) throws IOException {
    this(connected(port), window);
  }

  private static Socket connected(int port) throws IOException {
    Socket socket = new Socket(Proxy.NO_PROXY);
    socket.setReceiveBufferSize(RECEIVE_BYTES);
    socket.connect(new InetSocketAddress("127.0.0.1", port), PATIENCE_MILLIS);
    socket.setSoTimeout(PATIENCE_MILLIS);
    return socket;
  }

  RawGrpc(Socket socket, int window) throws IOException {
    this.socket = socket;
    in = new DataInputStream(new BufferedInputStream(socket.getInputStream()));
    socket
        .getOutputStream()
        .write("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".getBytes(StandardCharsets.US_ASCII));
    set(INITIAL_WINDOW, window);
  }

  private void send(int type, int flags, int id, byte[] payload) throws IOException {
    send(type, flags, id, payload, 1);
  }

  /** The same frame so many times. */
  void send(int type, int flags, int id, byte[] payload, int times) throws IOException {
    for (int sent = 0; sent < times; sent += FRAMES_AT_ONCE) {
      int some = Math.min(FRAMES_AT_ONCE, times - sent);
      ByteBuffer frames = ByteBuffer.allocate(some * (9 + payload.length));
      while (frames.hasRemaining()) {
        frames.put((byte) (payload.length >> 16)).putShort((short) payload.length);
        frames.put((byte) type).put((byte) flags).putInt(id).put(payload);
      }
      socket.getOutputStream().write(frames.array());
    }
  }

  /** Of the call that was begun last. */
  int stream() {
    return stream;
  }

  /** Ends the call that was begun last. */
  void reset() throws IOException {
    send(RESET, 0, stream, new byte[] {0, 0, 0, 8});
  }

  /** Of this side of the connection (RFC 9113, 6.5.2). */
  public void set(int setting, int value) throws IOException {
    send(SETTINGS, 0, 0, ByteBuffer.allocate(6).putShort((short) setting).putInt(value).array());
  }

  /**
   * Begins a call.
   *
   * @param namesAndValues of metadata
   */
  public void open(String path, String... namesAndValues) throws IOException {
    open(path, END_HEADERS, namesAndValues);
  }

  /** A call without a message. */
  public void openAndEnd(String path) throws IOException {
    open(path, END_HEADERS | END_STREAM);
  }

  void open(String path, int flags, String... namesAndValues) throws IOException {
    stream += 2;
    ByteArrayOutputStream block = new ByteArrayOutputStream();
    fields(block, ":method", "POST", ":scheme", "http", ":path", path, ":authority", "x");
    fields(block, "content-type", "application/grpc", "te", "trailers");
    fields(block, namesAndValues);
    send(HEADERS, flags, stream, block.toByteArray());
  }

  /** Literal, without indexing (RFC 7541, 6.2.2). */
  static void fields(ByteArrayOutputStream block, String... namesAndValues) {
    for (int i = 0; i < namesAndValues.length; i += 2) {
      block.write(0);
      for (int part = i; part < i + 2; part++) {
        length(block, namesAndValues[part].length());
        block.writeBytes(namesAndValues[part].getBytes(StandardCharsets.ISO_8859_1));
      }
    }
  }

  /** In seven bits, and more where it is longer (RFC 7541, 5.1). */
  private static void length(ByteArrayOutputStream block, int length) {
    if (length < MAX_PREFIX) {
      block.write(length);
      return;
    }
    block.write(MAX_PREFIX);
    int rest = length - MAX_PREFIX;
    for (; rest >= 0x80; rest >>>= 7) {
      block.write(rest | 0x80);
    }
    block.write(rest);
  }

  /**
   * Whole calls of a method that there is not, 15 bytes each: after the first its fields are known
   * by their numbers (RFC 7541, 6.1 and 6.2.1). Nothing of what comes is read.
   */
  public void askNobody(int calls) throws IOException {
    ByteArrayOutputStream first = new ByteArrayOutputStream();
    first.writeBytes(new byte[] {(byte) 0x83, (byte) 0x86});
    indexed(first, ":path", "/none/none", ":authority", "x");
    indexed(first, "content-type", "application/grpc", "te", "trailers");
    stream += 2;
    send(HEADERS, END_HEADERS | END_STREAM, stream, first.toByteArray());
    byte[] known = {(byte) 0x83, (byte) 0x86, (byte) 0xc1, (byte) 0xc0, (byte) 0xbf, (byte) 0xbe};
    for (int sent = 0; sent < calls; sent += FRAMES_AT_ONCE) {
      ByteBuffer frames = ByteBuffer.allocate(FRAMES_AT_ONCE * (9 + known.length));
      while (frames.hasRemaining()) {
        stream += 2;
        frames.put((byte) 0).putShort((short) known.length).put((byte) HEADERS);
        frames.put((byte) (END_HEADERS | END_STREAM)).putInt(stream).put(known);
      }
      socket.getOutputStream().write(frames.array());
    }
  }

  /** Literal, with indexing (RFC 7541, 6.2.1). */
  private static void indexed(ByteArrayOutputStream block, String... namesAndValues) {
    for (int i = 0; i < namesAndValues.length; i += 2) {
      block.write(0x40);
      for (int part = i; part < i + 2; part++) {
        block.write(namesAndValues[part].length());
        block.writeBytes(namesAndValues[part].getBytes(StandardCharsets.ISO_8859_1));
      }
    }
  }

  /** The message of the call that was begun last. */
  public void message(byte[] message, boolean compressed, boolean last) throws IOException {
    byte[] sent = compressed ? compressed(message) : message;
    ByteBuffer prefixed = ByteBuffer.allocate(5 + sent.length);
    prefixed.put((byte) (compressed ? 1 : 0)).putInt(sent.length).put(sent);
    send(DATA, last ? END_STREAM : 0, stream, prefixed.array());
  }

  /** Some bytes of the message of the call that was begun last. */
  public void part(byte[] bytes) throws IOException {
    send(DATA, 0, stream, bytes);
  }

  /** Of the call that was begun last, with nothing in them. */
  public void emptyFrames(int frames) throws IOException {
    send(DATA, 0, stream, new byte[0], frames);
  }

  private static byte[] compressed(byte[] message) throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (GZIPOutputStream out = new GZIPOutputStream(bytes)) {
      out.write(message);
    }
    return bytes.toByteArray();
  }

  /** Reads until the next frame of this type; what it holds. */
  public String next(int type) throws IOException {
    while (true) {
      Frame frame = next();
      if (frame.type() == type) {
        return new String(frame.payload(), StandardCharsets.ISO_8859_1);
      }
    }
  }

  record Frame(int type, int flags, int stream, byte[] payload) {
    boolean isLast() {
      return (flags & END_STREAM) != 0;
    }
  }

  Frame next() throws IOException {
    int lengthAndType = in.readInt();
    int flags = in.readUnsignedByte();
    int id = in.readInt();
    return new Frame(lengthAndType & 0xff, flags, id, in.readNBytes(lengthAndType >>> 8));
  }

  @Override
  public void close() throws IOException {
    socket.close();
  }
}
