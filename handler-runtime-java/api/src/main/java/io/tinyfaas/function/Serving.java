package io.tinyfaas.function;

import java.util.Map;
import java.util.Set;

/**
 * For runtimes, not for functions: what the calls of the thread that serves a request pass on of
 * it.
 */
public final class Serving {

  /** Names of headers. */
  public static final Set<String> PASSED_ON =
      Set.of("x-tinyfaas-deadline", "x-tinyfaas-depth", "traceparent", "tracestate");

  private static final boolean NEEDED = System.getenv(Caller.SOCKET) != null;
  private static final ThreadLocal<Map<String, String>> CURRENT = ThreadLocal.withInitial(Map::of);

  private Serving() {}

  /** Whether this function may call others at all. */
  public static boolean isNeeded() {
    return NEEDED;
  }

  /**
   * This thread serves another request from here on.
   *
   * @param passedOn of its headers those of {@link #PASSED_ON}, by names in lower case
   */
  public static void begin(Map<String, String> passedOn) {
    CURRENT.set(passedOn);
  }

  static Map<String, String> passedOn() {
    return CURRENT.get();
  }
}
