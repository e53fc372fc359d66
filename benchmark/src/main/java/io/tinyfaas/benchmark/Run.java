package io.tinyfaas.benchmark;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * One target under one load, once.
 *
 * @param repetition from 1
 * @param usage by role of the target's processes, in their order
 */
record Run(String target, int clients, int repetition, Outcome outcome, Map<String, Usage> usage) {

  /**
   * What a process took.
   *
   * @param cpuMicros processor time per operation that succeeded, in microseconds
   * @param residentMemory at the end of the run, in bytes
   */
  record Usage(double cpuMicros, long residentMemory) {

    /** Of two processes with one role. */
    Usage plus(Usage other) {
      return new Usage(cpuMicros + other.cpuMicros, residentMemory + other.residentMemory);
    }
  }

  Run {
    usage = Collections.unmodifiableMap(new LinkedHashMap<>(usage));
  }
}
