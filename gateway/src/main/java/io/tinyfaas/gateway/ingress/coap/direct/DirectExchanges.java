package io.tinyfaas.gateway.ingress.coap.direct;

import io.netty.buffer.ByteBuf;
import io.tinyfaas.contract.route.Exposure.Access;
import io.tinyfaas.contract.route.Exposure.Observable;
import io.tinyfaas.contract.route.Route;
import io.tinyfaas.gateway.ingress.coap.CoapIngress;
import io.tinyfaas.gateway.ingress.coap.duplicate.BoundedDeduplicator;
import io.tinyfaas.gateway.ingress.coap.duplicate.RememberedAnswers;
import io.tinyfaas.gateway.ingress.coap.message.Blocks;
import io.tinyfaas.gateway.ingress.coap.message.CoapRequests;
import io.tinyfaas.gateway.ingress.coap.message.PlainRequest;
import io.tinyfaas.gateway.ingress.coap.socket.DatagramReader;
import io.tinyfaas.gateway.ingress.coap.socket.LoopConnector;
import io.tinyfaas.gateway.ingress.coap.socket.Sender;
import io.tinyfaas.gateway.invoke.InvocationResult;
import io.tinyfaas.gateway.invoke.InvocationResult.Answered;
import io.tinyfaas.gateway.invoke.Invoker;
import io.tinyfaas.gateway.loop.LoopTimers;
import io.tinyfaas.gateway.route.CurrentRoutes;
import io.tinyfaas.gateway.route.RoutedFunction;
import io.vertx.core.Future;
import io.vertx.core.Handler;
import java.time.Duration;
import java.util.Optional;

/**
 * The short way of a plain request whose function answers at once: one datagram in, one out, and
 * both remembered. Californium takes the same two through layers for everything that CoAP can do,
 * which was the larger part of the gateway's own work. What turns out to need more than that (an
 * answer that takes longer or is larger than a block, an error, more bytes than an address may have
 * that is not verified) is handed over to Californium together with the invocation that runs. On
 * the event loop.
 */
public final class DirectExchanges implements DatagramReader {

  private static final int HEADER_BYTES = 4;
  private static final int ACKNOWLEDGEMENT = 0x60;
  private static final byte PAYLOAD_MARKER = (byte) 0xff;

  private final CurrentRoutes routes;
  private final Invoker invoker;
  private final LoopTimers timers;
  private final long ackDelayMillis;
  private final BoundedDeduplicator others;
  private final RememberedAnswers answers;
  private final LoopConnector connector;
  private final AnswerOptions options = new AnswerOptions();

  /** An answer being written. */
  private final byte[] scratch = new byte[RememberedAnswers.MAX_BYTES];

  private volatile boolean refusing;

  /**
   * @param answers where this has its messages
   * @param others where Californium has its own
   */
  public DirectExchanges(
      CurrentRoutes routes,
      Invoker invoker,
      LoopTimers timers,
      Duration ackDelay,
      RememberedAnswers answers,
      BoundedDeduplicator others,
      LoopConnector connector) {
    this.routes = routes;
    this.invoker = invoker;
    this.timers = timers;
    this.ackDelayMillis = ackDelay.toMillis();
    this.answers = answers;
    this.others = others;
    this.connector = connector;
  }

  /** All that is new is Californium's from now on. */
  public void refuseNew() {
    refusing = true;
  }

  @Override
  public boolean take(Sender sender, byte[] message) {
    if (!PlainRequest.isConfirmable(message)) {
      return false;
    }
    long now = System.nanoTime();
    int mid = PlainRequest.mid(message);
    int known = answers.find(sender.address(), mid, now);
    if (known != RememberedAnswers.NONE) {
      return again(known, sender);
    }
    Optional<PlainRequest> read = refusing ? Optional.empty() : PlainRequest.parse(message);
    if (read.isEmpty() || !isPlain(read.get().function()) || others.knows(sender.address(), mid)) {
      return false;
    }
    PlainRequest request = read.get();
    if (others.isForgottenDuplicate(sender.address(), mid, message, request.method())) {
      return true; // its answer is forgotten: it is neither run nor answered
    }
    new Exchange(sender, message, request, answers.add(sender.address(), mid, now)).begin();
    return true;
  }

  /** Whether it has neither devices of its own nor observers, and is not accepted as a call. */
  private boolean isPlain(String function) {
    Optional<RoutedFunction> found = routes.find(function);
    if (found.isEmpty()) {
      return false;
    }
    Route route = found.get().route();
    return route.exposure().access() == Access.ANY
        && route.exposure().observable() == Observable.NO
        && !route.calls().durable();
  }

  private boolean again(int known, Sender sender) {
    if (answers.isElsewhere(known)) {
      return false;
    }
    int length = answers.length(known);
    if (length > 0 && sender.peer().spend(length)) {
      ByteBuf answer = sender.socket().alloc().directBuffer(length);
      answers.copy(known, answer);
      connector.write(sender, answer);
    } else if (length > 0) {
      connector.ping(sender);
    }
    return true;
  }

  private final class Exchange implements LoopTimers.Task, Handler<InvocationResult> {
    private final Sender sender;
    private final byte[] message;
    private final PlainRequest request;
    private final int slot;
    private final int serial;
    private Future<InvocationResult> result;
    private LoopTimers.Timer acknowledgement;
    private boolean over;

    Exchange(Sender sender, byte[] message, PlainRequest request, int slot) {
      this.sender = sender;
      this.message = message;
      this.request = request;
      this.slot = slot;
      this.serial = answers.serial(slot);
    }

    void begin() {
      acknowledgement = timers.start(ackDelayMillis, this);
      result = invoker.invoke(CoapRequests.toInvocation(request, sender.address()));
      result.onSuccess(this);
    }

    @Override
    public void handle(InvocationResult outcome) {
      if (over) {
        return;
      }
      acknowledgement.cancel();
      if (!(outcome instanceof Answered answered)
          || answered.body().length > Blocks.MAX_BYTES
          || !send(answered)) {
        handOver();
        return;
      }
      over = true;
    }

    private boolean send(Answered answered) {
      Optional<AnswerOptions.Encoded> head = options.of(request.method(), answered);
      if (head.isEmpty()) {
        return false;
      }
      int token = PlainRequest.tokenLength(message);
      byte[] encoded = head.get().options();
      byte[] body = answered.body();
      int length = HEADER_BYTES + token + encoded.length + (body.length == 0 ? 0 : 1 + body.length);
      if (length > RememberedAnswers.MAX_BYTES || !sender.peer().spend(length)) {
        return false;
      }
      byte[] answer = scratch;
      answer[0] = (byte) (ACKNOWLEDGEMENT | token);
      answer[1] = (byte) head.get().code();
      System.arraycopy(message, 2, answer, 2, 2 + token); // message ID and token
      int at = HEADER_BYTES + token;
      System.arraycopy(encoded, 0, answer, at, encoded.length);
      if (body.length > 0) {
        answer[at + encoded.length] = PAYLOAD_MARKER;
        System.arraycopy(body, 0, answer, length - body.length, body.length);
      }
      answers.put(slot, serial, answer, length);
      connector.write(
          sender, sender.socket().alloc().directBuffer(length).writeBytes(answer, 0, length));
      return true;
    }

    @Override
    public void timeUp() {
      handOver();
    }

    /** {@link CoapIngress} goes on where this stops. */
    private void handOver() {
      over = true;
      answers.putElsewhere(slot, serial);
      connector.deliver(sender, message, Optional.of(result));
    }
  }
}
