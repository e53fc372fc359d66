package io.tinyfaas.gateway.ingress.coap.duplicate;

import io.netty.buffer.ByteBuf;
import io.tinyfaas.gateway.ingress.coap.message.Blocks;
import java.net.InetSocketAddress;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;

/**
 * The last plain requests of each device with the datagrams that answered them, so that a request
 * that comes again is answered again and not run again (RFC 7252, 4.5). As many of a device, and of
 * how many devices, as {@link BoundedDeduplicator} says. They lie in one block of memory: objects
 * that live for a moment longer than the young half of the heap takes are what costs most there. On
 * the event loop.
 */
public final class RememberedAnswers {

  static final int PER_PEER = 8;

  /** A block of body, and around it as much as such answers have. */
  public static final int MAX_BYTES = Blocks.MAX_BYTES + 64;

  public static final int NONE = -1;

  private static final int RUNNING = 0;
  private static final int ELSEWHERE = -1;
  private static final long LIFETIME_NANOS = TimeUnit.SECONDS.toNanos(RecentPeers.LIFETIME_SECONDS);

  /** The slots of one device, from the first that came to the last. */
  private static final class Device {
    private int first = NONE;
    private int last = NONE;
    private int count;
  }

  /** The device silent for longest first. */
  private final RecentPeers<InetSocketAddress, Device> devices;

  private final int max;
  private final int[] mids;
  private final long[] began;

  /** Of the answer in bytes; or what there is instead. */
  private final int[] lengths;

  /** Of the slots of a device; of those that are free. */
  private final int[] next;

  /** Tells whoever took a slot whether it is still his. */
  private final int[] serials;

  private final byte[] answers;
  private int free;

  /**
   * @param bytes of the heap that it takes
   * @param isProved whether a device receives at the address that it sends from
   */
  public static RememberedAnswers ofBytes(long bytes, Predicate<InetSocketAddress> isProved) {
    return new RememberedAnswers(Math.toIntExact(bytes / MAX_BYTES), isProved);
  }

  /**
   * @param max messages of all devices
   */
  RememberedAnswers(int max, Predicate<InetSocketAddress> isProved) {
    this.max = max;
    devices = new RecentPeers<>(isProved);
    mids = new int[max];
    began = new long[max];
    lengths = new int[max];
    next = new int[max];
    serials = new int[max];
    answers = new byte[max * MAX_BYTES];
    clear();
  }

  void clear() {
    devices.clear();
    for (int slot = 0; slot < max; slot++) {
      next[slot] = slot + 1 < max ? slot + 1 : NONE;
    }
    free = 0;
  }

  /**
   * @param nanos of {@link System#nanoTime}
   * @return the slot of a message that is known, or {@link #NONE}
   */
  public int find(InetSocketAddress peer, int mid, long nanos) {
    Device device = devices.get(peer);
    if (device == null) {
      return NONE;
    }
    while (device.first != NONE && nanos - began[device.first] > LIFETIME_NANOS) {
      forgetFirst(device);
    }
    if (device.count == 0) {
      devices.remove(peer);
      return NONE;
    }
    for (int slot = device.first; slot != NONE; slot = next[slot]) {
      if (mids[slot] == mid) {
        return slot;
      }
    }
    return NONE;
  }

  /**
   * A message that is not known, whose answer is to come.
   *
   * @param nanos of {@link System#nanoTime}
   */
  public int add(InetSocketAddress peer, int mid, long nanos) {
    Device device = devices.of(peer, Device::new);
    // Else those that are gone would count for ever where the others' shares are worked out.
    devices.forgetWhile(
        eldest -> eldest != device && nanos - began[eldest.last] > LIFETIME_NANOS, this::forget);
    int quota = devices.quota(peer, max, PER_PEER);
    while (device.count >= quota) {
      forgetFirst(device);
    }
    while (free == NONE) {
      forget(devices.eldestFor(peer));
    }
    int slot = free;
    free = next[slot];
    mids[slot] = mid;
    began[slot] = nanos;
    lengths[slot] = RUNNING;
    next[slot] = NONE;
    if (device.count++ == 0) {
      device.first = slot;
    } else {
      next[device.last] = slot;
    }
    device.last = slot;
    return slot;
  }

  private void forget(Map.Entry<InetSocketAddress, Device> device) {
    while (device.getValue().count > 0) {
      forgetFirst(device.getValue());
    }
    devices.remove(device.getKey());
  }

  private void forgetFirst(Device device) {
    int slot = device.first;
    device.first = next[slot];
    device.count--;
    next[slot] = free;
    serials[slot]++;
    free = slot;
  }

  public int serial(int slot) {
    return serials[slot];
  }

  /**
   * @param serial that the slot had; if it has another, the message is forgotten already
   * @param length of the answer in bytes, at most {@link #MAX_BYTES}
   */
  public void put(int slot, int serial, byte[] answer, int length) {
    if (serials[slot] == serial) {
      lengths[slot] = length;
      System.arraycopy(answer, 0, answers, slot * MAX_BYTES, length);
    }
  }

  /** The message is Californium's from now on. */
  public void putElsewhere(int slot, int serial) {
    if (serials[slot] == serial) {
      lengths[slot] = ELSEWHERE;
    }
  }

  public boolean isElsewhere(int slot) {
    return lengths[slot] == ELSEWHERE;
  }

  /** In bytes; 0 if it has none yet. */
  public int length(int slot) {
    return lengths[slot];
  }

  public void copy(int slot, ByteBuf to) {
    to.writeBytes(answers, slot * MAX_BYTES, lengths[slot]);
  }

  /** Those of which messages are remembered. */
  int devices() {
    return devices.size();
  }

  /** The messages that are remembered. */
  int size() {
    return devices.values().mapToInt(device -> device.count).sum();
  }
}
