package io.tinyfaas.contract.device;

import io.tinyfaas.contract.route.RouteRevision;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * All devices that may connect, one immutable snapshot: who is not in it is revoked.
 *
 * @param revision tells a newer table from a stale one, as with routes
 */
public record DeviceTable(RouteRevision revision, List<Device> devices) {

  /**
   * @throws IllegalArgumentException if two devices have the same name
   */
  public DeviceTable {
    devices = List.copyOf(devices);
    Set<DeviceName> seen = new HashSet<>();
    for (Device device : devices) {
      if (!seen.add(device.name())) {
        throw new IllegalArgumentException("two devices called " + device.name());
      }
    }
  }
}
