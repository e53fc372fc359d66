package io.tinyfaas.gateway;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;
import static org.awaitility.Awaitility.await;

import com.google.protobuf.ByteString;
import com.google.protobuf.Empty;
import com.google.protobuf.UnknownFieldSet;
import com.google.protobuf.UnknownFieldSet.Field;
import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.ClientInterceptors;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.MethodDescriptor.MethodType;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.health.v1.HealthCheckRequest;
import io.grpc.health.v1.HealthCheckResponse.ServingStatus;
import io.grpc.health.v1.HealthGrpc;
import io.grpc.netty.NettyChannelBuilder;
import io.grpc.protobuf.ProtoUtils;
import io.grpc.reflection.v1.ServerReflectionGrpc;
import io.grpc.reflection.v1.ServerReflectionRequest;
import io.grpc.reflection.v1.ServerReflectionResponse;
import io.grpc.reflection.v1.ServiceResponse;
import io.grpc.stub.ClientCalls;
import io.grpc.stub.MetadataUtils;
import io.grpc.stub.StreamObserver;
import io.tinyfaas.contract.route.Handler;
import io.tinyfaas.contract.route.HandlerEndpoint;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpClient;
import io.vertx.core.http.HttpClientOptions;
import io.vertx.core.http.HttpMethod;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.http.HttpVersion;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.TestInstance.Lifecycle;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** gRPC in, a handler's answer out, on the packaged gateway. */
@TestInstance(Lifecycle.PER_CLASS)
@Timeout(60)
class GrpcInvocationIT {

  private static final String SERVICE = "openfogstack.tinyfaas.tinyfaas.TinyFaaS";

  /**
   * Messages as unknown fields of an empty one, so that a test can send what no generated client
   * would.
   */
  private static final MethodDescriptor<Empty, Empty> REQUEST =
      MethodDescriptor.<Empty, Empty>newBuilder()
          .setType(MethodType.UNARY)
          .setFullMethodName(SERVICE + "/Request")
          .setRequestMarshaller(ProtoUtils.marshaller(Empty.getDefaultInstance()))
          .setResponseMarshaller(ProtoUtils.marshaller(Empty.getDefaultInstance()))
          .build();

  private final List<HttpServerRequest> held = new CopyOnWriteArrayList<>();
  private ServedGateway system;
  private GatewayProcess gateway;
  private ManagedChannel channel;

  @BeforeAll
  void start(@TempDir Path folder) {
    system =
        new ServedGateway(
            folder,
            Map.of(
                "TINYFAAS_MAX_BODY",
                "256K",
                "TINYFAAS_MAX_IN_FLIGHT_PER_FUNCTION",
                "8",
                "TINYFAAS_GRPC_MAX_CONNECTIONS",
                "12",
                "TINYFAAS_GRPC_HANDSHAKE_TIMEOUT",
                "1s"),
            this::function);
    gateway = system.process();
    Handler gone = new Handler("gone", new HandlerEndpoint.Unix("f/gone.sock"));
    system.serve(
        PlayedManager.route("echo", 10_000, system.handler()),
        PlayedManager.route("f", 10_000, system.handler()),
        PlayedManager.route("slow", 200, system.handler()),
        PlayedManager.route("gone", 10_000, gone),
        PlayedManager.route("none", 10_000));
    channel =
        NettyChannelBuilder.forAddress("127.0.0.1", gateway.grpcPort())
            .usePlaintext()
            .maxInboundMessageSize(1 << 20)
            .build();
  }

  @BeforeEach
  void forget() {
    held.clear();
  }

  @AfterAll
  void stop() {
    channel.shutdownNow();
    system.close();
  }

  /** What it does, the data say. */
  private void function(HttpServerRequest request, Buffer body) {
    String text = body.toString();
    switch (text) {
      case "headers" ->
          request
              .response()
              .end(
                  request.headers().entries().stream()
                      .map(
                          header ->
                              header.getKey().toLowerCase(Locale.ROOT) + ": " + header.getValue())
                      .sorted()
                      .collect(Collectors.joining("\n")));
      case "fail" -> request.response().setStatusCode(500).end("no such lamp ✓");
      case "bytes" -> request.response().end(Buffer.buffer(new byte[] {(byte) 0xff}));
      case "large" -> request.response().end(Buffer.buffer(new byte[(256 << 10) + 1]));
      case "hold" -> held.add(request);
      default -> request.response().end(body);
    }
  }

  private static Empty data(String function, String data) {
    return data(function, ByteString.copyFromUtf8(data));
  }

  private static Empty data(String function, ByteString data) {
    return Empty.newBuilder()
        .setUnknownFields(
            UnknownFieldSet.newBuilder()
                .addField(1, string(ByteString.copyFromUtf8(function)))
                .addField(2, string(data))
                .build())
        .build();
  }

  private static Field string(ByteString bytes) {
    return Field.newBuilder().addLengthDelimited(bytes).build();
  }

  private static String response(Empty message) {
    List<ByteString> values = message.getUnknownFields().getField(1).getLengthDelimitedList();
    return values.isEmpty() ? "" : values.getLast().toStringUtf8();
  }

  private static String ask(Channel channel, CallOptions options, Empty message) {
    return response(ClientCalls.blockingUnaryCall(channel, REQUEST, options, message));
  }

  private String ask(String function, String data) {
    return ask(
        channel, CallOptions.DEFAULT.withDeadlineAfter(20, TimeUnit.SECONDS), data(function, data));
  }

  private Status failure(String function, String data) {
    return catchThrowableOfType(StatusRuntimeException.class, () -> ask(function, data))
        .getStatus();
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 1, 1_000, 256 * 1024})
  void shouldPassTextBothWays(int size) {
    String text = "x".repeat(size);

    assertThat(ask("echo", text)).isEqualTo(text);
  }

  @Test
  void shouldPassUtf8AsItIs() {
    assertThat(ask("echo", "grüße ✓ \u0000 😀")).isEqualTo("grüße ✓ \u0000 😀");
  }

  @Test
  void shouldPassMetadataOnAsHeaders() {
    Metadata metadata = new Metadata();
    metadata.put(key("x-own"), "a");
    metadata.put(key("x-own"), "b");
    metadata.put(key("authorization"), "Basic eA==");
    metadata.put(key("x-tinyfaas-peer"), "forged");
    metadata.put(key("x-tinyfaas-async"), "forged");
    metadata.put(key("content-encoding"), "forged");
    metadata.put(Metadata.Key.of("x-own-bin", Metadata.BINARY_BYTE_MARSHALLER), new byte[] {1});
    Channel with =
        ClientInterceptors.intercept(channel, MetadataUtils.newAttachHeadersInterceptor(metadata));

    assertThat(
            ask(
                with,
                CallOptions.DEFAULT.withDeadlineAfter(20, TimeUnit.SECONDS),
                data("f", "headers")))
        .contains("authorization: Basic eA==\n", "x-own: a\nx-own: b\n", "user-agent: grpc-java")
        .contains("x-tinyfaas-method: POST\n", "x-tinyfaas-protocol: grpc")
        .containsPattern("x-tinyfaas-peer: 127.0.0.1:\\d+\n")
        .doesNotContain("forged", "-bin", "grpc-timeout", "application/grpc", "\nte:");
  }

  private static Metadata.Key<String> key(String name) {
    return Metadata.Key.of(name, Metadata.ASCII_STRING_MARSHALLER);
  }

  @Test
  void shouldSayWhatIsWrongAsAStatus() {
    assertThat(failure("nobody", "x").getCode()).isEqualTo(Status.Code.NOT_FOUND);
    assertThat(failure("none", "x").getCode()).isEqualTo(Status.Code.UNAVAILABLE);
    assertThat(failure("gone", "x").getCode()).isEqualTo(Status.Code.UNAVAILABLE);
    assertThat(failure("slow", "hold").getCode()).isEqualTo(Status.Code.DEADLINE_EXCEEDED);
    Status failed = failure("f", "fail");
    assertThat(failed.getCode()).isEqualTo(Status.Code.UNKNOWN);
    assertThat(failed.getDescription()).isEqualTo("the function answered 500: no such lamp ✓");
    Status bytes = failure("f", "bytes");
    assertThat(bytes.getCode()).isEqualTo(Status.Code.INTERNAL);
    assertThat(bytes.getDescription()).contains("not UTF-8");
    assertThat(failure("f", "large").getDescription()).contains("larger than");
    assertThat(failure("f", "x".repeat((256 << 10) + 2_000)).getCode())
        .isEqualTo(Status.Code.RESOURCE_EXHAUSTED);
  }

  @Test
  void shouldRefuseWhatIsNoText() {
    Empty bytes = data("echo", ByteString.copyFrom(new byte[] {(byte) 0xff}));

    StatusRuntimeException refused =
        catchThrowableOfType(
            StatusRuntimeException.class, () -> ask(channel, CallOptions.DEFAULT, bytes));

    assertThat(refused.getStatus().getCode()).isEqualTo(Status.Code.INVALID_ARGUMENT);
  }

  @Test
  void shouldEndAnInvocationWithItsCall() {
    Status late =
        catchThrowableOfType(
                StatusRuntimeException.class,
                () ->
                    ask(
                        channel,
                        CallOptions.DEFAULT.withDeadlineAfter(500, TimeUnit.MILLISECONDS),
                        data("f", "hold")))
            .getStatus();

    assertThat(late.getCode()).isEqualTo(Status.Code.DEADLINE_EXCEEDED);
    await()
        .untilAsserted(
            () -> assertThat(gateway.get("/q/metrics").body()).contains("tinyfaas_in_flight 0.0"));
  }

  @Test
  void shouldRefuseWhatIsTooMuchAtOnce() {
    List<CompletableFuture<String>> running = new ArrayList<>();
    for (int i = 0; i < 8; i++) {
      running.add(
          CompletableFuture.supplyAsync(() -> ask("f", "hold"), Thread::startVirtualThread));
    }
    await().until(() -> held.size() == 8);

    assertThat(failure("f", "x").getCode()).isEqualTo(Status.Code.RESOURCE_EXHAUSTED);
    held.forEach(request -> request.response().end("done"));
    assertThat(running).allMatch(answer -> answer.join().equals("done"));
  }

  @Test
  void shouldTellItsHealth() {
    HealthGrpc.HealthBlockingStub health = HealthGrpc.newBlockingStub(channel);

    assertThat(health.check(HealthCheckRequest.getDefaultInstance()).getStatus())
        .isEqualTo(ServingStatus.SERVING);
    assertThat(
            health.check(HealthCheckRequest.newBuilder().setService(SERVICE).build()).getStatus())
        .isEqualTo(ServingStatus.SERVING);
  }

  @Test
  void shouldDescribeItself() {
    List<ServerReflectionResponse> answers = new CopyOnWriteArrayList<>();
    CompletableFuture<Void> end = new CompletableFuture<>();
    StreamObserver<ServerReflectionRequest> questions =
        ServerReflectionGrpc.newStub(channel)
            .serverReflectionInfo(
                new StreamObserver<>() {
                  @Override
                  public void onNext(ServerReflectionResponse answer) {
                    answers.add(answer);
                  }

                  @Override
                  public void onError(Throwable failure) {
                    end.completeExceptionally(failure);
                  }

                  @Override
                  public void onCompleted() {
                    end.complete(null);
                  }
                });
    questions.onNext(ServerReflectionRequest.newBuilder().setListServices("").build());
    questions.onNext(ServerReflectionRequest.newBuilder().setFileContainingSymbol(SERVICE).build());
    questions.onCompleted();
    end.orTimeout(10, TimeUnit.SECONDS).join();

    assertThat(answers.getFirst().getListServicesResponse().getServiceList())
        .extracting(ServiceResponse::getName)
        .contains(
            SERVICE,
            "grpc.health.v1.Health",
            "grpc.reflection.v1.ServerReflection",
            "grpc.reflection.v1alpha.ServerReflection");
    assertThat(
            answers.getLast().getFileDescriptorResponse().getFileDescriptorProto(0).toStringUtf8())
        .contains("functionIdentifier", "Response");
  }

  @Test
  void shouldCloseAConnectionOnWhichNothingComes() throws IOException {
    try (RawHttp silent = new RawHttp(gateway.grpcPort());
        RawHttp slow = new RawHttp(gateway.grpcPort())) {
      slow.send("PRI * HTTP/2.0\r\n");
      silent.readAll();
      slow.readAll();
    }
    assertThat(ask("echo", "x")).isEqualTo("x");
  }

  @Test
  void shouldBoundConnections() throws IOException {
    List<RawHttp> connections = new ArrayList<>();
    try {
      for (int i = 0; i < 50; i++) {
        connections.add(new RawHttp(gateway.grpcPort()));
      }
      assertThat(connections.getLast().readAll()).isEmpty();
      assertThat(ask("echo", "x")).as("on a connection that is open").isEqualTo("x");
    } finally {
      for (RawHttp connection : connections) {
        connection.close();
      }
    }
  }

  /** With 35 MB of heap, of which bodies may take a third; all of these would be 400 MB. */
  @Test
  void shouldSurviveMessagesThatAreNeverFinished() {
    List<String> statuses = new CopyOnWriteArrayList<>();
    Buffer part =
        Buffer.buffer().appendByte((byte) 0).appendInt(255_000).appendBytes(new byte[250_000]);
    HttpClient client =
        system
            .vertx()
            .createHttpClient(
                new HttpClientOptions()
                    .setProtocolVersion(HttpVersion.HTTP_2)
                    .setHttp2ClearTextUpgrade(false)
                    .setHttp2MaxPoolSize(8)
                    .setHttp2MultiplexingLimit(100));
    int calls = 800;
    List<CompletableFuture<Void>> written = new ArrayList<>();
    for (int i = 0; i < calls; i++) {
      CompletableFuture<Void> one = new CompletableFuture<>();
      written.add(one);
      client
          .request(HttpMethod.POST, gateway.grpcPort(), "127.0.0.1", "/" + SERVICE + "/Request")
          .onSuccess(
              request -> {
                request.putHeader("content-type", "application/grpc").putHeader("te", "trailers");
                request
                    .response()
                    .onSuccess(response -> statuses.add(response.getHeader("grpc-status")));
                request.setChunked(true).write(part).onComplete(sent -> one.complete(null));
              })
          .onFailure(refused -> one.complete(null));
    }
    String exhausted = Integer.toString(Status.Code.RESOURCE_EXHAUSTED.value());
    await().atMost(30, TimeUnit.SECONDS).until(() -> statuses.size() > calls / 2);
    assertThat(statuses).containsOnly(exhausted);
    client.close().toCompletionStage().toCompletableFuture().join();

    await()
        .ignoreExceptions()
        .untilAsserted(() -> assertThat(ask("echo", "x".repeat(200_000))).hasSize(200_000));
  }

  @Test
  void shouldNotKnowOtherMethods() {
    MethodDescriptor<Empty, Empty> other =
        REQUEST.toBuilder().setFullMethodName(SERVICE + "/Other").build();

    assertThat(
            catchThrowableOfType(
                    StatusRuntimeException.class,
                    () ->
                        ClientCalls.blockingUnaryCall(
                            channel, other, CallOptions.DEFAULT, data("echo", "x")))
                .getStatus()
                .getCode())
        .isEqualTo(Status.Code.UNIMPLEMENTED);
  }
}
