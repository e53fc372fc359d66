package io.tinyfaas.gateway.control;

import io.netty.handler.codec.mqtt.MqttQoS;
import io.tinyfaas.contract.control.ControlTopics;
import io.tinyfaas.gateway.loop.EventLoops;
import io.vertx.core.Context;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import io.vertx.mqtt.MqttClient;
import io.vertx.mqtt.MqttClientOptions;
import io.vertx.mqtt.messages.MqttPublishMessage;
import io.vertx.mqtt.messages.MqttSubAckMessage;
import jakarta.inject.Singleton;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import org.jboss.logging.Logger;

/**
 * The connection to the broker: topics that are read, one that is written, with a last will; tried
 * again each second for as long as it is away. Everything here happens on one event loop, which is
 * not that of invocations.
 *
 * <p>It is Vert.x's own MQTT client, which SmallRye Reactive Messaging is built on: the latter's
 * connector holds health and start of the application back while the broker is down, and takes 5 MB
 * more.
 */
@Singleton
final class BrokerConnection {

  /** Fixed, so that the broker ends a half-dead connection of an earlier life at once. */
  private static final String CLIENT_ID = "tinyfaas-gateway";

  private static final long RETRY_MILLIS = 1_000;
  private static final int CONNECT_TIMEOUT_MILLIS = 5_000;
  private static final int KEEP_ALIVE_SECONDS = 10;

  /** Room for a message that is refused as too large, instead of losing the connection over it. */
  private static final int MAX_PACKET_BYTES = 2 * ControlTopics.MAX_MESSAGE_BYTES;

  private static final Logger LOG = Logger.getLogger(BrokerConnection.class);

  /**
   * @param topics that are read, with what gets their messages
   * @param willTopic gets the last will, retained
   * @param onConnected runs after each connect
   */
  record Session(
      Map<String, Consumer<byte[]>> topics, String willTopic, byte[] will, Runnable onConnected) {}

  private final Vertx vertx;
  private final BrokerSettings settings;
  private final Context context;
  private final Map<Integer, Promise<Void>> unacknowledged = new HashMap<>();
  private Session session;
  private MqttClient client;
  private boolean reported;
  private boolean stopped;
  private volatile boolean connected;

  BrokerConnection(Vertx vertx, EventLoops loops, BrokerSettings settings) {
    this.vertx = vertx;
    this.settings = settings;
    this.context = loops.broker();
  }

  /** Connects, and stays connected, without waiting for it. */
  void start(Session session) {
    context.runOnContext(
        started -> {
          this.session = session;
          connect();
        });
  }

  boolean isConnected() {
    return connected;
  }

  /** Runs it where the callbacks of this class run. */
  void run(Runnable task) {
    context.runOnContext(run -> task.run());
  }

  /**
   * Publishes a message with QoS 1; to be called where {@link #run} runs.
   *
   * @param retained whether those who subscribe later get it, too
   * @return completes when the broker has acknowledged it, fails if the connection is lost before
   */
  Future<Void> publish(String topic, byte[] message, boolean retained) {
    if (!connected) {
      return Future.failedFuture("not connected to the broker");
    }
    Promise<Void> acknowledged = Promise.promise();
    client
        .publish(topic, Buffer.buffer(message), MqttQoS.AT_LEAST_ONCE, false, retained)
        .onSuccess(id -> unacknowledged.put(id, acknowledged))
        .onFailure(acknowledged::fail);
    return acknowledged.future();
  }

  /** Ends the connection in order, so that the broker does not publish the last will. */
  Future<Void> stop() {
    stopped = true;
    return connected ? client.disconnect() : Future.succeededFuture();
  }

  private void connect() {
    if (stopped) {
      return;
    }
    // Complete once the subscription stands; its failure is the end of this attempt.
    Promise<Void> opened = Promise.promise();
    opened.future().onSuccess(subscribed -> connected()).onFailure(this::unreachable);
    password()
        .compose(
            password -> {
              client = MqttClient.create(vertx, options(password));
              client
                  .publishHandler(this::received)
                  .subscribeCompletionHandler(granted -> subscribed(granted, opened))
                  .publishCompletionHandler(id -> settle(id, Promise::tryComplete))
                  .publishCompletionExpirationHandler(
                      id -> settle(id, publication -> publication.tryFail("not acknowledged")))
                  .closeHandler(
                      closed -> {
                        if (!opened.tryFail("connection closed")) {
                          lost();
                        }
                      });
              return client.connect(settings.port(), settings.host());
            })
        .compose(accepted -> client.subscribe(subscriptions()))
        .onFailure(opened::tryFail);
    vertx.setTimer(CONNECT_TIMEOUT_MILLIS, late -> opened.tryFail("no answer"));
  }

  private Map<String, Integer> subscriptions() {
    return session.topics().keySet().stream()
        .collect(Collectors.toMap(topic -> topic, topic -> MqttQoS.AT_LEAST_ONCE.value()));
  }

  private void received(MqttPublishMessage message) {
    Consumer<byte[]> reader = session.topics().get(message.topicName());
    if (reader != null) {
      reader.accept(message.payload().getBytes());
    }
  }

  private void subscribed(MqttSubAckMessage granted, Promise<Void> opened) {
    if (granted.grantedQoSLevels().contains(MqttQoS.FAILURE.value())) {
      opened.tryFail(
          "may not read " + session.topics().keySet() + ": the broker's access list must allow it");
    } else {
      opened.tryComplete();
    }
  }

  private void settle(int id, Consumer<Promise<Void>> outcome) {
    Promise<Void> publication = unacknowledged.remove(id);
    if (publication != null) {
      outcome.accept(publication);
    }
  }

  private void connected() {
    connected = true;
    reported = false;
    LOG.infof("event=broker-connected broker=%s:%d", settings.host(), settings.port());
    session.onConnected().run();
  }

  private void unreachable(Throwable cause) {
    if (!reported) {
      reported = true;
      LOG.warnf(
          "event=broker-unreachable broker=%s:%d user=%s reason=\"%s\" retry=%dms",
          settings.host(), settings.port(), settings.user(), cause.getMessage(), RETRY_MILLIS);
    }
    if (client != null) {
      client.disconnect();
    }
    vertx.setTimer(RETRY_MILLIS, again -> connect());
  }

  private void lost() {
    if (!connected) {
      return; // unreachable() has it
    }
    connected = false;
    List<Promise<Void>> publications = List.copyOf(unacknowledged.values());
    unacknowledged.clear();
    publications.forEach(publication -> publication.tryFail("connection lost"));
    if (!stopped) {
      reported = true;
      LOG.warnf(
          "event=broker-lost broker=%s:%d retry=%dms; routing goes on by the last table",
          settings.host(), settings.port(), RETRY_MILLIS);
      vertx.setTimer(RETRY_MILLIS, again -> connect());
    }
  }

  private MqttClientOptions options(String password) {
    MqttClientOptions options =
        new MqttClientOptions()
            .setClientId(CLIENT_ID)
            .setCleanSession(true)
            .setKeepAliveInterval(KEEP_ALIVE_SECONDS)
            .setMaxMessageSize(MAX_PACKET_BYTES)
            .setWillFlag(true)
            .setWillTopic(session.willTopic())
            .setWillMessageBytes(Buffer.buffer(session.will()))
            .setWillQoS(MqttQoS.AT_LEAST_ONCE.value())
            .setWillRetain(true)
            .setAckTimeout((int) TimeUnit.MILLISECONDS.toSeconds(CONNECT_TIMEOUT_MILLIS));
    options.setConnectTimeout(CONNECT_TIMEOUT_MILLIS);
    if (!password.isEmpty()) {
      options.setUsername(settings.user()).setPassword(password);
    }
    return options;
  }

  /** Empty for none: the broker is then asked anonymously. */
  private Future<String> password() {
    if (settings.passwordFile().isEmpty()) {
      return Future.succeededFuture(settings.password().orElse(""));
    }
    Path file = settings.passwordFile().get();
    return vertx.fileSystem().readFile(file.toString()).map(text -> text.toString().strip());
  }
}
