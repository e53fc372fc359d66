package io.tinyfaas.gateway.ingress.mqtt;

import io.micrometer.core.instrument.MeterRegistry;
import io.netty.handler.codec.mqtt.MqttVersion;
import io.tinyfaas.gateway.ingress.Protocol;
import io.tinyfaas.gateway.ingress.mqtt.ExternalConnector.Prepared;
import io.tinyfaas.gateway.ingress.mqtt.ExternalLine.Unreleased;
import io.tinyfaas.gateway.ingress.mqtt.ExternalSettings.Address;
import io.tinyfaas.gateway.loop.InvocationLoop;
import io.tinyfaas.gateway.memory.BodyMemory;
import io.tinyfaas.gateway.memory.PeerHolders;
import io.tinyfaas.gateway.route.CurrentRoutes;
import io.tinyfaas.gateway.route.RouteListener;
import io.vertx.core.Future;
import io.vertx.core.impl.ContextInternal;
import jakarta.inject.Singleton;
import java.nio.file.Path;
import java.util.Optional;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.AtomicInteger;
import org.eclipse.microprofile.config.inject.ConfigProperty;
import org.jboss.logging.Logger;

/**
 * Another broker, for triggers that name it: connected as soon as there is a route table, since
 * what it has kept comes at once, and connected again for ever. On the invocation loop, but for
 * what is said otherwise.
 */
@Singleton
public final class ExternalBroker implements RouteListener, ExternalLine.Owner {

  private static final Logger LOG = Logger.getLogger(ExternalBroker.class);

  private static final long FIRST_PAUSE_MILLIS = 1_000;
  private static final long LAST_PAUSE_MILLIS = 60_000;

  /** Of each pause, so that boxes do not all come back at once. */
  private static final double LEFT_TO_CHANCE = 0.2;

  /** Whose connection stood for so long was well: the next pause is the first again. */
  private static final long WELL_NANOS = 10_000_000_000L;

  /** After as many that were not answered, the other version of the protocol is tried. */
  private static final int SILENT = 2;

  private final ContextInternal context;
  private final ExternalSettings settings;
  private final Optional<Path> folder;
  private final CurrentRoutes routes;
  private final ExternalConnector connector;
  private final ExternalCalls calls;
  private final BodyMemory memory;
  private final PeerHolders peers;
  private final ExternalSubscriptions subscriptions = new ExternalSubscriptions();
  private final Unreleased unreleased = new Unreleased();
  private final AtomicInteger connected = new AtomicInteger();

  private volatile String state = "off";

  private Address broker;
  private ExternalNotes notes;
  private ExternalLine line;
  private MqttVersion version = MqttVersion.MQTT_5;
  private int silent;
  private long pauseMillis = FIRST_PAUSE_MILLIS;
  private long since;
  private boolean resumed;
  private boolean settled;
  private boolean begun;
  private boolean stopped;
  private String told = "";
  private long unserved;

  ExternalBroker(
      InvocationLoop loop,
      ExternalSettings settings,
      @ConfigProperty(name = "tinyfaas.calls.folder") Optional<Path> folder,
      CurrentRoutes routes,
      ExternalConnector connector,
      ExternalCalls calls,
      BodyMemory memory,
      PeerHolders peers,
      MeterRegistry registry) {
    this.context = loop.context();
    this.settings = settings;
    this.folder = folder;
    this.routes = routes;
    this.connector = connector;
    this.calls = calls;
    this.memory = memory;
    this.peers = peers;
    registry.gauge("tinyfaas.external.broker.connected", connected);
  }

  /** After calls are accepted; on the thread that starts the gateway. */
  public void start() {
    if (settings.broker().isPresent() && folder.isPresent()) {
      broker = Address.of(settings.broker().get());
      state = "not connected: there is no route table yet";
    } else if (settings.broker().isPresent()) {
      LOG.error(
          "event=external-broker-off reason=\"its messages become calls, and TINYFAAS_CALLS_FOLDER"
              + " is not set\"");
    }
    routes.addListener(this);
    onTableApplied();
  }

  /** What it does is in the log; takes nothing any more. On any thread. */
  public void stop() {
    context.runOnContext(
        run -> {
          stopped = true;
          if (line != null) {
            line.session().disconnect();
          }
        });
  }

  /** {@code off}, {@code connected}, or why not; on any thread. */
  public String state() {
    return state;
  }

  @Override
  public void onTableApplied() {
    context.runOnContext(
        run -> {
          if (routes.areKnown()) {
            applied();
          }
        });
  }

  private void applied() {
    boolean more = subscriptions.want(routes.routes());
    if (broker == null) {
      tellOfUnserved();
    } else if (!begun) {
      begun = true;
      connect();
    } else if (more && notes != null) { // else they are read, and what is wanted is noted then
      note().onComplete(noted -> subscriptions.proceed());
    } else {
      subscriptions.proceed();
    }
  }

  private void tellOfUnserved() {
    if (subscriptions.wanted() != unserved) {
      unserved = subscriptions.wanted();
      if (unserved > 0) {
        LOG.warnf(
            "event=external-broker-off topics=%d reason=\"triggers name an external broker, and"
                + " there is none\" action=\"set TINYFAAS_MQTT_BROKER\"",
            unserved);
      }
    }
  }

  private void connect() {
    if (stopped) {
      return;
    }
    context
        .executeBlocking(() -> notes == null ? ExternalNotes.read(folder.orElseThrow()) : notes)
        .compose(
            read -> {
              notes = read;
              subscriptions.known(read.filters());
              return note();
            })
        .compose(noted -> connector.prepare(broker))
        .onSuccess(this::connect)
        .onFailure(failure -> ended(failure.getMessage(), false));
  }

  /** Before it is asked for: else nobody knew of it after a power cut. */
  private Future<Void> note() {
    ExternalNotes next = notes.with(subscriptions.all());
    if (next.equals(notes)) {
      return Future.succeededFuture();
    }
    notes = next;
    return context.executeBlocking(
        () -> {
          next.write(folder.orElseThrow());
          return null;
        });
  }

  private void connect(Prepared prepared) {
    ExternalLine made = new ExternalLine(context, calls, subscriptions, unreleased, this);
    ExternalPackets packets = new ExternalPackets(version);
    made.use(
        new ExternalSession(
            context,
            packets,
            packets.connect(
                notes.clientId(),
                settings.brokerUser(),
                prepared.password(),
                ExternalSession.KEEP_ALIVE_SECONDS,
                connector.maxPacket()),
            broker.tls() ? Protocol.MQTTS : Protocol.MQTT,
            made),
        new ExternalInbox(made, memory, peers.of(prepared.address())));
    line = made;
    connector.connect(broker, prepared, made.session(), reason -> ended(reason, false));
  }

  @Override
  public void accepted(ExternalLine accepted, boolean present) {
    silent = 0;
    since = System.nanoTime();
    resumed = present;
    settled = false;
    subscriptions.begin(accepted.session());
    if (subscriptions.isSettled()) {
      subscribed();
    }
  }

  @Override
  public void subscribed() {
    connected.set(1);
    String refused =
        subscriptions.refused() == 0
            ? ""
            : ", but %d of %d subscriptions are refused"
                .formatted(subscriptions.refused(), subscriptions.wanted());
    state = "connected" + refused;
    if (!settled) {
      settled = true;
      told = "";
      LOG.infof(
          "event=external-broker-connected broker=%s version=%s session=%s subscriptions=%d"
              + " refused=%d",
          broker,
          version == MqttVersion.MQTT_5 ? "5" : "3.1.1",
          resumed ? "resumed" : "new",
          subscriptions.wanted(),
          subscriptions.refused());
    }
  }

  @Override
  public void stuck(String why) {
    state = why.isEmpty() ? "connected" : "connected, but nothing is taken: " + why;
    if (why.isEmpty()) {
      LOG.infof("event=external-broker-unstuck broker=%s", broker);
    } else {
      LOG.warnf("event=external-broker-stuck broker=%s reason=\"%s\"", broker, why);
    }
  }

  @Override
  public void ended(String reason, boolean unanswered) {
    connected.set(0);
    line = null;
    if (stopped) {
      state = "off";
      return;
    }
    state = "not connected: " + reason;
    if (!reason.equals(told)) {
      told = reason;
      LOG.warnf("event=external-broker-lost broker=%s reason=\"%s\"", broker, reason);
    }
    if (unanswered && ++silent % SILENT == 0) {
      version = version == MqttVersion.MQTT_5 ? MqttVersion.MQTT_3_1_1 : MqttVersion.MQTT_5;
    }
    if (settled && System.nanoTime() - since > WELL_NANOS) {
      pauseMillis = FIRST_PAUSE_MILLIS;
    }
    settled = false;
    double jitter = 1 + LEFT_TO_CHANCE * (2 * ThreadLocalRandom.current().nextDouble() - 1);
    context.setTimer((long) (pauseMillis * jitter), time -> connect());
    pauseMillis = Math.min(2 * pauseMillis, LAST_PAUSE_MILLIS);
  }
}
