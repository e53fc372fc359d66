package io.tinyfaas.gateway.memory;

import jakarta.inject.Inject;
import jakarta.inject.Singleton;
import java.util.ArrayList;
import java.util.List;

/**
 * The gateway's heap as one budget, in bytes: what is always there, what everybody may make it hold
 * by number (as many as the settings say, at what each costs), and what is left, which is for
 * invocations and their bodies. The costs are measured ({@code HeapCostIT}). The same table is in
 * {@code docs/limits.md}, with what a client gets at the end of each share.
 */
@Singleton
public final class HeapBudget {

  /** One part of the heap; {@code count} of {@code each} bytes. */
  public record Share(String name, long count, long each) {

    public long bytes() {
      return count * each;
    }
  }

  private static final long MIB = 1 << 20;

  /** Measured after a request by each protocol, with devices, without what has its own share. */
  private static final long ITSELF = 14 * MIB;

  /** What is made and dropped within a turn of the loop, but for copies of a body. */
  private static final long IN_PASSING = 4 * MIB;

  /** Requests of devices that are remembered with their answers, of all protocols. */
  private static final long REMEMBERED_FRACTION = 8;

  private static final int RESULTS_OF_LARGEST = 2;
  private static final long RESULTS_AT_LEAST = 2 * MIB;

  /** The manager's default; further ones take from what invocations have ({@link TableMemory}). */
  private static final long FUNCTIONS = 1_000;

  /** With a handler, a connection to it, and meters of each protocol. */
  private static final long FUNCTION_BYTES = 7 * 1_024;

  /** With a connection to it, where it is not the function's only one. */
  private static final long HANDLER_BYTES = 4 * 1_024;

  /** With a socket by which it calls functions, and a connection for what it is asked so. */
  public static final long CALLING_HANDLER_BYTES = 16 * 1_024;

  /** By which functions call others. */
  public static final int FUNCTION_CONNECTIONS = 128;

  /** With how far it is; and its body and path as characters of two bytes. */
  private static final long SCHEDULE_BYTES = 1_024;

  private static final long TEXT_BYTES = 2;

  /** Of the topic of a trigger, where no other has the same: its place among all of them. */
  private static final long TOPIC_LEVEL_BYTES = 512;

  /** As of functions. */
  private static final long DEVICES = 10_000;

  private static final long DEVICE_BYTES = 300;
  private static final long HTTP_CONNECTION_BYTES = 5_632;

  /** A third of it; the rest is a table of header fields that the client may fill (RFC 7541). */
  private static final long GRPC_CONNECTION_BYTES = 20 * 1_024;

  /** Half of it: with TLS, and that to the broker; the rest is a will, and a packet that comes. */
  private static final long MQTT_CONNECTION_BYTES = 16 * 1_024;

  /** That have not logged in: an honest device needs some milliseconds for it. */
  public static final int MQTT_ARRIVING = 128;

  /** In the middle of a handshake. */
  private static final long MQTT_ARRIVING_BYTES = 10 * 1_024;

  /** To all handlers together, but for the first to each. */
  public static final int HANDLER_CONNECTIONS = 1_024;

  private static final long HANDLER_CONNECTION_BYTES = 3 * 1_024;

  /** Of DTLS. */
  public static final int SESSIONS = 1_000;

  private static final long SESSION_BYTES = 5_632;
  private static final long OBSERVER_BYTES = 2 * 1_024;

  /** Beside its connection. */
  private static final long EVENT_STREAM_BYTES = 1_536;

  /** With its ID, what names its function and its client, and where it is on disk. */
  private static final long CALL_BYTES = 544;

  /** To URLs, sixteen at once, with the authorities that are trusted. */
  private static final long CALLBACKS = 832 * 1_024;

  /** At most what {@code -Xmx} has and {@link Runtime#maxMemory} has not: one survivor space. */
  private static final long SURVIVOR_MEBIBYTES = 4;

  /** Classes, code, stacks; and as much as the heap for what the kernel is to take. */
  private static final long BESIDE_HEAP_MEBIBYTES = 100;

  /** Of an invocation: its body four times, and what there is besides. */
  private static final long BODIES_OF_INVOCATION = 5;

  private final long heap;
  private final long largest;
  private final List<Share> fixed;

  @Inject
  HeapBudget(HeapSettings settings) {
    this(Runtime.getRuntime().maxMemory(), settings);
  }

  /**
   * @param heap in bytes, as {@link Runtime#maxMemory} has it
   */
  public HeapBudget(long heap, HeapSettings settings) {
    this(
        heap,
        settings.maxBody().asLongValue(),
        settings.http().maxConnections(),
        settings.grpc().maxConnections(),
        settings.mqtt().maxConnections(),
        settings.coap().maxObservers(),
        settings.http().maxEventStreams(),
        settings.calls().max());
  }

  private HeapBudget(
      long heap,
      long largest,
      int http,
      int grpc,
      int mqtt,
      int observers,
      int streams,
      int calls) {
    this.heap = heap;
    this.largest = largest;
    this.fixed =
        List.of(
            new Share("the gateway itself", 1, ITSELF),
            new Share("in passing", 1, IN_PASSING + largest),
            new Share("remembered requests", 1, heap / REMEMBERED_FRACTION),
            new Share("last results", 1, resultsOf(largest)),
            new Share("functions", FUNCTIONS, FUNCTION_BYTES),
            new Share("devices", DEVICES, DEVICE_BYTES),
            new Share("HTTP connections", http, HTTP_CONNECTION_BYTES),
            new Share("gRPC connections", grpc, GRPC_CONNECTION_BYTES),
            new Share("MQTT connections", mqtt, MQTT_CONNECTION_BYTES),
            new Share("MQTT logins", MQTT_ARRIVING, MQTT_ARRIVING_BYTES),
            new Share("connections of functions", FUNCTION_CONNECTIONS, HTTP_CONNECTION_BYTES),
            new Share("connections to handlers", HANDLER_CONNECTIONS, HANDLER_CONNECTION_BYTES),
            new Share("DTLS sessions", SESSIONS, SESSION_BYTES),
            new Share("observers", observers, OBSERVER_BYTES),
            new Share("event streams", streams, EVENT_STREAM_BYTES),
            new Share("calls", calls, CALL_BYTES),
            new Share("callbacks", 1, CALLBACKS));
  }

  private static long resultsOf(long body) {
    return Math.max(RESULTS_AT_LEAST, RESULTS_OF_LARGEST * body);
  }

  /** All of it, in the order of {@code docs/limits.md}. */
  public List<Share> shares() {
    List<Share> all = new ArrayList<>(fixed);
    all.add(new Share("invocations and bodies", 1, invocations()));
    return all;
  }

  /** For requests that are remembered with their answers; in bytes. */
  public long remembered() {
    return heap / REMEMBERED_FRACTION;
  }

  /** For the last results of observable functions; in bytes. */
  public long results() {
    return resultsOf(largest);
  }

  /** What is left; in bytes. */
  public long invocations() {
    return heap - fixed.stream().mapToLong(Share::bytes).sum();
  }

  /**
   * What to do to have it.
   *
   * @param heap in bytes, as {@link Runtime#maxMemory} has it
   */
  public static String set(long heap) {
    long mebibytes = (heap >> 20) + 1 + SURVIVOR_MEBIBYTES;
    return "set TINYFAAS_GATEWAY_HEAP to "
        + mebibytes
        + "m and TINYFAAS_GATEWAY_MEMORY to "
        + (2 * mebibytes + BESIDE_HEAP_MEBIBYTES)
        + "m";
  }

  /** What an invocation with the largest body needs to pass where no others are; in bytes. */
  long least() {
    return BODIES_OF_INVOCATION * largest;
  }

  /** Whether there is so much. */
  public boolean isEnough() {
    return invocations() >= least();
  }

  /** What a table takes that the share of functions does not have; in bytes. */
  long beyondFunctions(
      int functions, int handlers, int calling, int schedules, int levels, long characters) {
    long bytes =
        FUNCTION_BYTES * functions
            + HANDLER_BYTES * Math.max(0, handlers - functions)
            + CALLING_HANDLER_BYTES * calling
            + SCHEDULE_BYTES * schedules
            + TOPIC_LEVEL_BYTES * levels
            + TEXT_BYTES * characters;
    return Math.max(0, bytes - FUNCTIONS * FUNCTION_BYTES);
  }

  /** What a table takes that the share of devices does not have; in bytes. */
  long beyondDevices(int devices) {
    return Math.max(0, devices - DEVICES) * DEVICE_BYTES;
  }

  /** The heap in bytes, as {@link Runtime#maxMemory} has it, that is enough. */
  public long enough() {
    return enough(0);
  }

  /**
   * The same where tables take so much of what invocations have.
   *
   * @param tables in bytes
   */
  long enough(long tables) {
    long missing = least() + tables - invocations();
    return heap + missing * REMEMBERED_FRACTION / (REMEMBERED_FRACTION - 1);
  }
}
