package io.tinyfaas.gateway.ingress.http;

import io.tinyfaas.gateway.memory.BodyMemory;
import jakarta.inject.Singleton;

/** What is held for everybody who speaks HTTP. */
@Singleton
final class HttpMemory {

  /** Of the memory of bodies, and besides it, for refusals where nothing of that is left. */
  private static final int REFUSALS_FRACTION = 16;

  private final BodyMemory bodies;
  private final BodyMemory refusals;
  private final RequestDecoder.Heads heads;

  HttpMemory(BodyMemory bodies) {
    this.bodies = bodies;
    this.refusals = new BodyMemory(bodies.size() / REFUSALS_FRACTION);
    this.heads = new RequestDecoder.Heads(bodies);
  }

  BodyMemory bodies() {
    return bodies;
  }

  BodyMemory refusals() {
    return refusals;
  }

  RequestDecoder.Heads heads() {
    return heads;
  }
}
