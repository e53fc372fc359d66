package io.tinyfaas.benchmark;

import java.net.URI;
import java.time.Duration;
import java.util.OptionalInt;

/** Closed-loop clients of one target: each sends its next request when the last one has ended. */
sealed interface Load permits CoapLoad, HttpLoad {

  /**
   * What an operation is and what ends it.
   *
   * @param retransmitAfter zero for no retransmission
   * @param payload in bytes, of a POST to a function that answers it; empty for a GET
   * @param calls whether it has ended when the POST has been accepted as a call
   */
  record Rules(Duration timeout, Duration retransmitAfter, OptionalInt payload, boolean calls) {}

  /**
   * Runs so many clients at once, each with a connection or socket of its own, until all have done
   * their operations.
   */
  Outcome run(int clients, int operations) throws Exception;

  static Load of(URI target, Rules rules) {
    return switch (target.getScheme()) {
      case "coap" -> new CoapLoad(target, rules);
      case "http", "https" -> new HttpLoad(target, rules);
      case null, default ->
          throw new IllegalArgumentException(
              target + " is neither coap:// nor http://: name a target like old=coap://host/sieve");
    };
  }
}
