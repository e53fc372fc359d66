package io.tinyfaas.gateway.call;

import io.tinyfaas.gateway.callback.Callback;
import io.tinyfaas.gateway.invoke.Invocation;
import java.util.Objects;
import java.util.Optional;

/**
 * What a call is for, as it is kept on disk until the call is done.
 *
 * @param invocation of the function; of a call that tells of another, what is told: headers and
 *     body
 * @param callback a topic or a URL that hears what becomes of the call; of a call that tells of
 *     another, whom it tells. That a function does is said in {@link Call.Origin}
 * @param tells whether it tells of another call
 */
record CallRequest(Invocation invocation, Optional<Callback> callback, boolean tells) {

  CallRequest {
    Objects.requireNonNull(invocation, "invocation");
    if (tells && callback.isEmpty()) {
      throw new IllegalArgumentException("tells nobody");
    }
  }

  static CallRequest of(Invocation invocation) {
    return new CallRequest(invocation, Optional.empty(), false);
  }
}
