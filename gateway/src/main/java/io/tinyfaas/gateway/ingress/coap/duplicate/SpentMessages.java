package io.tinyfaas.gateway.ingress.coap.duplicate;

import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;

/**
 * Which messages devices have sent within EXCHANGE_LIFETIME, though their answers are forgotten: 4
 * bytes each, where a message with its answer takes 2 KB. A message is told by its ID and a digest
 * of its beginning, since a device that uses an ID again too early means another message by it.
 *
 * <p>Pages of 64 successive IDs, as devices count; so many of one device, which is the last 16,384
 * messages of one that counts, and so many of all: beyond that the device silent for longest is
 * forgotten.
 */
final class SpentMessages {

  static final int PAGE_IDS = 64;
  static final int MAX_PAGES_OF_DEVICE = 256;

  /** Of the start of a message that tell it from others: header, token, most options. */
  private static final int DIGESTED_BYTES = 64;

  private static final int MAX_SECOND = 0xffff;
  private static final int MULTIPLIER = 31;

  private static final class Page {
    /** The second in the upper half, the digest in the lower; 0 if there was none. */
    private final int[] messages = new int[PAGE_IDS];

    private int newest;
  }

  /** The page whose ID came into use first goes first. */
  private static final class Device extends LinkedHashMap<Integer, Page> {}

  /** The device silent for longest first. */
  private final RecentPeers<Object, Device> devices;

  private final int max;
  private int pages;

  /**
   * @param maxPages of all devices, about 350 bytes each
   */
  SpentMessages(int maxPages, Predicate<Object> isProved) {
    this.max = maxPages;
    this.devices = new RecentPeers<>(isProved);
  }

  /**
   * Notes a message.
   *
   * @param nanos of {@link System#nanoTime}
   * @return whether it was known
   */
  boolean add(Object peer, int mid, byte[] message, long nanos) {
    int second = (int) (TimeUnit.NANOSECONDS.toSeconds(nanos) & MAX_SECOND);
    Device device = devices.of(peer, Device::new);
    Page page = device.get(mid / PAGE_IDS);
    if (page == null) {
      page = newPage(peer, device, mid / PAGE_IDS, second);
    }
    int digest = digest(message);
    int known = page.messages[mid % PAGE_IDS];
    page.messages[mid % PAGE_IDS] = second << 16 | digest;
    page.newest = second;
    return known != 0 && (known & 0xffff) == digest && !isOver(known >>> 16, second);
  }

  private Page newPage(Object peer, Device device, int number, int second) {
    Iterator<Page> eldest = device.values().iterator();
    while (eldest.hasNext()
        && (isOver(eldest.next().newest, second) || device.size() >= MAX_PAGES_OF_DEVICE)) {
      eldest.remove();
      pages--;
    }
    while (pages >= max) {
      Map.Entry<Object, Device> silent = devices.eldestFor(peer);
      if (silent == null) {
        pages = 0;
        device.clear();
      } else {
        pages -= silent.getValue().size();
        devices.remove(silent.getKey());
      }
    }
    Page page = new Page();
    device.put(number, page);
    pages++;
    return page;
  }

  private static boolean isOver(int second, int now) {
    return (now - second & MAX_SECOND) > RecentPeers.LIFETIME_SECONDS;
  }

  /** Not 0. */
  private static int digest(byte[] message) {
    int digest = message.length;
    for (int i = 0; i < Math.min(message.length, DIGESTED_BYTES); i++) {
      digest = MULTIPLIER * digest + message[i];
    }
    return (digest >>> 16 ^ digest) & 0xffff | 1;
  }

  int pages() {
    return pages;
  }

  void clear() {
    devices.clear();
    pages = 0;
  }
}
