package io.tinyfaas.gateway.ingress.mqtt;

import java.util.concurrent.TimeUnit;
import org.jboss.logging.Logger;

/** A line of what strangers can make happen as often as they like: at most one in ten seconds. */
final class RareLog {

  private static final long PAUSE_NANOS = TimeUnit.SECONDS.toNanos(10);

  private static final int MAX_TEXT = 200;

  private final Logger log;
  private final String event;
  private long due = System.nanoTime();
  private long unsaid;

  RareLog(Logger log, String event) {
    this.log = log;
    this.event = event;
  }

  /** On the event loop. */
  void say(String details) {
    long now = System.nanoTime();
    if (now - due < 0) {
      unsaid++;
      return;
    }
    log.warnf("event=%s %s not-said-before=%d", event, details, unsaid);
    due = now + PAUSE_NANOS;
    unsaid = 0;
  }

  /** What came from outside, on one line. */
  static String quoted(String text) {
    StringBuilder safe = new StringBuilder("\"");
    text.codePoints()
        .limit(MAX_TEXT)
        .map(each -> Character.isISOControl(each) || each == '"' ? '?' : each)
        .forEach(safe::appendCodePoint);
    return safe.append('"').toString();
  }
}
