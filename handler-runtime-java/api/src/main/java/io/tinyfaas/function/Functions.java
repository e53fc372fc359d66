package io.tinyfaas.function;

/**
 * The other functions of the box, as far as this function's specification names them in {@code
 * calls}.
 *
 * <pre>{@code
 * Answer answer = Functions.call("alarm", Request.of("on"));
 * String id = Functions.call("report", request, Delivery.durable()).call().orElseThrow();
 * }</pre>
 *
 * <p>Any number of threads may call at once; 16 at most have a connection, others wait. A call made
 * by the thread that serves an invocation passes on until when somebody waits for it, how many
 * functions led to it, and its trace.
 */
public final class Functions {

  private static final Caller CALLER = Caller.ofThisHandler();

  private Functions() {}

  /**
   * Calls a function, and waits for what it answers, whatever its status.
   *
   * @param request its {@code Content-Type} is sent as it is, and none if it has none
   * @throws CallException if there is no answer of that function
   */
  public static Answer call(String function, Request request) {
    return call(function, request, Delivery.DIRECT);
  }

  /**
   * As {@link #call(String, Request)}, in that manner.
   *
   * @throws CallException if there is no answer of that function, or the call was not accepted
   */
  public static Answer call(String function, Request request, Delivery delivery) {
    return CALLER.call(function, request, delivery);
  }
}
