package io.tinyfaas.gateway;

import static io.tinyfaas.gateway.Datagram.CON;
import static io.tinyfaas.gateway.Datagram.NON;
import static io.tinyfaas.gateway.Datagram.POST;
import static io.tinyfaas.harness.Eventually.eventually;
import static org.assertj.core.api.Assertions.assertThat;

import io.grpc.Metadata;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.stub.MetadataUtils;
import io.tinyfaas.contract.control.CallDescription;
import io.tinyfaas.contract.control.CallId;
import io.tinyfaas.contract.control.CallState;
import io.tinyfaas.contract.control.CallsReply;
import io.tinyfaas.contract.control.CallsRequest;
import io.tinyfaas.contract.control.CallsRequest.Action;
import io.tinyfaas.contract.route.CallPolicy;
import io.tinyfaas.contract.route.FunctionName;
import io.tinyfaas.contract.route.RetryOn;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.json.JsonObject;
import java.io.IOException;
import java.nio.file.Path;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.assertj.core.api.Assertions;
import org.eclipse.californium.core.coap.CoAP.Code;
import org.eclipse.californium.core.coap.CoAP.ResponseCode;
import org.eclipse.californium.core.coap.CoAP.Type;
import org.eclipse.californium.core.coap.Request;
import org.eclipse.californium.core.coap.Response;
import org.eclipse.californium.core.coap.Token;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.TestInstance.Lifecycle;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Calls by CoAP and gRPC on the packaged gateway, and what the manager asks of them. */
@TestInstance(Lifecycle.PER_CLASS)
@Timeout(value = 5, unit = TimeUnit.MINUTES)
class CallProtocolsIT {

  private static final CallPolicy ONCE = policy(false);

  private final HeldFunction held = new HeldFunction();
  private ServedGateway system;
  private int mid = 1;

  private static CallPolicy policy(boolean durable) {
    return new CallPolicy(
        durable, 0, 100, 86_400_000, EnumSet.allOf(RetryOn.class), Optional.<FunctionName>empty());
  }

  @BeforeAll
  void start(@TempDir Path folder) {
    system =
        new ServedGateway(
            folder, Map.of("TINYFAAS_COAP_TRUSTED_NETWORKS", "127.0.0.1/32"), this::function);
    system.serve(
        PlayedManager.route("f", ONCE, system.handler()),
        PlayedManager.route("report", policy(true), system.handler()));
  }

  @BeforeEach
  void answer() {
    held.release();
  }

  @AfterAll
  void stop() {
    system.close();
  }

  private void function(HttpServerRequest request, Buffer body) {
    if ("/fail".equals(request.getHeader("X-tinyFaaS-Path"))) {
      request.response().setStatusCode(400).end("no");
    } else {
      held.answer(request, body);
    }
  }

  private CallId accept(CoapPeer device, int type, String... path) throws IOException {
    Datagram created =
        device.answer(Datagram.request(type, POST, mid++, path).payload("x".getBytes()));
    assertThat(created.head()).isEqualTo((type == CON ? "ACK" : "NON") + " 2.01");
    List<String> location =
        created.options().stream()
            .filter(option -> option.number() == 8)
            .map(option -> new String(option.value()))
            .toList();
    assertThat(location).hasSize(2).first().isEqualTo("calls");
    return new CallId(location.get(1));
  }

  private static Request get(int token, String... path) {
    Request request = new Request(Code.GET, Type.CON);
    request.setToken(new Token(new byte[] {(byte) token}));
    for (String segment : path) {
      request.getOptions().addUriPath(segment);
    }
    return request;
  }

  private static String state(Response response) {
    return new JsonObject(response.getPayloadString()).getString("state");
  }

  @Test
  void shouldAcceptWhatADeviceSends() throws IOException {
    try (CoapPeer device = new CoapPeer(system.process().coapPort())) {
      for (CallId id :
          List.of(
              accept(device, CON, "calls", "f", "a"),
              accept(device, NON, "calls", "f"),
              accept(device, CON, "report"))) {
        CallDescription call = awaitState(id, CallState.DONE);
        assertThat(call.protocol()).isEqualTo("coap");
      }
      Datagram unknown = device.answer(Datagram.request(CON, POST, mid++, "calls", "nobody"));
      assertThat(unknown.head()).isEqualTo("ACK 4.04");
      Datagram none = device.answer(Datagram.request(CON, POST, mid++, "calls"));
      assertThat(none.head()).isEqualTo("ACK 4.04");
    }
  }

  private CallDescription awaitState(CallId id, CallState state) {
    AtomicReference<CallDescription> seen = new AtomicReference<>();
    eventually()
        .untilAsserted(
            () -> {
              List<CallDescription> calls =
                  List.of("f", "report").stream()
                      .flatMap(function -> list(function, EnumSet.allOf(CallState.class)).stream())
                      .filter(call -> call.id().equals(id))
                      .toList();
              assertThat(calls).extracting(CallDescription::state).containsExactly(state);
              seen.set(calls.getFirst());
            });
    return seen.get();
  }

  private List<CallDescription> list(String function, Set<CallState> states) {
    return ask(Action.LIST, function, states, Optional.empty(), 1_000).calls();
  }

  private CallsReply ask(
      Action action, String function, Set<CallState> states, Optional<CallId> call, int limit) {
    return system
        .manager()
        .ask(
            new CallsRequest(
                UUID.randomUUID(),
                action,
                new FunctionName(function),
                states,
                call,
                limit,
                Optional.empty()));
  }

  @Test
  void shouldTellAnObserverWhenItIsDone() throws IOException {
    held.hold();
    try (CoapPeer device = new CoapPeer(system.process().coapPort());
        ObservingDevice lamp = new ObservingDevice(system.process().coapPort())) {
      CallId id = accept(device, CON, "calls", "f");
      held.await(1);
      Request observe = get(7, "calls", id.value());
      observe.getOptions().setObserve(0);
      Response first = lamp.ask(observe);
      assertThat(first.getOptions().hasObserve()).isTrue();
      assertThat(first.getOptions().getContentFormat()).isEqualTo(50);
      assertThat(state(first)).isEqualTo("running");

      Response none = lamp.ask(get(8, "calls", id.value(), "result"));
      assertThat(none.getCode()).isEqualTo(ResponseCode.NOT_FOUND);
      assertThat(none.getPayloadString()).isEqualTo("there is no result: the call is running");
      held.release();

      Response last = lamp.confirmed();
      assertThat(last.getToken()).isEqualTo(observe.getToken());
      assertThat(state(last)).isEqualTo("done");
      assertThat(new JsonObject(last.getPayloadString()).getJsonObject("result").getString("body"))
          .isEqualTo("late");
      Response result = lamp.ask(get(9, "calls", id.value(), "result"));
      assertThat(result.getCode()).isEqualTo(ResponseCode.CONTENT);
      assertThat(result.getPayloadString()).isEqualTo("late");
      Request delete = new Request(Code.DELETE, Type.CON);
      delete.getOptions().addUriPath("calls").addUriPath(id.value());
      delete.setToken(new Token(new byte[] {10}));
      assertThat(lamp.ask(delete).getCode()).isEqualTo(ResponseCode.DELETED);
      assertThat(lamp.ask(get(11, "calls", id.value())).getCode())
          .isEqualTo(ResponseCode.NOT_FOUND);
    }
  }

  @Test
  void shouldTellAnObserverThatItIsForgotten() throws IOException {
    held.hold();
    try (CoapPeer device = new CoapPeer(system.process().coapPort());
        ObservingDevice lamp = new ObservingDevice(system.process().coapPort())) {
      CallId id = accept(device, CON, "calls", "f");
      held.await(1);
      Request observe = get(7, "calls", id.value());
      observe.getOptions().setObserve(0);
      assertThat(state(lamp.ask(observe))).isEqualTo("running");
      Datagram delete = Datagram.request(CON, 4, mid++, "calls", id.value());
      assertThat(device.answer(delete).head()).isEqualTo("ACK 2.02");

      assertThat(lamp.confirmed().getCode()).isEqualTo(ResponseCode.NOT_FOUND);
    }
  }

  @Test
  void shouldAcceptByGrpc() {
    try (GrpcCalls grpc = new GrpcCalls(system.process().grpcPort())) {
      AtomicReference<Metadata> header = new AtomicReference<>();
      Metadata wish = new Metadata();
      wish.put(key("prefer"), "respond-async");
      wish.put(key("idempotency-key"), "one");
      String text =
          GrpcCalls.ask(
              io.grpc.ClientInterceptors.intercept(
                  grpc.channel(),
                  MetadataUtils.newAttachHeadersInterceptor(wish),
                  MetadataUtils.newCaptureMetadataInterceptor(header, new AtomicReference<>())),
              GrpcCalls.patiently(),
              GrpcCalls.data("f", "Ada"));

      assertThat(text).isEmpty();
      CallId id = new CallId(header.get().get(key("x-tinyfaas-call")));
      assertThat(awaitState(id, CallState.DONE).protocol()).isEqualTo("grpc");
      Assertions.assertThatThrownBy(
              () ->
                  GrpcCalls.ask(
                      io.grpc.ClientInterceptors.intercept(
                          grpc.channel(), MetadataUtils.newAttachHeadersInterceptor(wish)),
                      GrpcCalls.patiently(),
                      GrpcCalls.data("f", "Bob")))
          .isInstanceOfSatisfying(
              StatusRuntimeException.class,
              refused ->
                  assertThat(refused.getStatus().getCode())
                      .isEqualTo(Status.Code.INVALID_ARGUMENT));
      assertThat(grpc.ask("report", "x")).isEmpty();
    }
  }

  private static Metadata.Key<String> key(String name) {
    return Metadata.Key.of(name, Metadata.ASCII_STRING_MARSHALLER);
  }

  @Test
  void shouldDoWhatOperatorsAsk() throws IOException {
    Set<CallState> failed = EnumSet.of(CallState.FAILED);
    try (CoapPeer device = new CoapPeer(system.process().coapPort())) {
      List<CallId> ids =
          List.of(
              accept(device, CON, "calls", "f", "fail"),
              accept(device, CON, "calls", "f", "fail"),
              accept(device, CON, "calls", "f", "fail"));
      ids.forEach(id -> awaitState(id, CallState.FAILED));
      assertThat(list("f", failed)).extracting(CallDescription::id).containsExactlyElementsOf(ids);
      CallDescription call = list("f", failed).getFirst();
      assertThat(call.status()).hasValue(400);
      assertThat(call.reason()).hasValue("status 400: no");
      CallsReply page = ask(Action.LIST, "f", failed, Optional.empty(), 2);
      assertThat(page.calls()).hasSize(2);
      assertThat(page.next()).isPresent();

      assertThat(ask(Action.REDRIVE, "f", failed, Optional.of(ids.get(1)), 1_000).count())
          .isEqualTo(1);
      awaitState(ids.get(1), CallState.FAILED);
      assertThat(ask(Action.REMOVE, "f", failed, Optional.of(ids.get(0)), 1_000).count())
          .isEqualTo(1);
      assertThat(ask(Action.REMOVE, "f", failed, Optional.empty(), 1_000).count()).isEqualTo(2);
      assertThat(list("f", failed)).isEmpty();
      assertThat(ask(Action.REMOVE, "nobody", failed, Optional.empty(), 10).count()).isZero();
    }
  }
}
