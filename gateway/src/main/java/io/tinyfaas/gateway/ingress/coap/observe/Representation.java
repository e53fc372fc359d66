package io.tinyfaas.gateway.ingress.coap.observe;

import io.netty.handler.codec.http.HttpHeaderNames;
import io.tinyfaas.gateway.ingress.coap.message.Blocks;
import io.tinyfaas.gateway.ingress.coap.message.CoapResponses;
import io.tinyfaas.gateway.invoke.InvocationResult.Answered;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.Optional;
import org.eclipse.californium.core.coap.CoAP.Code;
import org.eclipse.californium.core.coap.CoAP.ResponseCode;
import org.eclipse.californium.core.coap.OptionSet;
import org.eclipse.californium.core.coap.Request;
import org.eclipse.californium.core.coap.Response;

/** A function's result as the state of a resource: what a GET of it is answered with. */
final class Representation {

  static final int NO_FORMAT = -1;

  /** What it takes beside the body, about. */
  private static final int OVERHEAD_BYTES = 512;

  private static final int OK = 200;
  private static final int NO_CONTENT = 204;

  private final Response whole;
  private final boolean tagged;

  private Representation(Response whole, boolean tagged) {
    this.whole = whole;
    this.tagged = tagged;
  }

  /**
   * Empty if the result says nothing of the state: an error, 304, or 204. Whatever the method and
   * the status were, the state is 2.05 (RFC 7641, 4.2). It is fresh until another one is told, so
   * without a Cache-Control Max-Age is left at its default of 60 s.
   *
   * @param tag of no other representation: the ETag where the function has set none, so that blocks
   *     of two are never mixed
   */
  static Optional<Representation> of(Answered result, int tag) {
    int status = result.status();
    if (status < 200 || status > 299 || status == NO_CONTENT) {
      return Optional.empty();
    }
    Response whole =
        CoapResponses.toResponse(
            new Request(Code.GET), new Answered(OK, result.headers(), result.body()));
    OptionSet options = whole.getOptions();
    if (!result.headers().contains(HttpHeaderNames.CACHE_CONTROL)) {
      options.removeMaxAge();
    }
    boolean tagged = options.getETagCount() > 0;
    if (!tagged) {
      options.addETag(ByteBuffer.allocate(Integer.BYTES).putInt(tag).array());
    }
    return Optional.of(new Representation(whole, tagged));
  }

  /** Whether a device that has the other one is to be told of this one. */
  boolean differsFrom(Representation other) {
    return format() != other.format()
        || tagged != other.tagged
        || tagged && !Arrays.equals(tag(), other.tag())
        || !Arrays.equals(whole.getPayload(), other.whole.getPayload());
  }

  /** {@link #NO_FORMAT} if there is none. */
  int format() {
    return whole.getOptions().hasContentFormat()
        ? whole.getOptions().getContentFormat()
        : NO_FORMAT;
  }

  /** In memory. */
  int bytes() {
    return whole.getPayloadSize() + OVERHEAD_BYTES;
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
