package io.tinyfaas.manager;

import static io.tinyfaas.harness.Eventually.eventually;
import static io.tinyfaas.harness.Eventually.patient;

import io.netty.handler.codec.mqtt.MqttQoS;
import io.tinyfaas.contract.control.CallsReply;
import io.tinyfaas.contract.control.CallsRequest;
import io.tinyfaas.contract.control.ControlMessages;
import io.tinyfaas.contract.control.ControlTopics;
import io.tinyfaas.contract.control.GatewayStatus;
import io.tinyfaas.contract.control.Revision;
import io.tinyfaas.contract.control.RouteTable;
import io.tinyfaas.contract.control.SchedulesReply;
import io.tinyfaas.contract.control.SchedulesRequest;
import io.tinyfaas.contract.route.FunctionName;
import io.tinyfaas.contract.route.Route;
import io.tinyfaas.harness.Broker;
import io.tinyfaas.manager.deploy.FunctionDeployer;
import io.tinyfaas.manager.problem.ProblemException;
import io.tinyfaas.manager.problem.ProblemType;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import io.vertx.mqtt.MqttClient;
import io.vertx.mqtt.MqttClientOptions;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;

/**
 * The gateway's side of the control plane, so that a test decides what the gateway says and when.
 * The real one is in the end-to-end tests.
 */
final class PlayedGateway {

  /** Brokers stand still in cases, and it has to be there afterwards. */
  private static final int PATIENT_SECONDS = 600;

  private final MqttClient client;
  private volatile RouteTable table = RouteTable.EMPTY;
  private volatile Revision devices = Revision.NONE;
  private volatile Set<String> draining = Set.of();
  private volatile boolean confirms = true;
  private volatile boolean away;
  private volatile Function<CallsRequest, Optional<CallsReply>> calls = request -> Optional.empty();
  private volatile Function<SchedulesRequest, Optional<SchedulesReply>> schedules =
      request -> Optional.empty();

  PlayedGateway(Vertx vertx, int brokerPort) throws Exception {
    client =
        MqttClient.create(
            vertx,
            new MqttClientOptions()
                .setClientId("played-gateway")
                .setUsername("gateway")
                .setPassword(Broker.GATEWAY_PASSWORD)
                .setMaxMessageSize(ControlTopics.MAX_MESSAGE_BYTES)
                .setKeepAliveInterval(PATIENT_SECONDS));
    client.publishHandler(
        message -> {
          try {
            byte[] payload = message.payload().getBytes();
            if (message.topicName().equals(ControlTopics.DEVICES)) {
              devices = ControlMessages.decodeDeviceTable(payload).revision();
              say(!away);
              return;
            }
            if (message.topicName().equals(ControlTopics.CALLS_REQUESTS)) {
              calls.apply(ControlMessages.decodeCallsRequest(payload)).ifPresent(this::answer);
              return;
            }
            if (message.topicName().equals(ControlTopics.SCHEDULES_REQUESTS)) {
              schedules
                  .apply(ControlMessages.decodeSchedulesRequest(payload))
                  .ifPresent(this::answer);
              return;
            }
            RouteTable received = ControlMessages.decodeRouteTable(payload);
            if (received.revision().isNewerThan(table.revision())) {
              table = received;
              if (confirms && !away) {
                say(true);
              }
            }
          } catch (IOException e) {
            throw new UncheckedIOException(e);
          }
        });
    await(client.connect(brokerPort, "127.0.0.1"));
    await(client.subscribe(ControlTopics.ROUTES, 1));
    await(client.subscribe(ControlTopics.DEVICES, 1));
    await(client.subscribe(ControlTopics.CALLS_REQUESTS, 1));
    await(client.subscribe(ControlTopics.SCHEDULES_REQUESTS, 1));
    say(true);
  }

  /** Waits until the manager takes deployments. */
  void awaitManager(FunctionDeployer deployer) {
    eventually().until(() -> isReady(deployer));
  }

  private static boolean isReady(FunctionDeployer deployer) {
    try {
      deployer.rollback(new FunctionName("none"), OptionalInt.empty());
      return true;
    } catch (ProblemException e) {
      return e.type() == ProblemType.UNKNOWN_FUNCTION;
    }
  }

  Optional<Route> route(String function) {
    return table.routes().stream()
        .filter(route -> route.function().equals(new FunctionName(function)))
        .findFirst();
  }

  /** From now on these handlers are told to be busy. */
  void drains(Set<String> handlers) {
    draining = handlers;
    say(true);
  }

  /** Whether tables are confirmed as they arrive. */
  void confirms(boolean yes) {
    confirms = yes;
    if (yes) {
      say(true);
    }
  }

  /** What it says to each question about calls, on the client's thread; empty for nothing. */
  void answers(Function<CallsRequest, Optional<CallsReply>> calls) {
    this.calls = calls;
  }

  /** The same to each question about schedules. */
  void answersSchedules(Function<SchedulesRequest, Optional<SchedulesReply>> answer) {
    this.schedules = answer;
  }

  private void answer(SchedulesReply reply) {
    answer(ControlTopics.SCHEDULES_REPLIES, ControlMessages.encode(reply));
  }

  void answer(CallsReply reply) {
    answer(ControlTopics.CALLS_REPLIES, ControlMessages.encode(reply));
  }

  private void answer(String topic, byte[] reply) {
    client.publish(topic, Buffer.buffer(reply), MqttQoS.AT_LEAST_ONCE, false, false);
  }

  void goesAway() {
    away = true;
    say(false);
  }

  void isBack() {
    away = false;
    say(true);
  }

  private void say(boolean online) {
    GatewayStatus status =
        new GatewayStatus(
            online,
            "played",
            online ? table.revision() : Revision.NONE,
            online ? devices : Revision.NONE,
            draining);
    client.publish(
        ControlTopics.GATEWAY_STATUS,
        Buffer.buffer(ControlMessages.encode(status)),
        MqttQoS.AT_LEAST_ONCE,
        false,
        true);
  }

  void disconnect() throws Exception {
    await(client.disconnect());
  }

  private static void await(Future<?> done) throws Exception {
    done.toCompletionStage()
        .toCompletableFuture()
        .get(patient(Duration.ofSeconds(10)).toMillis(), TimeUnit.MILLISECONDS);
  }
}
