package io.tinyfaas.gateway;

import static io.tinyfaas.harness.Eventually.eventually;

import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.http.HttpServerResponse;
import java.util.ArrayList;
import java.util.List;

/** A function that answers {@code late}, and not before the test says so. */
final class HeldFunction {

  private final List<HttpServerResponse> held = new ArrayList<>();
  private boolean answering;

  synchronized void answer(HttpServerRequest request, Buffer body) {
    if (answering) {
      end(request.response());
    } else {
      held.add(request.response());
    }
  }

  /** From now on calls are held. Those that an earlier test has left are answered. */
  synchronized void hold() {
    release();
    answering = false;
  }

  /** Answers the calls that are held, and all that come from now on. */
  synchronized void release() {
    answering = true;
    held.forEach(HeldFunction::end);
    held.clear();
  }

  private static void end(HttpServerResponse response) {
    if (!response.closed()) {
      response.end("late");
    }
  }

  /** Returns when so many calls are held. */
  void await(int calls) {
    eventually().until(() -> count() == calls);
  }

  private synchronized int count() {
    return held.size();
  }
}
