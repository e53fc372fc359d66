package io.tinyfaas.gateway.ingress.coap.observe;

import io.netty.handler.codec.http.HttpHeaderNames;
import io.tinyfaas.gateway.ingress.coap.message.Blocks;
import io.tinyfaas.gateway.ingress.coap.message.CoapResponses;
import io.tinyfaas.gateway.invoke.InvocationResult.Answered;
import io.tinyfaas.gateway.result.LastResult;
import io.vertx.core.MultiMap;
import org.eclipse.californium.core.coap.CoAP.Code;
import org.eclipse.californium.core.coap.CoAP.ResponseCode;
import org.eclipse.californium.core.coap.OptionSet;
import org.eclipse.californium.core.coap.Request;
import org.eclipse.californium.core.coap.Response;

/** A function's result as the state of a resource in CoAP: what a GET of it is answered with. */
final class Representation {

  static final int NO_FORMAT = -1;

  private static final int OK = 200;

  private final Response whole;

  /**
   * Whatever the method and the status were, the state is 2.05 (RFC 7641, 4.2). It is fresh until
   * another one is told, so without a Cache-Control Max-Age is left at its default of 60 s.
   */
  Representation(LastResult state) {
    MultiMap headers = state.answer().headers();
    whole =
        CoapResponses.toResponse(new Request(Code.GET), new Answered(OK, headers, state.body()));
    OptionSet options = whole.getOptions();
    if (!headers.contains(HttpHeaderNames.CACHE_CONTROL)) {
      options.removeMaxAge();
    }
    options.clearETags().addETag(state.tag());
  }

  /** {@link #NO_FORMAT} if there is none. */
  int format() {
    return whole.getOptions().hasContentFormat()
        ? whole.getOptions().getContentFormat()
        : NO_FORMAT;
  }

  /** To a request, by its Accept and its ETags; whole. */
  Response answer(OptionSet asked) {
    OptionSet options = whole.getOptions();
    if (asked.hasAccept() && asked.getAccept() != format()) {
      return CoapResponses.diagnostic(
          ResponseCode.NOT_ACCEPTABLE, "the function's result has another Content-Format");
    }
    boolean known = asked.containsETag(tag());
    Response response = new Blocks.Lasting(known ? ResponseCode.VALID : ResponseCode.CONTENT);
    response.getOptions().addETag(tag());
    if (options.hasMaxAge()) {
      response.getOptions().setMaxAge(options.getMaxAge());
    }
    if (known) {
      return response;
    }
    if (options.hasContentFormat()) {
      response.getOptions().setContentFormat(options.getContentFormat());
    }
    response.setPayload(whole.getPayload());
    return response;
  }

  private byte[] tag() {
    return whole.getOptions().getETags().getFirst();
  }
}
