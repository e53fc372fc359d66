package io.tinyfaas.harness.flood;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetSocketAddress;
import java.net.SocketTimeoutException;
import java.nio.ByteBuffer;
import java.util.Map;
import java.util.TreeMap;

/**
 * CoAP by UDP. Outcomes: codes of responses, {@code acknowledged} for requests whose response is
 * still to come, {@code reset}, and {@code none} for devices that heard nothing for a while.
 */
public final class CoapFlood extends Flood<CoapFlood> {

  private static final int CON = 0;
  private static final int NON = 1;
  private static final int ACK = 2;
  private static final int RST = 3;

  private static final int GET = 1;
  private static final int POST = 2;

  private static final int OBSERVE = 6;
  private static final int URI_PATH = 11;
  private static final int URI_QUERY = 15;
  private static final int BLOCK1 = 27;
  private static final int REQUEST_TAG = 292;

  /** The gateway's socket has room for so many. */
  private static final int AT_A_TIME = 50;

  /** After which whoever is asked has taken what was sent before, or lost it. */
  private static final int QUIET_MILLIS = 500;

  /** Message IDs from here on are those of pings. */
  private static final int FIRST_PING = 0xff00;

  private final Map<Integer, byte[][]> options = new TreeMap<>();
  private String path = "f";
  private int type = CON;
  private int code = GET;
  private int requests = 1;
  private int payload;
  private int tokenLength = 4;
  private boolean unacknowledged;
  private boolean empty;
  private boolean tagged;

  CoapFlood() {}

  @Override
  CoapFlood self() {
    return this;
  }

  /** Such as {@code f/a/b}; # is the client's number. */
  public CoapFlood path(String path) {
    this.path = path;
    return this;
  }

  /** So many of each device, a new token each, without waiting for answers. */
  public CoapFlood requests(int requests) {
    this.requests = requests;
    return this;
  }

  public CoapFlood nonConfirmable() {
    type = NON;
    return this;
  }

  /** POST, with a payload of so many bytes. */
  public CoapFlood payload(int bytes) {
    code = POST;
    payload = bytes;
    return this;
  }

  /** So many Uri-Query options with nothing in them. */
  public CoapFlood queries(int times) {
    return option(URI_QUERY, 0, times);
  }

  /**
   * @param bytes its length
   * @param times how often it is there
   */
  public CoapFlood option(int number, int bytes, int times) {
    byte[][] values = new byte[times][bytes];
    options.put(number, values);
    return this;
  }

  /** Registers to be told (RFC 7641). */
  public CoapFlood observe() {
    return option(OBSERVE, 0, 1);
  }

  /** And deregisters again. */
  public CoapFlood deregister() {
    options.put(OBSERVE, new byte[][] {{1}});
    return this;
  }

  /** The block of this number of an upload in blocks of 1,024 bytes, that has more (RFC 7959). */
  public CoapFlood block(int number) {
    int value = number << 4 | 8 | 6;
    options.put(BLOCK1, new byte[][] {{(byte) (value >> 16), (byte) (value >> 8), (byte) value}});
    return payload(1_024);
  }

  /** Each request has a Request-Tag of its own (RFC 9175, 3). */
  public CoapFlood requestTags() {
    tagged = true;
    return this;
  }

  /** In bytes; more than 8 are against RFC 7252, up to 65,804 are as RFC 8974 has them. */
  public CoapFlood token(int bytes) {
    tokenLength = bytes;
    return this;
  }

  /** Pings in place of requests. */
  public CoapFlood empty() {
    empty = true;
    return this;
  }

  /** Responses are not acknowledged, so that they come again and again. */
  public CoapFlood unacknowledged() {
    unacknowledged = true;
    return this;
  }

  @Override
  void attack(FloodClient client) throws IOException {
    Device device = new Device(client);
    try {
      do {
        device.ask();
        client.sent();
        device.hear();
      } while (client.comesAgain());
    } finally {
      client.release(device.socket);
    }
  }

  private final class Device {

    private final FloodClient client;
    private final DatagramSocket socket;
    private final DatagramPacket received = new DatagramPacket(new byte[2_048], 2_048);
    private int mid;
    private int pings;
    private int token;

    /** Requests that have neither a response nor been refused. */
    private int open;

    Device(FloodClient client) throws IOException {
      this.client = client;
      this.token = client.number() << 16;
      socket = client.hold(new DatagramSocket(new InetSocketAddress(client.from(), 0)));
      socket.connect(client.to());
    }

    void ask() throws IOException {
      open = 0;
      for (int sent = 0; sent < requests && !client.isOver(); sent++) {
        mid = (mid + 1) % FIRST_PING;
        byte[] message = empty ? header(CON, 0, mid, 0) : request();
        socket.send(new DatagramPacket(message, message.length));
        open++;
        if ((sent + 1) % AT_A_TIME == 0) {
          untilNow();
        }
      }
    }

    private byte[] request() {
      ByteArrayOutputStream message = new ByteArrayOutputStream();
      message.writeBytes(header(type, code, mid, nibble(tokenLength)));
      extend(message, tokenLength);
      byte[] bytes = new byte[Math.max(4, tokenLength)];
      ByteBuffer.wrap(bytes).putInt(token++);
      message.write(bytes, 0, tokenLength);
      int last = 0;
      Map<Integer, byte[][]> all = new TreeMap<>(options);
      String[] segments = client.numbered(path).split("/");
      byte[][] values = new byte[segments.length][];
      for (int i = 0; i < segments.length; i++) {
        values[i] = segments[i].getBytes(UTF_8);
      }
      all.put(URI_PATH, values);
      if (tagged) {
        all.put(REQUEST_TAG, new byte[][] {ByteBuffer.allocate(4).putInt(token).array()});
      }
      for (Map.Entry<Integer, byte[][]> option : all.entrySet()) {
        for (byte[] value : option.getValue()) {
          int delta = option.getKey() - last;
          message.write(nibble(delta) << 4 | nibble(value.length));
          extend(message, delta);
          extend(message, value.length);
          message.writeBytes(value);
          last = option.getKey();
        }
      }
      if (payload > 0) {
        message.write(0xff);
        message.writeBytes(new byte[payload]);
      }
      return message.toByteArray();
    }

    /** Until a ping is answered, or for as long as it takes to be sure that it will not be. */
    private void untilNow() throws IOException {
      int ping = FIRST_PING + pings++ % (0x10000 - FIRST_PING);
      send(header(CON, 0, ping, 0));
      while (!client.isOver()) {
        int answered = next(QUIET_MILLIS);
        if (answered < 0 || answered == ping) {
          return;
        }
      }
    }

    /** Until all have been answered; for ever, if they are not. */
    void hear() throws IOException {
      while (open > 0 && !client.isOver()) {
        if (next(0) < 0) {
          client.tell("none");
        }
      }
    }

    /**
     * @param millis at most; 0 for as long as it takes
     * @return the message ID of what came, negative if nothing did
     */
    private int next(int millis) throws IOException {
      socket.setSoTimeout(millis);
      try {
        socket.receive(received);
      } catch (SocketTimeoutException e) {
        return -1;
      }
      ByteBuffer message = ByteBuffer.wrap(received.getData(), 0, received.getLength());
      int kind = message.get() >> 4 & 3;
      int came = message.get() & 0xff;
      int id = message.getShort() & 0xffff;
      if (kind == CON && !unacknowledged) {
        send(header(came == 0 ? RST : ACK, 0, id, 0)); // a ping is answered with a reset
      }
      if (came != 0) {
        client.tell("%d.%02d".formatted(came >> 5, came & 31));
        open--;
      } else if (kind == ACK) {
        client.tell("acknowledged");
      } else if (kind == RST && id < FIRST_PING) {
        client.tell("reset");
        open--;
      }
      return id;
    }

    private void send(byte[] message) throws IOException {
      socket.send(new DatagramPacket(message, message.length));
    }
  }

  private static byte[] header(int type, int code, int mid, int token) {
    return new byte[] {
      (byte) (0x40 | type << 4 | token), (byte) code, (byte) (mid >> 8), (byte) mid
    };
  }

  private static int nibble(int value) {
    return value < 13 ? value : value < 269 ? 13 : 14;
  }

  private static void extend(ByteArrayOutputStream out, int value) {
    if (value >= 269) {
      out.write(value - 269 >> 8);
      out.write(value - 269);
    } else if (value >= 13) {
      out.write(value - 13);
    }
  }
}
