package io.tinyfaas.gateway.ingress.grpc;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.grpc.Status;
import io.tinyfaas.gateway.ingress.grpc.GrpcResponses.Reply;
import io.tinyfaas.gateway.invoke.InvocationResult;
import io.tinyfaas.gateway.invoke.InvocationResult.Answered;
import io.tinyfaas.gateway.invoke.InvocationResult.BadAnswer;
import io.tinyfaas.gateway.invoke.InvocationResult.BadRequest;
import io.tinyfaas.gateway.invoke.InvocationResult.NoHandler;
import io.tinyfaas.gateway.invoke.InvocationResult.NoRouteTable;
import io.tinyfaas.gateway.invoke.InvocationResult.Overloaded;
import io.tinyfaas.gateway.invoke.InvocationResult.PeerOverloaded;
import io.tinyfaas.gateway.invoke.InvocationResult.Stopping;
import io.tinyfaas.gateway.invoke.InvocationResult.TimedOut;
import io.tinyfaas.gateway.invoke.InvocationResult.Unauthorized;
import io.tinyfaas.gateway.invoke.InvocationResult.UnknownFunction;
import io.vertx.core.MultiMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

class GrpcResponsesTest {

  private static Answered answered(int status, byte[] body) {
    return new Answered(status, MultiMap.caseInsensitiveMultiMap(), body);
  }

  private static Status failure(InvocationResult result) {
    return ((Reply.Failure) GrpcResponses.toReply(result)).status();
  }

  static Stream<Arguments> failures() {
    byte[] text = "no lamp".getBytes(UTF_8);
    return Stream.of(
        Arguments.of(new NoRouteTable(), Status.Code.UNAVAILABLE),
        Arguments.of(new UnknownFunction(), Status.Code.NOT_FOUND),
        Arguments.of(new Unauthorized(), Status.Code.PERMISSION_DENIED),
        Arguments.of(new NoHandler(), Status.Code.UNAVAILABLE),
        Arguments.of(new Overloaded(), Status.Code.RESOURCE_EXHAUSTED),
        Arguments.of(new PeerOverloaded(), Status.Code.RESOURCE_EXHAUSTED),
        Arguments.of(new TimedOut(), Status.Code.DEADLINE_EXCEEDED),
        Arguments.of(new Stopping(), Status.Code.UNAVAILABLE),
        Arguments.of(new BadRequest("a header"), Status.Code.INVALID_ARGUMENT),
        Arguments.of(new BadAnswer("broken"), Status.Code.INTERNAL),
        Arguments.of(answered(500, text), Status.Code.UNKNOWN),
        Arguments.of(answered(404, text), Status.Code.UNKNOWN),
        Arguments.of(answered(302, text), Status.Code.UNKNOWN),
        Arguments.of(answered(200, new byte[] {(byte) 0xc3}), Status.Code.INTERNAL));
  }

  @ParameterizedTest
  @MethodSource("failures")
  void shouldSayAFailureAsAStatus(InvocationResult result, Status.Code code) {
    assertThat(failure(result).getCode()).isEqualTo(code);
    assertThat(failure(result).getDescription()).isNotBlank();
  }

  @Test
  void shouldShowTheBeginningOfWhatAFunctionSaysAboutItsFailure() {
    assertThat(failure(answered(500, "no lamp\n".getBytes(UTF_8))).getDescription())
        .isEqualTo("the function answered 500: no lamp");
    assertThat(failure(answered(500, new byte[100_000])).getDescription()).hasSizeLessThan(400);
  }

  @Test
  void shouldPassTextBack() {
    byte[] text = "grüße".getBytes(UTF_8);

    assertThat(GrpcResponses.toReply(answered(201, text))).isEqualTo(new Reply.Text(text));
    assertThat(GrpcResponses.toReply(answered(204, new byte[0]))).isInstanceOf(Reply.Text.class);
  }
}
