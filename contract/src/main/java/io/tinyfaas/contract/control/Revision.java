package io.tinyfaas.contract.control;

import java.util.Comparator;

/**
 * The order of route tables, and of device tables: first by the life of the manager that wrote it,
 * then by its own count. A retained message that a broker brings back from an old snapshot is
 * thereby known as stale.
 *
 * @param epoch the manager's life, 0 for none, growing by each start
 * @param number the table's count within that life
 */
public record Revision(long epoch, long number) implements Comparable<Revision> {

  public static final Revision NONE = new Revision(0, 0);

  private static final Comparator<Revision> ORDER =
      Comparator.comparingLong(Revision::epoch).thenComparingLong(Revision::number);

  public Revision {
    if (epoch < 0 || number < 0) {
      throw new IllegalArgumentException("negative revision " + epoch + "." + number);
    }
  }

  public boolean isNewerThan(Revision other) {
    return compareTo(other) > 0;
  }

  @Override
  public int compareTo(Revision other) {
    return ORDER.compare(this, other);
  }

  @Override
  public String toString() {
    return epoch + "." + number;
  }
}
