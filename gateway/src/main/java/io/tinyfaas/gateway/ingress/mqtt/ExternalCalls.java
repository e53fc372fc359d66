package io.tinyfaas.gateway.ingress.mqtt;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import io.tinyfaas.contract.mqtt.MqttTrigger.Source;
import io.tinyfaas.gateway.call.Acceptance;
import io.tinyfaas.gateway.call.Acceptance.Accepted;
import io.tinyfaas.gateway.call.Acceptance.KeyReused;
import io.tinyfaas.gateway.call.Acceptance.NoCallback;
import io.tinyfaas.gateway.call.Acceptance.NotStored;
import io.tinyfaas.gateway.call.Acceptance.Refused;
import io.tinyfaas.gateway.call.Acceptance.TooMany;
import io.tinyfaas.gateway.ingress.mqtt.Answers.Failure;
import io.tinyfaas.gateway.ingress.mqtt.ExternalInbox.Incoming;
import io.tinyfaas.gateway.ingress.mqtt.ExternalInbox.Outcome;
import io.tinyfaas.gateway.ingress.mqtt.ExternalInbox.Outcome.NeverTaken;
import io.tinyfaas.gateway.ingress.mqtt.ExternalInbox.Outcome.NotNow;
import io.tinyfaas.gateway.ingress.mqtt.ExternalInbox.Outcome.Taken;
import io.tinyfaas.gateway.ingress.mqtt.TriggerIndex.Entry;
import io.vertx.core.Future;
import jakarta.inject.Singleton;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.jboss.logging.Logger;

/** Makes calls of messages from the external broker. On the invocation loop. */
@Singleton
final class ExternalCalls {

  private static final Logger LOG = Logger.getLogger(ExternalCalls.class);

  private static final long BETWEEN_LINES_NANOS = TimeUnit.SECONDS.toNanos(10);
  private static final int MAX_SHOWN = 100;

  private final Triggers triggers;
  private final Counter taken;
  private final Counter refused;
  private long lastLine = System.nanoTime() - BETWEEN_LINES_NANOS;

  ExternalCalls(Triggers triggers, MeterRegistry registry) {
    this.triggers = triggers;
    this.taken = counter(registry, "taken");
    this.refused = counter(registry, "refused");
  }

  private static Counter counter(MeterRegistry registry, String outcome) {
    return Counter.builder("tinyfaas.external.broker.messages")
        .tag("outcome", outcome)
        .register(registry);
  }

  /** Never fails. */
  Future<Outcome> take(Incoming message, ExternalSubscriptions subscriptions) {
    List<Entry> meant =
        triggers.find(Source.EXTERNAL, message.publication().topic()).stream()
            .filter(entry -> subscriptions.isMeant(entry.trigger(), message.subscriptions()))
            .toList();
    return meant.isEmpty()
        ? Future.succeededFuture(new Taken())
        : triggers.accept(message.publication(), meant).map(accepted -> outcome(message, accepted));
  }

  private Outcome outcome(Incoming message, Optional<Acceptance> acceptance) {
    if (acceptance.isEmpty()) {
      return new Taken();
    }
    String why = Failure.of(acceptance.get()).map(Failure::sentence).orElse("");
    return switch (acceptance.get()) {
      case Accepted _ -> {
        taken.increment();
        yield new Taken();
      }
      case TooMany _, NotStored _ -> new NotNow(why);
      case KeyReused _, NoCallback _, Refused _ -> {
        refused.increment();
        tell(message, why);
        yield new NeverTaken(why);
      }
    };
  }

  private void tell(Incoming message, String why) {
    long now = System.nanoTime();
    if (now - lastLine >= BETWEEN_LINES_NANOS) {
      lastLine = now;
      LOG.warnf(
          "event=external-message-refused topic=\"%s\" reason=\"%s\"",
          shown(message.publication().topic()), why);
    }
  }

  /** What others write may be long, and end lines. */
  static String shown(String text) {
    String plain = text.replaceAll("[\\p{Cntrl}\"]", "?");
    return plain.length() > MAX_SHOWN ? plain.substring(0, MAX_SHOWN) + "…" : plain;
  }
}
