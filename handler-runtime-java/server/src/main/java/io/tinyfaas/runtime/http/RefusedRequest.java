package io.tinyfaas.runtime.http;

/**
 * A request that cannot be read to its end, so that its connection is of no use afterwards: it is
 * answered with the status and closed.
 */
final class RefusedRequest extends Exception {
  private final int status;

  /**
   * @param status from 400
   */
  RefusedRequest(int status, String message) {
    super(message, null, false, false);
    this.status = status;
  }

  static RefusedRequest malformed(String what) {
    return new RefusedRequest(400, what);
  }

  int status() {
    return status;
  }
}
