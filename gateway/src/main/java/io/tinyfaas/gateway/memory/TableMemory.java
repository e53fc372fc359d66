package io.tinyfaas.gateway.memory;

import jakarta.inject.Singleton;

/**
 * What the tables of functions and of devices take: their shares of the heap, and what is beyond
 * these is taken from what invocations have. A table that would leave too little for those is
 * refused, and the one before it stays. On any thread.
 */
@Singleton
public final class TableMemory {

  private final HeapBudget budget;
  private final BodyMemory invocations;

  /** Of what invocations would have, in bytes. */
  private long forFunctions;

  private long forDevices;

  public TableMemory(HeapBudget budget, BodyMemory invocations) {
    this.budget = budget;
    this.invocations = invocations;
  }

  /**
   * The table has so many from now on.
   *
   * @param handlers of all functions together
   * @param calling those of them that have a socket by which they call functions
   * @param schedules the same
   * @param levels of the topics of all triggers together
   * @param characters of the schedules' bodies and paths, and of these topics
   * @throws IllegalArgumentException if that is too much; says what to set
   */
  public synchronized void holdFunctions(
      int functions, int handlers, int calling, int schedules, int levels, long characters) {
    long needed =
        budget.beyondFunctions(functions, handlers, calling, schedules, levels, characters);
    take(
        needed - forFunctions,
        functions + " functions with " + handlers + " handlers and " + schedules + " schedules");
    forFunctions = needed;
  }

  /**
   * The same for devices.
   *
   * @throws IllegalArgumentException if that is too much; says what to set
   */
  public synchronized void holdDevices(int devices) {
    long needed = budget.beyondDevices(devices);
    take(needed - forDevices, devices + " devices");
    forDevices = needed;
  }

  private void take(long more, String what) {
    if (!invocations.shrink(more, budget.least())) {
      long tables = forFunctions + forDevices + more;
      throw new IllegalArgumentException(
          what
              + " leave too little of the heap for invocations: "
              + HeapBudget.set(budget.enough(tables))
              + ", or have fewer (docs/limits.md)");
    }
  }
}
