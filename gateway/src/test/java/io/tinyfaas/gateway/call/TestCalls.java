package io.tinyfaas.gateway.call;

import io.tinyfaas.contract.control.CallId;
import io.tinyfaas.gateway.call.Call.Origin;
import io.tinyfaas.gateway.ingress.Protocol;
import java.nio.ByteBuffer;
import java.util.Base64;
import java.util.Optional;

/** Calls that nobody asked for. */
final class TestCalls {

  private static long last;

  private TestCalls() {}

  static Call of(String function, long dueAt) {
    return of(function, dueAt, 10, Optional.empty());
  }

  static Call of(String function, long dueAt, int bytes, Optional<IdempotencyKey> key) {
    long number = ++last;
    return new Call(
        new Origin(id(number), number, function, Protocol.HTTP, "", "", "", 0, key, bytes),
        dueAt,
        dueAt,
        false);
  }

  static CallId id(long number) {
    byte[] bytes = ByteBuffer.allocate(16).putLong(number).array();
    return new CallId(Base64.getUrlEncoder().withoutPadding().encodeToString(bytes));
  }
}
