package io.tinyfaas.gateway;

import static io.tinyfaas.harness.Eventually.eventually;
import static io.tinyfaas.harness.Eventually.patient;
import static io.tinyfaas.harness.Eventually.within;

import io.netty.handler.codec.mqtt.MqttQoS;
import io.tinyfaas.contract.control.CallsReply;
import io.tinyfaas.contract.control.CallsRequest;
import io.tinyfaas.contract.control.ControlMessages;
import io.tinyfaas.contract.control.ControlTopics;
import io.tinyfaas.contract.control.DeviceTable;
import io.tinyfaas.contract.control.GatewayStatus;
import io.tinyfaas.contract.control.Revision;
import io.tinyfaas.contract.control.RouteTable;
import io.tinyfaas.contract.control.SchedulesReply;
import io.tinyfaas.contract.control.SchedulesRequest;
import io.tinyfaas.contract.device.Device;
import io.tinyfaas.contract.route.CallPolicy;
import io.tinyfaas.contract.route.Exposure;
import io.tinyfaas.contract.route.FunctionName;
import io.tinyfaas.contract.route.Handler;
import io.tinyfaas.contract.route.Route;
import io.tinyfaas.harness.Broker;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import io.vertx.mqtt.MqttClient;
import io.vertx.mqtt.MqttClientOptions;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;

/** The manager's side of the broker: writes route tables, hears what the gateway says of itself. */
final class PlayedManager implements AutoCloseable {

  /** Of a gateway that has still to start. */
  private static final Duration STATUS = Duration.ofMinutes(1);

  /** Of the broker. */
  private static final Duration ANSWER = Duration.ofSeconds(10);

  private final List<GatewayStatus> heard = new CopyOnWriteArrayList<>();
  private final List<CallsReply> replies = new CopyOnWriteArrayList<>();
  private final List<SchedulesReply> schedules = new CopyOnWriteArrayList<>();

  /** Machines stand still for a while, and it has to be there afterwards. */
  private static final int PATIENT_SECONDS = 600;

  private final MqttClient client;

  PlayedManager(Vertx vertx, Broker broker) {
    client =
        MqttClient.create(
            vertx,
            new MqttClientOptions()
                .setClientId("played-manager")
                .setUsername("manager")
                .setPassword(Broker.MANAGER_PASSWORD)
                .setMaxMessageSize(ControlTopics.MAX_MESSAGE_BYTES)
                .setKeepAliveInterval(PATIENT_SECONDS));
    client.publishHandler(
        message -> {
          try {
            if (message.topicName().equals(ControlTopics.CALLS_REPLIES)) {
              replies.add(ControlMessages.decodeCallsReply(message.payload().getBytes()));
              return;
            }
            if (message.topicName().equals(ControlTopics.SCHEDULES_REPLIES)) {
              schedules.add(ControlMessages.decodeSchedulesReply(message.payload().getBytes()));
              return;
            }
            heard.add(ControlMessages.decodeGatewayStatus(message.payload().getBytes()));
          } catch (IOException e) {
            throw new UncheckedIOException(e);
          }
        });
    eventually()
        .ignoreExceptions()
        .until(() -> done(client.connect(broker.port(), "127.0.0.1")) != null);
    done(client.subscribe(ControlTopics.GATEWAY_STATUS, 1));
    done(client.subscribe(ControlTopics.CALLS_REPLIES, 1));
    done(client.subscribe(ControlTopics.SCHEDULES_REPLIES, 1));
  }

  static Route route(String function, long timeoutMillis, Handler... handlers) {
    return route(function, timeoutMillis, Exposure.DEFAULT, handlers);
  }

  static Route route(String function, long timeoutMillis, Exposure exposure, Handler... handlers) {
    return new Route(
        new FunctionName(function),
        1,
        timeoutMillis,
        exposure,
        CallPolicy.DEFAULT,
        List.of(),
        List.of(handlers));
  }

  static Route route(String function, CallPolicy calls, Handler... handlers) {
    return new Route(
        new FunctionName(function),
        1,
        120_000,
        Exposure.DEFAULT,
        calls,
        List.of(),
        List.of(handlers));
  }

  /** Of a function that may call those. */
  static Route calling(String function, long timeoutMillis, List<String> those, Handler... all) {
    return new Route(
        new FunctionName(function),
        1,
        timeoutMillis,
        Exposure.DEFAULT,
        CallPolicy.DEFAULT,
        List.of(),
        List.of(),
        those.stream().map(FunctionName::new).toList(),
        List.of(all));
  }

  void publish(long epoch, long number, Route... routes) {
    publish(ControlMessages.encode(new RouteTable(new Revision(epoch, number), List.of(routes))));
  }

  void publish(byte[] message) {
    done(
        client.publish(
            ControlTopics.ROUTES, Buffer.buffer(message), MqttQoS.AT_LEAST_ONCE, false, true));
  }

  /** Publishes a table and waits until the gateway routes by it. */
  void apply(long epoch, long number, Route... routes) {
    publish(epoch, number, routes);
    awaitStatus(status -> status.applied().equals(new Revision(epoch, number)));
  }

  /** Publishes a table of devices and waits until the gateway heeds it. */
  void applyDevices(long epoch, long number, Device... devices) {
    Revision revision = publishDevices(epoch, number, devices);
    awaitStatus(status -> status.devices().equals(revision));
  }

  Revision publishDevices(long epoch, long number, Device... devices) {
    Revision revision = new Revision(epoch, number);
    byte[] message = ControlMessages.encode(new DeviceTable(revision, List.of(devices)));
    done(
        client.publish(
            ControlTopics.DEVICES, Buffer.buffer(message), MqttQoS.AT_LEAST_ONCE, false, true));
    return revision;
  }

  GatewayStatus awaitStatus(Predicate<GatewayStatus> expected) {
    return within(STATUS)
        .alias("gateway status, after " + heard)
        .until(
            () -> heard.isEmpty() ? null : heard.getLast(),
            status -> status != null && expected.test(status));
  }

  /** What the gateway says of calls. */
  CallsReply ask(CallsRequest request) {
    ask(ControlTopics.CALLS_REQUESTS, ControlMessages.encode(request));
    return eventually()
        .until(
            () -> replies.stream().filter(reply -> reply.id().equals(request.id())).findFirst(),
            Optional::isPresent)
        .orElseThrow();
  }

  /** What it says of schedules. */
  SchedulesReply ask(SchedulesRequest request) {
    ask(ControlTopics.SCHEDULES_REQUESTS, ControlMessages.encode(request));
    return eventually()
        .until(
            () -> schedules.stream().filter(reply -> reply.id().equals(request.id())).findFirst(),
            Optional::isPresent)
        .orElseThrow();
  }

  private void ask(String topic, byte[] question) {
    done(client.publish(topic, Buffer.buffer(question), MqttQoS.AT_LEAST_ONCE, false, false));
  }

  List<GatewayStatus> heard() {
    return List.copyOf(heard);
  }

  @Override
  public void close() {
    client.disconnect();
  }

  private static <T> T done(Future<T> future) {
    return future
        .toCompletionStage()
        .toCompletableFuture()
        .orTimeout(patient(ANSWER).toMillis(), TimeUnit.MILLISECONDS)
        .join();
  }
}
