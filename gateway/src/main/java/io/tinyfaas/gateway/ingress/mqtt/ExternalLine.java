package io.tinyfaas.gateway.ingress.mqtt;

import io.netty.handler.codec.mqtt.MqttMessageType;
import io.tinyfaas.gateway.ingress.mqtt.ExternalInbox.Incoming;
import io.tinyfaas.gateway.ingress.mqtt.ExternalInbox.Outcome;
import io.vertx.core.Future;
import io.vertx.core.impl.ContextInternal;
import java.util.HashSet;
import java.util.Set;
import org.jboss.logging.Logger;

/**
 * What becomes of what one connection to the external broker brings: subscriptions are asked for,
 * messages become calls and are acknowledged. On the invocation loop.
 */
final class ExternalLine implements ExternalSession.Owner, ExternalInbox.Line {

  private static final Logger LOG = Logger.getLogger(ExternalLine.class);

  private static final int REFUSED = 0x80;

  /** Of one connection: whoever may not subscribe one topic often may none. */
  private static final int MAX_LINES = 10;

  /** Who makes connections, one after the other. */
  interface Owner {

    void accepted(ExternalLine line, boolean present);

    /** All that was asked for is answered. */
    void subscribed();

    /**
     * @param why nothing is taken at the moment; empty if it is again
     */
    void stuck(String why);

    /**
     * @param silent it has not said yet whether it takes the connection
     */
    void ended(String reason, boolean silent);
  }

  /**
   * Messages with QoS 2 that were taken and whose identifier the broker has not released: it sends
   * them again when it has not heard that they were. Those of the broker's session, whatever
   * connection it has.
   */
  static final class Unreleased {
    private Set<Integer> identifiers = new HashSet<>();

    /** The broker has begun another session. */
    void forget() {
      identifiers = new HashSet<>();
    }
  }

  private final ContextInternal context;
  private final ExternalCalls calls;
  private final ExternalSubscriptions subscriptions;
  private final Unreleased unreleased;
  private final Owner owner;
  private ExternalSession session;
  private ExternalInbox inbox;
  private int lines;

  ExternalLine(
      ContextInternal context,
      ExternalCalls calls,
      ExternalSubscriptions subscriptions,
      Unreleased unreleased,
      Owner owner) {
    this.context = context;
    this.calls = calls;
    this.subscriptions = subscriptions;
    this.unreleased = unreleased;
    this.owner = owner;
  }

  /** Before it hears anything. */
  void use(ExternalSession itsSession, ExternalInbox itsInbox) {
    session = itsSession;
    inbox = itsInbox;
  }

  ExternalSession session() {
    return session;
  }

  @Override
  public void accepted(boolean present) {
    if (!present) {
      unreleased.forget();
    }
    owner.accepted(this, present);
  }

  @Override
  public void subscribed(String filter, int code) {
    int asked = subscriptions.asked(filter);
    if (code >= REFUSED) {
      tell("refused", filter, "code=0x%02x".formatted(code));
    } else if (code < asked) {
      tell("lowered", filter, "qos=%d granted=%d".formatted(asked, code));
    }
    subscriptions.answered(filter, code);
    if (subscriptions.isSettled()) {
      owner.subscribed();
    }
  }

  private void tell(String outcome, String filter, String what) {
    if (++lines <= MAX_LINES) {
      LOG.warnf(
          "event=external-subscription outcome=%s topic=\"%s\" %s",
          outcome, ExternalCalls.shown(filter), what);
    }
  }

  @Override
  public boolean received(Incoming message) {
    if (message.publication().qos() == 2 && unreleased.identifiers.contains(message.packetId())) {
      session.send(MqttMessageType.PUBREC, message.packetId(), 0);
      return true;
    }
    boolean held = inbox.add(message);
    session.read(!inbox.isFull());
    return held;
  }

  @Override
  public void released(int packetId) {
    unreleased.identifiers.remove(packetId);
  }

  /** Also if the connection ends meanwhile: then the message may come again. */
  @Override
  public Future<Outcome> take(Incoming message) {
    Set<Integer> its = unreleased.identifiers;
    return calls
        .take(message, subscriptions)
        .onSuccess(
            outcome -> {
              if (message.publication().qos() == 2 && outcome instanceof Outcome.Taken) {
                its.add(message.packetId());
              }
            });
  }

  @Override
  public void acknowledge(Incoming message, boolean taken) {
    int code = taken ? 0 : Refusals.IMPLEMENTATION_SPECIFIC;
    switch (message.publication().qos()) {
      case 1 -> session.send(MqttMessageType.PUBACK, message.packetId(), code);
      case 2 -> session.send(MqttMessageType.PUBREC, message.packetId(), code);
      default -> {
        // Nobody waits for it.
      }
    }
    session.read(!inbox.isFull());
  }

  @Override
  public void later(long millis, Runnable task) {
    context.setTimer(millis, time -> task.run());
  }

  @Override
  public void stuck(String why) {
    owner.stuck(why);
  }

  @Override
  public void unstuck() {
    owner.stuck("");
  }

  @Override
  public void ended(String reason) {
    inbox.close();
    subscriptions.end();
    owner.ended(reason, !session.isAnswered());
  }
}
