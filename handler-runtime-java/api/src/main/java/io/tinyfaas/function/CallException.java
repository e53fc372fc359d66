package io.tinyfaas.function;

import java.util.Optional;

/** There is no answer of the function that was called; the message says what to do. */
public final class CallException extends RuntimeException {

  private static final long serialVersionUID = 1;

  private final int status;
  private final String type;

  CallException(String message) {
    this(message, 0, null);
  }

  CallException(String message, int status, String type) {
    super(message);
    this.status = status;
    this.type = type;
  }

  CallException(String message, Throwable cause) {
    super(message, cause);
    this.status = 0;
    this.type = null;
  }

  /** That of the gateway's problem (RFC 9457); 0 where the gateway said nothing. */
  public int status() {
    return status;
  }

  /** The last part of the problem's type, as in {@code unknown-function}. */
  public Optional<String> type() {
    return Optional.ofNullable(type);
  }
}
