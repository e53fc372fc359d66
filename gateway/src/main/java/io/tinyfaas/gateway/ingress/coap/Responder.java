package io.tinyfaas.gateway.ingress.coap;

import io.netty.channel.EventLoop;
import io.netty.util.concurrent.Promise;
import io.netty.util.concurrent.ScheduledFuture;
import io.tinyfaas.gateway.ingress.coap.message.Blocks;
import io.tinyfaas.gateway.ingress.coap.message.CoapResponses;
import io.tinyfaas.gateway.ingress.coap.peer.EchoValues;
import io.tinyfaas.gateway.ingress.coap.socket.PeerContext;
import io.tinyfaas.gateway.memory.BodyMemory;
import java.util.OptionalInt;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Consumer;
import org.eclipse.californium.core.coap.BlockOption;
import org.eclipse.californium.core.coap.CoAP.ResponseCode;
import org.eclipse.californium.core.coap.Option;
import org.eclipse.californium.core.coap.OptionSet;
import org.eclipse.californium.core.coap.Request;
import org.eclipse.californium.core.coap.Response;
import org.eclipse.californium.core.network.Exchange;
import org.eclipse.californium.elements.util.Bytes;

/**
 * Sends responses, or as much of them as the device wants (No-Response, RFC 7967) and its address
 * may be sent. A response too large for an address that is not verified waits for the answer to a
 * ping, then goes out whole; without an answer it goes out in blocks as small as they have to be,
 * and where the smallest is too large, the device is asked for an Echo (RFC 9175, 2.4). On the
 * event loop.
 */
final class Responder {

  /** A device on a slow network has answered; one that never does has not waited for long. */
  private static final long PING_MILLIS = 1_000;

  /** The ping or the reset may be lost; libcoap's client passes over one of five. */
  private static final long PING_AGAIN_MILLIS = 300;

  /** Of the memory, for responses that wait: anyone can invent the addresses that they wait for. */
  private static final int WAITING_FRACTION = 8;

  private static final int HEADER_BYTES = 4;
  private static final int MARKER_BYTES = 1;
  private static final int SMALLEST_SZX = 0;

  /** Option numbers and lengths from here on take a further byte, and two (RFC 7252, 3.1). */
  private static final int ONE_MORE_FROM = 13;

  private static final int TWO_MORE_FROM = 269;

  private final EventLoop loop;
  private final BodyMemory memory;
  private final EchoValues echoes;

  /** Written on the event loop only. */
  private volatile int waiting;

  private long waitingBytes;

  Responder(EventLoop loop, BodyMemory memory, EchoValues echoes) {
    this.loop = loop;
    this.memory = memory;
    this.echoes = echoes;
  }

  /**
   * That a function takes its time is said at once; what is sent again, as the response then is,
   * counts each time, so it is time to verify the address.
   */
  void acknowledge(Exchange exchange) {
    exchange.sendAccept();
    if (exchange.getRequest().getSourceContext() instanceof PeerContext context) {
      context.ask();
    }
  }

  void send(Exchange exchange, Response whole) {
    Request request = exchange.getRequest();
    boolean bare = whole.getOptions().getETagCount() == 0;
    Response response = goesInBlocks(request, whole) ? CoapResponses.tagged(request, whole) : whole;
    if (isUnwanted(exchange.getCurrentRequest(), response)) {
      request.setPayload(Bytes.EMPTY); // the exchange is remembered for minutes
      if (request.isConfirmable()) {
        exchange.sendAccept(); // RFC 7967, 2.1: the message still has its acknowledgement
      }
    } else if (request.getSourceContext() instanceof PeerContext context
        && !mayHave(context, request, response)) {
      verified(
          context,
          response.getPayloadSize(),
          yes -> {
            if (yes) {
              exchange.sendResponse(response);
            } else {
              sendLess(exchange, response, context, bare);
            }
          });
    } else {
      exchange.sendResponse(response);
    }
  }

  /** The responses that wait for their addresses' proof; on any thread. */
  int waiting() {
    return waiting;
  }

  private static boolean goesInBlocks(Request request, Response response) {
    BlockOption asked = request.getOptions().getBlock2();
    return response.getPayloadSize() > Blocks.MAX_BYTES
        || asked != null && (asked.getNum() > 0 || response.getPayloadSize() > asked.getSize());
  }

  /** Whoever observes will be sent more than asked for, and is asked for a proof at once. */
  private static boolean mayHave(PeerContext context, Request request, Response response) {
    if (response.isNotification()) {
      context.ask();
    }
    return context.peer().isVerified() || size(request, response) <= context.peer().credit();
  }

  private static boolean isUnwanted(Request request, Response response) {
    OptionSet options = request.getOptions();
    return options.hasNoResponse() && options.getNoResponse().suppress(response.getCode());
  }

  /** Says whether the address proved itself in time. */
  private void verified(PeerContext context, int bytes, Consumer<Boolean> then) {
    Promise<Void> promise = loop.newPromise();
    if (waitingBytes + bytes > memory.size() / WAITING_FRACTION || !memory.take(bytes)) {
      then.accept(false);
      return;
    }
    if (!context.peer().await(promise)) {
      memory.give(bytes);
      then.accept(false);
      return;
    }
    waiting = waiting + 1;
    waitingBytes += bytes;
    context.ask();
    ScheduledFuture<?> again =
        loop.scheduleAtFixedRate(
            context::ask, PING_AGAIN_MILLIS, PING_AGAIN_MILLIS, TimeUnit.MILLISECONDS);
    ScheduledFuture<?> timeout =
        loop.schedule(
            () -> promise.tryFailure(new TimeoutException()), PING_MILLIS, TimeUnit.MILLISECONDS);
    promise.addListener(
        done -> {
          again.cancel(false);
          timeout.cancel(false);
          memory.give(bytes);
          waitingBytes -= bytes;
          then.accept(done.isSuccess());
          waiting = waiting - 1;
        });
  }

  /**
   * @param bare if the function has given it no ETag
   */
  private void sendLess(Exchange exchange, Response whole, PeerContext context, boolean bare) {
    Request request = exchange.getRequest();
    Response response = CoapResponses.tagged(request, whole);
    int credit = context.peer().credit();
    if (size(request, response) <= credit) {
      exchange.sendResponse(response); // it has sent more meanwhile
    } else if (response.isError()) {
      response.setPayload(new byte[0]);
      exchange.sendResponse(response);
    } else {
      OptionalInt szx = fitting(request, response, credit);
      if (szx.isEmpty() && bare) {
        response.getOptions().clearETags(); // blocks without one are better than none
        szx = fitting(request, response, credit);
      }
      if (szx.isPresent()) {
        request.getOptions().setBlock2(szx.getAsInt(), false, 0);
        exchange.sendResponse(response);
      } else {
        Response challenge = new Response(ResponseCode.UNAUTHORIZED);
        echoes.ask(challenge, context);
        exchange.sendResponse(challenge);
      }
    }
  }

  /** The largest block size for the first block that may be sent; none after the first. */
  private static OptionalInt fitting(Request request, Response response, int credit) {
    BlockOption asked = request.getOptions().getBlock2();
    if (asked != null && asked.getNum() > 0) {
      return OptionalInt.empty();
    }
    int from = asked == null ? BlockOption.size2Szx(Blocks.MAX_BYTES) : asked.getSzx();
    Response first = new Response(response.getCode());
    for (int szx = from; szx >= SMALLEST_SZX; szx--) {
      first.setOptions(new OptionSet(response.getOptions()));
      first.getOptions().setSize2(response.getPayloadSize()).setBlock2(szx, true, 0);
      if (size(request, first) + MARKER_BYTES + BlockOption.szx2Size(szx) <= credit) {
        return OptionalInt.of(szx);
      }
    }
    return OptionalInt.empty();
  }

  /** What the response takes on the wire; of a body that goes in blocks, the first. */
  private static int size(Request request, Response response) {
    int size = HEADER_BYTES + request.getToken().length();
    int number = 0;
    for (Option option : response.getOptions().asSortedList()) {
      size += 1 + more(option.getNumber() - number) + more(option.getLength()) + option.getLength();
      number = option.getNumber();
    }
    int payload = Math.min(response.getPayloadSize(), Blocks.MAX_BYTES);
    return payload == 0 ? size : size + MARKER_BYTES + payload;
  }

  private static int more(int value) {
    return value >= TWO_MORE_FROM ? 2 : value >= ONE_MORE_FROM ? 1 : 0;
  }
}
