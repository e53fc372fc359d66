package io.tinyfaas.contract.route;

import java.util.Comparator;

/**
 * The order of route tables, and of device tables: first by the life of the manager that wrote it,
 * then by its own count. A retained message that a broker brings back from an old snapshot is
 * thereby known as stale.
 *
 * @param epoch the manager's life, 0 for none, growing by each start
 * @param number the table's count within that life
 */
public record RouteRevision(long epoch, long number) implements Comparable<RouteRevision> {

  public static final RouteRevision NONE = new RouteRevision(0, 0);

  private static final Comparator<RouteRevision> ORDER =
      Comparator.comparingLong(RouteRevision::epoch).thenComparingLong(RouteRevision::number);

  public RouteRevision {
    if (epoch < 0 || number < 0) {
      throw new IllegalArgumentException("negative revision " + epoch + "." + number);
    }
  }

  public boolean isNewerThan(RouteRevision other) {
    return compareTo(other) > 0;
  }

  @Override
  public int compareTo(RouteRevision other) {
    return ORDER.compare(this, other);
  }

  @Override
  public String toString() {
    return epoch + "." + number;
  }
}
