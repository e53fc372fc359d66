package io.tinyfaas.gateway.invoke;

import io.tinyfaas.contract.handler.HandlerHttp;
import java.util.Objects;

/**
 * Which functions led to an invocation, and until when they wait for it.
 *
 * @param caller the function that called by its socket; empty for everybody else
 * @param depth how many functions led to it, each by calling the next, up to {@value
 *     HandlerHttp#MAX_DEPTH}; a call that follows the end of another counts as called by it
 * @param deadline when nobody waits for the answer any more, in milliseconds since 1970, or {@value
 *     #NO_DEADLINE}
 */
public record Lineage(String caller, int depth, long deadline) {

  public static final long NO_DEADLINE = 0;

  /** It came from outside. */
  public static final Lineage OUTSIDE = new Lineage("", 0, NO_DEADLINE);

  public Lineage {
    Objects.requireNonNull(caller, "caller");
    if (depth < 0 || depth > HandlerHttp.MAX_DEPTH) {
      throw new IllegalArgumentException("a depth of " + depth);
    }
  }

  boolean hasDeadline() {
    return deadline != NO_DEADLINE;
  }

  Lineage until(long then) {
    return new Lineage(caller, depth, then);
  }
}
