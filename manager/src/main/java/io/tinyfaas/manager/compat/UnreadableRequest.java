package io.tinyfaas.manager.compat;

/** What the existing tinyFaaS answers with 400: not JSON, or JSON of other types. */
final class UnreadableRequest extends RuntimeException {

  UnreadableRequest(String detail) {
    super(detail);
  }
}
