package io.tinyfaas.runtime.load;

/** The function cannot be loaded; the message tells its developer what to change. */
public final class LoadFailure extends Exception {
  LoadFailure(String message) {
    super(message);
  }

  LoadFailure(String message, Throwable cause) {
    super(message, cause);
  }
}
