package io.tinyfaas.gateway.schedule;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import java.util.concurrent.atomic.AtomicInteger;

/** What is counted of schedules. */
final class ScheduleMetrics {

  private final AtomicInteger schedules = new AtomicInteger();
  private final AtomicInteger trusted = new AtomicInteger();
  private final Counter called;
  private final Counter overlapped;
  private final Counter missed;
  private final Counter refused;

  ScheduleMetrics(MeterRegistry registry) {
    registry.gauge("tinyfaas.schedules", schedules);
    registry.gauge("tinyfaas.clock.trusted", trusted);
    this.called = counter(registry, "called");
    this.overlapped = counter(registry, "overlapped");
    this.missed = counter(registry, "missed");
    this.refused = counter(registry, "refused");
  }

  private static Counter counter(MeterRegistry registry, String outcome) {
    return Counter.builder("tinyfaas.schedules.events")
        .description(
            "Times of schedules that made a call, were left out because the call before ran,"
                + " were left out together because they had been missed, or were refused")
        .tag("event", outcome)
        .register(registry);
  }

  void schedules(int count) {
    schedules.set(count);
  }

  void trusted(boolean isTrusted) {
    trusted.set(isTrusted ? 1 : 0);
  }

  void called() {
    called.increment();
  }

  void overlapped() {
    overlapped.increment();
  }

  /** One or several in a row. */
  void missed() {
    missed.increment();
  }

  void refused() {
    refused.increment();
  }
}
