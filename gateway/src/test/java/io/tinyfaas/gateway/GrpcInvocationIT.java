package io.tinyfaas.gateway;

import static io.tinyfaas.harness.Eventually.eventually;
import static io.tinyfaas.harness.Eventually.patient;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import com.google.protobuf.ByteString;
import com.google.protobuf.Empty;
import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.ClientInterceptors;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.health.v1.HealthCheckRequest;
import io.grpc.health.v1.HealthCheckResponse.ServingStatus;
import io.grpc.health.v1.HealthGrpc;
import io.grpc.reflection.v1.ServerReflectionGrpc;
import io.grpc.reflection.v1.ServerReflectionRequest;
import io.grpc.reflection.v1.ServerReflectionResponse;
import io.grpc.reflection.v1.ServiceResponse;
import io.grpc.stub.ClientCalls;
import io.grpc.stub.MetadataUtils;
import io.grpc.stub.StreamObserver;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpServerRequest;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.TestInstance.Lifecycle;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** gRPC in, a handler's answer out, on the packaged gateway. */
@TestInstance(Lifecycle.PER_CLASS)
class GrpcInvocationIT {

  private ServedGateway system;
  private GrpcCalls calls;

  @BeforeAll
  void start(@TempDir Path folder) {
    system =
        new ServedGateway(folder, Map.of("TINYFAAS_MAX_BODY", "256K"), GrpcInvocationIT::function)
            .serveGoodAndBad();
    calls = new GrpcCalls(system.process().grpcPort());
  }

  @AfterAll
  void stop() {
    calls.close();
    system.close();
  }

  /** What it does, the data say. */
  private static void function(HttpServerRequest request, Buffer body) {
    String text = body.toString();
    switch (text) {
      case "headers" -> request.response().end(ServedGateway.headers(request));
      case "fail" -> request.response().setStatusCode(500).end("no such lamp ✓");
      case "bytes" -> request.response().end(Buffer.buffer(new byte[] {(byte) 0xff}));
      case "large" -> request.response().end(Buffer.buffer(new byte[(256 << 10) + 1]));
      case "hold" -> {} // never answered
      default -> request.response().end(body);
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 1, 1_000, 256 * 1024})
  void shouldPassTextBothWays(int size) {
    String text = "x".repeat(size);

    assertThat(calls.ask("f", text)).isEqualTo(text);
  }

  @Test
  void shouldPassUtf8AsItIs() {
    assertThat(calls.ask("f", "grüße ✓ \u0000 😀")).isEqualTo("grüße ✓ \u0000 😀");
  }

  @Test
  void shouldPassMetadataOnAsHeaders() {
    Metadata metadata = new Metadata();
    metadata.put(key("x-own"), "a");
    metadata.put(key("x-own"), "b");
    metadata.put(key("authorization"), "Basic eA==");
    metadata.put(key("x-tinyfaas-peer"), "forged");
    metadata.put(key("x-tinyfaas-call"), "forged");
    metadata.put(key("content-encoding"), "forged");
    metadata.put(Metadata.Key.of("x-own-bin", Metadata.BINARY_BYTE_MARSHALLER), new byte[] {1});
    Channel with =
        ClientInterceptors.intercept(
            calls.channel(), MetadataUtils.newAttachHeadersInterceptor(metadata));

    assertThat(GrpcCalls.ask(with, GrpcCalls.patiently(), GrpcCalls.data("f", "headers")))
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
    assertThat(calls.failure("nobody", "x").getCode()).isEqualTo(Status.Code.NOT_FOUND);
    assertThat(calls.failure("none", "x").getCode()).isEqualTo(Status.Code.UNAVAILABLE);
    assertThat(calls.failure("gone", "x").getCode()).isEqualTo(Status.Code.UNAVAILABLE);
    assertThat(calls.failure("slow", "hold").getCode()).isEqualTo(Status.Code.DEADLINE_EXCEEDED);
    Status failed = calls.failure("f", "fail");
    assertThat(failed.getCode()).isEqualTo(Status.Code.UNKNOWN);
    assertThat(failed.getDescription()).isEqualTo("the function answered 500: no such lamp ✓");
    Status bytes = calls.failure("f", "bytes");
    assertThat(bytes.getCode()).isEqualTo(Status.Code.INTERNAL);
    assertThat(bytes.getDescription()).contains("not UTF-8");
    assertThat(calls.failure("f", "large").getDescription()).contains("larger than");
    assertThat(calls.failure("f", "x".repeat((256 << 10) + 2_000)).getCode())
        .isEqualTo(Status.Code.RESOURCE_EXHAUSTED);
  }

  @Test
  void shouldRefuseWhatIsNoText() {
    Empty bytes = GrpcCalls.data("f", ByteString.copyFrom(new byte[] {(byte) 0xff}));

    StatusRuntimeException refused =
        catchThrowableOfType(
            StatusRuntimeException.class,
            () -> GrpcCalls.ask(calls.channel(), CallOptions.DEFAULT, bytes));

    assertThat(refused.getStatus().getCode()).isEqualTo(Status.Code.INVALID_ARGUMENT);
  }

  @Test
  void shouldTellItsHealth() {
    HealthGrpc.HealthBlockingStub health = HealthGrpc.newBlockingStub(calls.channel());

    eventually() // of the first table it hears a moment after the manager may
        .untilAsserted(
            () ->
                assertThat(health.check(HealthCheckRequest.getDefaultInstance()).getStatus())
                    .isEqualTo(ServingStatus.SERVING));
    assertThat(
            health
                .check(HealthCheckRequest.newBuilder().setService(GrpcCalls.SERVICE).build())
                .getStatus())
        .isEqualTo(ServingStatus.SERVING);
  }

  @Test
  void shouldDescribeItself() {
    List<ServerReflectionResponse> answers = new CopyOnWriteArrayList<>();
    CompletableFuture<Void> end = new CompletableFuture<>();
    StreamObserver<ServerReflectionRequest> questions =
        ServerReflectionGrpc.newStub(calls.channel())
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
    questions.onNext(
        ServerReflectionRequest.newBuilder().setFileContainingSymbol(GrpcCalls.SERVICE).build());
    questions.onCompleted();
    end.orTimeout(patient(Duration.ofSeconds(20)).toMillis(), TimeUnit.MILLISECONDS).join();

    assertThat(answers.getFirst().getListServicesResponse().getServiceList())
        .extracting(ServiceResponse::getName)
        .contains(
            GrpcCalls.SERVICE,
            "grpc.health.v1.Health",
            "grpc.reflection.v1.ServerReflection",
            "grpc.reflection.v1alpha.ServerReflection");
    assertThat(
            answers.getLast().getFileDescriptorResponse().getFileDescriptorProto(0).toStringUtf8())
        .contains("functionIdentifier", "Response");
  }

  @Test
  void shouldNotKnowOtherMethods() {
    MethodDescriptor<Empty, Empty> other =
        GrpcCalls.REQUEST.toBuilder().setFullMethodName(GrpcCalls.SERVICE + "/Other").build();

    assertThat(
            catchThrowableOfType(
                    StatusRuntimeException.class,
                    () ->
                        ClientCalls.blockingUnaryCall(
                            calls.channel(), other, CallOptions.DEFAULT, GrpcCalls.data("f", "x")))
                .getStatus()
                .getCode())
        .isEqualTo(Status.Code.UNIMPLEMENTED);
  }
}
