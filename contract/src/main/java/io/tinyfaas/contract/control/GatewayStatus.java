package io.tinyfaas.contract.control;

import java.util.Objects;
import java.util.Set;

/**
 * What a gateway says of itself, retained.
 *
 * @param online false in the last will, which the broker publishes for a gateway that is gone
 * @param instance the gateway's life: another one after each start
 * @param applied the table it routes by
 * @param devices the table of devices it applies
 * @param draining ids of handlers that are no longer in that table and still answer an invocation;
 *     the manager stops a handler only after it is out of both
 */
public record GatewayStatus(
    boolean online, String instance, Revision applied, Revision devices, Set<String> draining) {

  public GatewayStatus {
    Objects.requireNonNull(instance, "instance");
    Objects.requireNonNull(applied, "applied");
    Objects.requireNonNull(devices, "devices");
    draining = Set.copyOf(draining);
  }

  /** The last will of the gateway's life {@code instance}. */
  public static GatewayStatus gone(String instance) {
    return new GatewayStatus(false, instance, Revision.NONE, Revision.NONE, Set.of());
  }
}
