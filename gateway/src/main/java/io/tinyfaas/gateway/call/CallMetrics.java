package io.tinyfaas.gateway.call;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Tags;
import io.tinyfaas.contract.control.CallState;
import java.util.EnumMap;
import java.util.Map;
import java.util.concurrent.atomic.AtomicLong;

/**
 * What is counted of calls: events as they happen, how many there are of each state now and then.
 */
final class CallMetrics {

  private final Map<CallState, AtomicLong> calls = new EnumMap<>(CallState.class);
  private final AtomicLong oldestSeconds = new AtomicLong();
  private final Counter accepted;
  private final Counter done;
  private final Counter failed;
  private final Counter retries;

  CallMetrics(MeterRegistry registry) {
    for (CallState state : CallState.values()) {
      calls.put(
          state,
          registry.gauge("tinyfaas.calls", Tags.of("state", state.text()), new AtomicLong()));
    }
    registry.gauge("tinyfaas.calls.oldest.seconds", oldestSeconds);
    this.accepted = ended(registry, "accepted");
    this.done = ended(registry, "done");
    this.failed = ended(registry, "failed");
    this.retries =
        Counter.builder("tinyfaas.calls.retries")
            .description("Attempts that failed and are made again")
            .register(registry);
  }

  private static Counter ended(MeterRegistry registry, String event) {
    return Counter.builder("tinyfaas.calls.events")
        .description("Calls that were accepted, were done, and failed")
        .tag("event", event)
        .register(registry);
  }

  void accepted() {
    accepted.increment();
  }

  void done() {
    done.increment();
  }

  void failed() {
    failed.increment();
  }

  void retried() {
    retries.increment();
  }

  /**
   * @param now in milliseconds, as calls have their times
   */
  void look(Iterable<Call> all, long now) {
    Map<CallState, Long> counts = new EnumMap<>(CallState.class);
    long oldest = now;
    for (Call call : all) {
      counts.merge(call.state(), 1L, Long::sum);
      if (!call.isFinished()) {
        oldest = Math.min(oldest, call.ripeAt());
      }
    }
    calls.forEach((state, gauge) -> gauge.set(counts.getOrDefault(state, 0L)));
    oldestSeconds.set((now - oldest) / 1_000);
  }
}
