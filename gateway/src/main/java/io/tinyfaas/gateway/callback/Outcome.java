package io.tinyfaas.gateway.callback;

/** What came of an attempt to tell somebody. */
public sealed interface Outcome {

  /** A status that is none. */
  int NO_STATUS = 0;

  /**
   * It has been heard.
   *
   * @param status of the answer, or {@link #NO_STATUS}
   */
  record Heard(int status) implements Outcome {}

  /** Another attempt would end the same. */
  record Refused(int status, String why) implements Outcome {}

  /**
   * Another attempt may end better.
   *
   * @param retryAfter as the answer's field of that name has it; empty if there was none
   */
  record Failed(int status, String why, String retryAfter) implements Outcome {
    Failed(String why) {
      this(NO_STATUS, why, "");
    }
  }

  /** It was not tried: nothing goes there at the moment. */
  record NotTaken(String why) implements Outcome {}
}
