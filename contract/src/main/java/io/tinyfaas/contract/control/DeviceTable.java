package io.tinyfaas.contract.control;

import io.tinyfaas.contract.device.Device;
import io.tinyfaas.contract.device.DeviceCredential;
import io.tinyfaas.contract.device.DeviceName;
import io.tinyfaas.contract.device.DeviceTopics;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * All devices that may connect, one immutable snapshot: who is not in it is revoked.
 *
 * @param revision tells a newer table from a stale one, as with routes
 */
public record DeviceTable(Revision revision, List<Device> devices) {

  /**
   * What the certificates of all authorities may have together, in characters of Base64: some fifty
   * of them. The gateway keeps each as it reads it, three times as large.
   */
  public static final int MAX_AUTHORITIES = 128 * 1_024;

  /** What JSON has around a device's name and credential, at most. */
  private static final int AROUND = 40;

  /** The same around the topics that a device may have beyond the usual, and around each. */
  private static final int AROUND_TOPICS = 40;

  private static final int AROUND_TOPIC = 3;

  private static final int MAX_SIZE = ControlTopics.MAX_MESSAGE_BYTES - 1_024;

  /**
   * @throws IllegalArgumentException if two devices have the same name, or all together are more
   *     than a message or the gateway can hold
   */
  public DeviceTable {
    devices = List.copyOf(devices);
    requireRoom(devices);
    Set<DeviceName> seen = new HashSet<>();
    for (Device device : devices) {
      if (!seen.add(device.name())) {
        throw new IllegalArgumentException("two devices called " + device.name());
      }
    }
  }

  private static void requireRoom(List<Device> devices) {
    long authorities = 0;
    long size = 0;
    for (Device device : devices) {
      int credential = device.credential().text().length();
      size += AROUND + device.name().value().length() + credential;
      size += device.mqtt().map(DeviceTable::size).orElse(0L);
      if (device.credential() instanceof DeviceCredential.Authority) {
        authorities += credential;
      }
    }
    if (authorities > MAX_AUTHORITIES) {
      throw new IllegalArgumentException(
          "the certificates of the authorities have " + authorities + " characters together");
    }
    if (size > MAX_SIZE) {
      throw new IllegalArgumentException("the devices have " + size + " bytes together");
    }
  }

  private static long size(DeviceTopics topics) {
    int filters = topics.publish().size() + topics.subscribe().size();
    return AROUND_TOPICS + (long) AROUND_TOPIC * filters + topics.size();
  }
}
