package io.tinyfaas.gateway.call;

import io.tinyfaas.contract.control.CallState;
import java.util.List;
import org.jboss.logging.Logger;

/**
 * What is done with calls now and then: they follow the clock, those that have been kept for long
 * enough are forgotten, what the disk has not taken is offered again, and they are counted. On the
 * invocation loop.
 */
final class CallUpkeep {

  private static final Logger LOG = Logger.getLogger(CallUpkeep.class);

  /** So that none of the looks holds up the loop. */
  private static final int FORGOTTEN_AT_ONCE = 512;

  private final CallSettings settings;
  private final CallStore store;
  private final CallIndex index;
  private final CallRunner runner;
  private final CallAdmission admission;
  private final CallClock clock;
  private final CallMetrics metrics;

  CallUpkeep(
      CallSettings settings,
      CallStore store,
      CallIndex index,
      CallRunner runner,
      CallAdmission admission,
      CallClock clock,
      CallMetrics metrics) {
    this.settings = settings;
    this.store = store;
    this.index = index;
    this.runner = runner;
    this.admission = admission;
    this.clock = clock;
    this.metrics = metrics;
  }

  /** To be called each second. */
  void look() {
    long by = clock.jump();
    if (by != 0) {
      LOG.infof("event=clock-set seconds=%d calls=%d", by / 1_000, index.all().size());
      index.all().forEach(call -> call.shift(by));
      index.all().stream().filter(call -> !admission.isPending(call)).forEach(store::save);
      runner.reorder();
    }
    long now = clock.now();
    long results = settings.keepResults().toMillis();
    long failed = settings.keepFailed().toMillis();
    List<Call> old =
        index.all().stream()
            .filter(Call::isFinished)
            .filter(
                call ->
                    now - call.finishedAt() > (call.state() == CallState.DONE ? results : failed))
            .limit(FORGOTTEN_AT_ONCE)
            .toList();
    old.forEach(runner::forget);
    for (int left = FORGOTTEN_AT_ONCE; index.hasTooMany() && left > 0; left--) {
      index.oldestDone().ifPresent(runner::forget);
    }
    store.saveAgain();
    metrics.look(index.all(), now);
  }
}
