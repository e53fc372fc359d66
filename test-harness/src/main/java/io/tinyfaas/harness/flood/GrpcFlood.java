package io.tinyfaas.harness.flood;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.Socket;
import java.net.SocketException;
import java.nio.ByteBuffer;

/**
 * gRPC. Outcomes: {@code answered} and {@code refused} for calls, by whether a message came, {@code
 * reset N} and {@code goaway N} with RFC 9113's number of the error, and {@code closed} for
 * connections.
 */
public final class GrpcFlood extends Flood<GrpcFlood> {

  private static final int WINDOW = 65_535;

  private String path = RawGrpc.REQUEST;
  private String function = "f";
  private int calls = 1;
  private String[] metadata = {};
  private int size;
  private boolean halfOpen;
  private boolean reset;
  private boolean unread;
  private int window = WINDOW;
  private int frames;
  private int frame;
  private byte[] framed = {};
  private int continuations;
  private int emptyFrames;

  GrpcFlood() {}

  @Override
  GrpcFlood self() {
    return this;
  }

  /** Of the method, such as {@code /grpc.health.v1.Health/Check}. */
  public GrpcFlood path(String path) {
    this.path = path;
    return this;
  }

  public GrpcFlood function(String function) {
    this.function = function;
    return this;
  }

  /** So many of each connection, at the same time. */
  public GrpcFlood calls(int calls) {
    this.calls = calls;
    return this;
  }

  /** So many tiny entries. */
  public GrpcFlood metadata(int entries) {
    metadata = new String[2 * entries];
    for (int i = 0; i < metadata.length; i += 2) {
      metadata[i] = "a" + i;
      metadata[i + 1] = "b";
    }
    return this;
  }

  /** What the function gets, in bytes. */
  public GrpcFlood data(int size) {
    this.size = size;
    return this;
  }

  /** No message follows. */
  public GrpcFlood halfOpen() {
    halfOpen = true;
    return this;
  }

  /** Each call is ended as soon as it has begun. */
  public GrpcFlood reset() {
    reset = true;
    return this;
  }

  /** The head of each call goes on in so many frames with nothing in them, and does not end. */
  public GrpcFlood continuations(int frames) {
    continuations = frames;
    return this;
  }

  /** Before its message, so many frames of data come with nothing in them. */
  public GrpcFlood emptyFrames(int frames) {
    emptyFrames = frames;
    return this;
  }

  /** So many pings, before the calls. */
  public GrpcFlood pings(int frames) {
    return frames(RawGrpc.PING, frames, new byte[8]);
  }

  /** So many settings with nothing in them, before the calls. */
  public GrpcFlood settings(int frames) {
    return frames(RawGrpc.SETTINGS, frames, new byte[0]);
  }

  /** The connection's window grows by a byte, so many times, before the calls. */
  public GrpcFlood windowUpdates(int frames) {
    return frames(RawGrpc.WINDOW_UPDATE, frames, new byte[] {0, 0, 0, 1});
  }

  private GrpcFlood frames(int type, int times, byte[] payload) {
    frame = type;
    frames = times;
    framed = payload;
    return this;
  }

  /** What may be sent to it in one call, in bytes. */
  public GrpcFlood window(int bytes) {
    window = bytes;
    return this;
  }

  /** Nothing of what comes is taken. */
  public GrpcFlood unread() {
    unread = true;
    return this;
  }

  @Override
  void attack(FloodClient client) throws IOException {
    Socket socket = client.connect();
    try {
      RawGrpc connection = new RawGrpc(socket, window);
      do {
        boolean taken = ask(connection);
        client.sent();
        if (unread) {
          client.awaitEnd();
        }
        hear(client, connection);
        if (!taken) {
          throw new SocketException("sent away");
        }
      } while (client.comesAgain());
    } finally {
      client.release(socket);
    }
  }

  /**
   * @return false if it was sent away before all of it was taken
   */
  private boolean ask(RawGrpc connection) throws IOException {
    try {
      connection.send(frame, 0, 0, framed, frames);
      for (int i = 0; i < calls; i++) {
        call(connection);
      }
      return true;
    } catch (SocketException e) {
      return false;
    }
  }

  private void call(RawGrpc connection) throws IOException {
    if (continuations > 0) {
      connection.open(path, 0, metadata);
      connection.send(RawGrpc.CONTINUATION, 0, connection.stream(), new byte[0], continuations);
      return;
    }
    connection.open(path, metadata);
    connection.emptyFrames(emptyFrames);
    if (reset) {
      connection.reset();
    } else if (!halfOpen) {
      connection.message(message(), false, true);
    }
  }

  /** The function's name, and what it gets. */
  private byte[] message() {
    ByteArrayOutputStream message = new ByteArrayOutputStream();
    field(message, 1, function.getBytes(UTF_8));
    field(message, 2, new byte[size]);
    return message.toByteArray();
  }

  private static void field(ByteArrayOutputStream message, int number, byte[] value) {
    message.write(number << 3 | 2);
    int length = value.length;
    for (; length > 0x7f; length >>>= 7) {
      message.write(length | 0x80);
    }
    message.write(length);
    message.writeBytes(value);
  }

  /** What comes, until all calls have ended; for ever, if they do not end or there are none. */
  private void hear(FloodClient client, RawGrpc connection) throws IOException {
    int left = reset ? 0 : calls;
    boolean[] answered = new boolean[connection.stream() + 1];
    while (left > 0 || calls == 0 && !client.isOver()) {
      RawGrpc.Frame next = connection.next();
      switch (next.type()) {
        case RawGrpc.DATA -> {
          answered[next.stream()] = true;
          if (next.payload().length > 0) {
            byte[] taken = ByteBuffer.allocate(4).putInt(next.payload().length).array();
            connection.send(RawGrpc.WINDOW_UPDATE, 0, 0, taken, 1);
          }
          if (next.isLast()) {
            left--;
          }
        }
        case RawGrpc.HEADERS -> {
          if (next.isLast()) {
            client.tell(answered[next.stream()] ? "answered" : "refused");
            left--;
          }
        }
        case RawGrpc.RESET -> {
          client.tell("reset " + ByteBuffer.wrap(next.payload()).getInt());
          left--;
        }
        case RawGrpc.GOAWAY -> client.tell("goaway " + ByteBuffer.wrap(next.payload()).getInt(4));
        case RawGrpc.PING -> {
          if ((next.flags() & RawGrpc.ACK) == 0) {
            connection.send(RawGrpc.PING, RawGrpc.ACK, 0, next.payload(), 1);
          }
        }
        default -> {}
      }
    }
  }
}
