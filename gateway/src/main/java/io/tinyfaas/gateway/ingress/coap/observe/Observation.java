package io.tinyfaas.gateway.ingress.coap.observe;

import io.tinyfaas.contract.peer.PeerNetwork;
import io.tinyfaas.gateway.device.DeviceIdentity;
import io.tinyfaas.gateway.ingress.coap.dtls.DtlsConnector;
import io.tinyfaas.gateway.ingress.coap.message.CoapResponses;
import io.tinyfaas.gateway.result.Resource;
import java.util.Optional;
import java.util.function.Supplier;
import org.eclipse.californium.core.coap.CoAP.Code;
import org.eclipse.californium.core.coap.CoAP.ResponseCode;
import org.eclipse.californium.core.coap.CoAP.Type;
import org.eclipse.californium.core.coap.OptionSet;
import org.eclipse.californium.core.coap.Request;
import org.eclipse.californium.core.coap.Response;
import org.eclipse.californium.core.coap.Token;
import org.eclipse.californium.core.network.Endpoint;
import org.eclipse.californium.core.network.Exchange;

/** One observer's interest in one resource (RFC 7641, 4.1). On the event loop. */
final class Observation {

  /** A peer's token means one observation at a time (RFC 7641, 4.1). */
  record Key(Object peer, Token token) {
    static Key of(Exchange exchange) {
      return new Key(exchange.getPeersIdentity(), exchange.getRequest().getToken());
    }
  }

  /** Non-confirmable notifications in a row; then one is to be acknowledged (RFC 7641, 7). */
  private static final int MAX_UNCONFIRMED = 4;

  /** Times that a notification cannot be sent: its address is to be verified meanwhile. */
  private static final int MAX_UNSENT = 20;

  /** RFC 7641, 4.5, with an hour for what may delay it. */
  static final long CONFIRMED_EVERY_MILLIS = 23 * 3_600_000L;

  private final Key key;
  private final Resource resource;
  private final Optional<DeviceIdentity> device;
  private final Endpoint endpoint;
  private final Request request;
  private final int format;
  private long heard;
  private long confirmed;
  private int unconfirmed;
  private int unsent;
  private Supplier<Response> farewell;

  /** Of the last notification, if that was not confirmable: by it a reset is recognised. */
  private Exchange unanswered;

  /**
   * @param format of the first response, and of all that follow
   * @param now in milliseconds
   */
  Observation(Exchange exchange, Resource resource, int format, long now) {
    Request registration = exchange.getRequest();
    OptionSet asked = registration.getOptions();
    this.key = Key.of(exchange);
    this.resource = resource;
    this.device = DtlsConnector.identity(registration.getSourceContext().getPeerIdentity());
    this.endpoint = exchange.getEndpoint();
    this.format = format;
    this.heard = now;
    this.confirmed = now;
    // What a notification has to heed of the request, which Californium strips after its answer.
    this.request = new Request(Code.GET, registration.getType());
    request.setProtectFromOffload();
    request.setToken(registration.getToken());
    request.setSourceContext(registration.getSourceContext());
    asked.getETags().forEach(request.getOptions()::addETag);
    if (asked.hasBlock2()) {
      request.getOptions().setBlock2(asked.getBlock2());
    }
  }

  Key key() {
    return key;
  }

  /** Of a function, or a call. */
  Resource resource() {
    return resource;
  }

  /** Whose place it takes: the device's that it has proved to be, or its address's. */
  Object owner() {
    return device
        .<Object>map(DeviceIdentity::name)
        .orElseGet(() -> PeerNetwork.of(request.getSourceContext().getPeerAddress().getAddress()));
  }

  /** Empty for whoever has not proved to be a device. */
  Optional<DeviceIdentity> device() {
    return device;
  }

  Endpoint endpoint() {
    return endpoint;
  }

  Request request() {
    return request;
  }

  /** When the observer was last heard of, in milliseconds. */
  long heard() {
    return heard;
  }

  /** One that registers again goes on as the observer that it was. */
  void follow(Observation earlier) {
    confirmed = earlier.confirmed;
    unconfirmed = earlier.unconfirmed;
  }

  void acknowledged(long now) {
    heard = now;
    confirmed = now;
    unconfirmed = 0;
    unsent = 0;
  }

  /**
   * A notification did not leave the gateway.
   *
   * @return false if none has for long
   */
  boolean isWorthAnotherTry() {
    return ++unsent <= MAX_UNSENT;
  }

  boolean isConfirmationDue(long now) {
    return now - confirmed >= CONFIRMED_EVERY_MILLIS;
  }

  /** The type of the next notification: the observer's own, but confirmable now and then. */
  Type nextType(long now) {
    boolean confirmable =
        request.isConfirmable()
            || farewell != null
            || unconfirmed >= MAX_UNCONFIRMED
            || isConfirmationDue(now);
    return confirmable ? Type.CON : Type.NON;
  }

  /** The next notification is this error, and the last one (RFC 7641, 4.2). */
  void end(Supplier<Response> error) {
    farewell = error;
  }

  boolean isEnded() {
    return farewell != null;
  }

  /**
   * What the next notification says. A state in another format than the first ends the observation
   * (RFC 7641, 4.2).
   */
  Response notification(Optional<Representation> state) {
    if (farewell == null && state.isPresent() && state.get().format() == format) {
      return state.get().answer(request.getOptions());
    }
    if (farewell == null) {
      farewell =
          () ->
              CoapResponses.diagnostic(
                  ResponseCode.NOT_ACCEPTABLE,
                  "the function's result has another Content-Format now");
    }
    return farewell.get();
  }

  /** A notification that is not confirmable has been sent, in this exchange. */
  void sentUnconfirmed(Exchange exchange) {
    forgetUnanswered();
    unanswered = exchange;
    unconfirmed++;
    unsent = 0;
  }

  void forgetUnanswered() {
    if (unanswered != null) {
      unanswered.executeComplete();
      unanswered = null;
    }
  }
}
