package io.tinyfaas.gateway.loop;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

class BugLogTest {

  private final List<String> written = new ArrayList<>();
  private long nanos = Long.MAX_VALUE - 1; // what a clock of nanoseconds may be, too
  private final BugLog log =
      new BugLog((bug, more) -> written.add(bug.getMessage() + " " + more), () -> nanos);

  @Test
  void shouldWriteOnceAMinuteAndHowOftenItWasMeanwhile() {
    for (int call = 0; call < 1_000; call++) {
      log.say(new IllegalStateException("call " + call));
    }
    nanos += TimeUnit.MINUTES.toNanos(1);
    log.say(new IllegalStateException("later"));
    nanos += TimeUnit.MINUTES.toNanos(1);
    log.guard(
        () -> {
          throw new IllegalStateException("last");
        });
    assertThat(written).containsExactly("call 0 0", "later 999", "last 0");
  }
}
