package io.tinyfaas.gateway.ingress.coap.observe;

import io.tinyfaas.gateway.result.Resource;
import java.util.LinkedHashSet;
import java.util.Optional;
import java.util.Set;
import org.eclipse.californium.core.coap.CoAP.Type;
import org.eclipse.californium.core.coap.MessageObserverAdapter;
import org.eclipse.californium.core.coap.Response;
import org.eclipse.californium.core.network.Exchange;

/**
 * A device that observes, with the notifications it is to get: one confirmable at a time, whatever
 * it observes (NSTART is 1, RFC 7252, 4.7), others at most every 3 s (RFC 7641, 4.5.1). What
 * changes meanwhile is not queued: a notification says what is true when it is sent. On the event
 * loop.
 */
final class ObservingPeer {

  private static final long UNCONFIRMED_EVERY_MILLIS = 3_000;

  /** What a peer needs from those who know all of them. */
  interface Notifier {

    /** In milliseconds, never going back. */
    long now();

    Optional<Representation> state(Resource resource);

    /** For the Observe option: newer notifications have larger ones (RFC 7641, 4.4). */
    int nextNumber();

    /**
     * @param earlier the exchange of the notification in whose place this one is transmitted
     * @return the exchange in which it is sent
     */
    Exchange send(Observation to, Response notification, Optional<Exchange> earlier);

    /** Runs at once if this is the event loop. */
    void onLoop(Runnable task);

    /** The observer gave a sign of life. */
    void heard(Observation observation);

    /** The observer has no more interest, or is not there. */
    void lost(Observation observation);

    /** The observation is over; its last notification is on its way. */
    void ended(Observation observation);
  }

  private final Notifier notifier;
  private final Set<Observation> waiting = new LinkedHashSet<>();

  /** What could not be sent, and is tried again later. */
  private final Set<Observation> delayed = new LinkedHashSet<>();

  private int observations;
  private Transit inTransit;
  private long lastUnconfirmed;

  ObservingPeer(Notifier notifier) {
    this.notifier = notifier;
    this.lastUnconfirmed = notifier.now() - UNCONFIRMED_EVERY_MILLIS;
  }

  int observations() {
    return observations;
  }

  boolean isIdle() {
    return observations == 0 && waiting.isEmpty() && delayed.isEmpty() && inTransit == null;
  }

  /** To be called before the answer to a registration is sent. */
  void add(Observation observation, Response answer) {
    observations++;
    answer.addMessageObserver(new Transit(observation, answer));
  }

  /** It is to get nothing more. */
  void remove(Observation observation) {
    observations--;
    waiting.remove(observation);
    delayed.remove(observation);
    observation.forgetUnanswered();
    if (inTransit != null && inTransit.observation == observation) {
      inTransit.response.cancel();
    }
  }

  /** It gets what it is waiting for, and nothing more. */
  void release() {
    observations--;
  }

  /** There is something new for it. */
  void notify(Observation observation) {
    waiting.add(observation);
    pump();
  }

  /** Looks what time has brought. */
  void check(Observation observation) {
    boolean busy = inTransit != null && inTransit.observation == observation;
    if (!busy && observation.isConfirmationDue(notifier.now())) {
      notify(observation);
    }
  }

  void tick() {
    waiting.addAll(delayed);
    delayed.clear();
    pump();
  }

  /** Sends what may be sent by now. */
  private void pump() {
    while (inTransit == null) {
      long now = notifier.now();
      boolean all = now - lastUnconfirmed >= UNCONFIRMED_EVERY_MILLIS;
      Optional<Observation> next =
          waiting.stream().filter(o -> all || o.nextType(now) == Type.CON).findFirst();
      if (next.isEmpty()) {
        return;
      }
      send(next.get(), Optional.empty());
    }
  }

  private void send(Observation observation, Optional<Exchange> earlier) {
    waiting.remove(observation);
    delayed.remove(observation);
    boolean listed = !observation.isEnded();
    Response response = observation.notification(notifier.state(observation.resource()));
    if (listed && observation.isEnded()) {
      notifier.ended(observation);
    }
    if (response.isSuccess()) {
      response.getOptions().setObserve(notifier.nextNumber());
    }
    long now = notifier.now();
    Type type = earlier.isPresent() ? Type.CON : observation.nextType(now);
    response.setType(type);
    observation.forgetUnanswered();
    Transit transit = new Transit(observation, response);
    response.addMessageObserver(transit);
    if (type == Type.NON) {
      lastUnconfirmed = now;
    }
    transit.exchange = Optional.of(notifier.send(observation, response, earlier));
    if (type == Type.NON && !delayed.contains(observation)) {
      observation.sentUnconfirmed(transit.exchange.get());
    }
  }

  /** What becomes of a notification. */
  private final class Transit extends MessageObserverAdapter {

    private final Observation observation;
    private final Response response;

    /** Empty for the answer to the registration, which has another one. */
    private Optional<Exchange> exchange = Optional.empty();

    Transit(Observation observation, Response response) {
      this.observation = observation;
      this.response = response;
    }

    /** What type the answer to a registration has, is known only now. */
    @Override
    public void onReadyToSend() {
      if (response.isConfirmable() && inTransit == null) {
        inTransit = this;
      }
    }

    /** RFC 7641, 4.5.2: not the old state again, but the new one, in its place. */
    @Override
    public void onRetransmission() {
      if (inTransit == this && exchange.isPresent() && waiting.contains(observation)) {
        inTransit = null;
        response.cancel();
        send(observation, exchange);
      }
    }

    @Override
    public void onAcknowledgement() {
      observation.acknowledged(notifier.now());
      notifier.heard(observation);
      over();
    }

    @Override
    public void onCancel() {
      over();
    }

    /** By DTLS on another thread. */
    @Override
    public void onSendError(Throwable error) {
      notifier.onLoop(this::unsent);
    }

    /** An address that is not verified is asked meanwhile, by {@code LoopConnector}. */
    private void unsent() {
      boolean first = response.getType() == Type.NON && exchange.isEmpty();
      if (inTransit != this && !first) {
        return;
      }
      if (!observation.isWorthAnotherTry()) {
        failed();
        return;
      }
      delayed.add(observation);
      if (inTransit == this) {
        inTransit = null;
      }
    }

    /** A reset, or no acknowledgement. */
    @Override
    protected void failed() {
      if (inTransit == this) {
        inTransit = null;
      }
      notifier.lost(observation);
      pump();
    }

    private void over() {
      if (inTransit == this) {
        inTransit = null;
        pump();
      }
    }
  }
}
