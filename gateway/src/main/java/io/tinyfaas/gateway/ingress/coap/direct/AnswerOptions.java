package io.tinyfaas.gateway.ingress.coap.direct;

import io.tinyfaas.gateway.ingress.coap.message.CoapResponses;
import io.tinyfaas.gateway.invoke.InvocationResult.Answered;
import io.vertx.core.MultiMap;
import java.util.Optional;
import org.eclipse.californium.core.coap.CoAP.Code;
import org.eclipse.californium.core.coap.CoAP.ResponseCode;
import org.eclipse.californium.core.coap.Request;
import org.eclipse.californium.core.coap.Response;
import org.eclipse.californium.core.network.serialization.DataSerializer;
import org.eclipse.californium.elements.util.DatagramWriter;

/**
 * Code and options of successful answers, encoded. Functions mostly answer with one and the same
 * head, of which the gateway then has one object: what it becomes in CoAP is found once.
 */
final class AnswerOptions {

  /** A power of two; more than functions usually have connections. */
  private static final int KEPT = 64;

  private static final int CREATED = 201;

  /**
   * @param options as they stand in a message
   */
  record Encoded(int code, byte[] options) {}

  private record Known(
      MultiMap headers, int status, Code method, boolean empty, Optional<Encoded> encoded) {}

  private final Known[] known = new Known[KEPT];

  /**
   * Empty for an error, and for what is said of the request, too, or by the body: a location, a
   * validation, a tag of the gateway's own.
   */
  Optional<Encoded> of(Code method, Answered answer) {
    MultiMap headers = answer.headers();
    boolean empty = answer.body().length == 0;
    int place = (System.identityHashCode(headers) + method.value) & KEPT - 1;
    Known there = known[place];
    if (there != null
        && there.headers == headers
        && there.status == answer.status()
        && there.method == method
        && there.empty == empty) {
      return there.encoded;
    }
    Optional<Encoded> encoded = encode(method, answer);
    known[place] = new Known(headers, answer.status(), method, empty, encoded);
    return encoded;
  }

  private static Optional<Encoded> encode(Code method, Answered answer) {
    if (answer.status() < 200
        || answer.status() > 299
        || answer.status() == CREATED
        || !CoapResponses.hasOptionsOfItsHead(answer)) {
      return Optional.empty();
    }
    Response response = CoapResponses.toResponse(new Request(method), answer);
    ResponseCode code = response.getCode();
    DatagramWriter options = new DatagramWriter();
    DataSerializer.serializeOptionsAndPayload(options, response.getOptions(), null);
    return Optional.of(new Encoded(code.value, options.toByteArray()));
  }
}
