package io.tinyfaas.endtoend;

import static io.tinyfaas.harness.Eventually.eventually;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.hamcrest.Matchers.equalTo;
import static org.hamcrest.Matchers.hasSize;

import io.restassured.response.Response;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeoutException;
import org.eclipse.californium.core.CoapResponse;
import org.eclipse.californium.core.coap.CoAP.ResponseCode;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** A function is deleted, whatever else it is doing. */
class DeleteIT {

  @RegisterExtension private static final Installation SYSTEM = Installation.UNIX;

  @RegisterExtension private final Functions functions = new Functions(SYSTEM);

  @RegisterExtension private final Device device = new Device(SYSTEM);

  @Test
  void shouldDeleteAFunctionWithoutATrace() {
    functions.deploy("deleted", Map.of("runtime", "nodejs", "handlers", 2), Code.answering("1"));
    functions.deploy("deleted", Map.of("runtime", "nodejs", "handlers", 2), Code.answering("2"));
    assertThat(functions.traces("deleted")).isNotEmpty();

    functions.delete("deleted").then().statusCode(204).body(equalTo(""));

    assertThat(device.get("deleted").getCode()).isEqualTo(ResponseCode.NOT_FOUND);
    assertThat(functions.traces("deleted")).isEmpty();
    Problems.assertProblem(
        functions.get("deleted"), 404, "unknown-function", "There is no function deleted");
    Problems.assertProblem(
        functions.delete("deleted"), 404, "unknown-function", "There is no function deleted");
    SYSTEM.rest().get("/functions").then().body("name.findAll { it == 'deleted' }", hasSize(0));
  }

  @Test
  void shouldLetAnInvocationEndBeforeItsFunctionIsDeleted() throws Exception {
    functions.deploy("finished", Map.of("runtime", "nodejs", "timeout", "5m"), Gate.IN_A_HANDLER);
    String handler = SYSTEM.handlers("finished").getFirst();
    try (ExecutorService both = Executors.newVirtualThreadPerTaskExecutor()) {
      Future<CoapResponse> answer =
          both.submit(() -> device.post("finished", "done".getBytes(UTF_8)));
      Gate.awaitAsked(SYSTEM, "finished", "done");

      Future<Response> deletion = both.submit(() -> functions.delete("finished"));
      eventually()
          .until(
              () -> device.get("finished"),
              told -> told != null && told.getCode() == ResponseCode.NOT_FOUND);
      assertThat(answer).as("the answer, before the gate is opened").isNotDone();
      assertThat(deletion).as("the deletion, before the invocation has ended").isNotDone();
      Gate.open(SYSTEM, handler);

      assertThat(answer.get().getResponseText()).isEqualTo("done");
      assertThat(deletion.get().statusCode()).isEqualTo(204);
    }
    assertThat(functions.traces("finished")).isEmpty();
  }

  /** The deploy is answered first: what comes later waits for it. */
  @Test
  void shouldDeleteAfterADeployThatIsUnderWay() throws Exception {
    try (ExecutorService both = Executors.newVirtualThreadPerTaskExecutor()) {
      Future<Response> deploy =
          both.submit(
              () ->
                  functions.put(
                      "short-lived",
                      Gate.inTheBuildOf("module.exports = (req, res) => res.send('x');")));
      String build = Gate.awaitBuild(SYSTEM, "short-lived");
      Future<Response> deletion = both.submit(() -> functions.delete("short-lived"));
      assertWaiting(deletion);
      Gate.open(SYSTEM, build);

      assertThat(deploy.get().statusCode()).isEqualTo(201);
      assertThat(deletion.get().statusCode()).isEqualTo(204);
    }
    assertThat(device.get("short-lived").getCode()).isEqualTo(ResponseCode.NOT_FOUND);
    assertThat(functions.traces("short-lived")).isEmpty();
  }

  @Test
  void shouldDeleteWhatRanBeforeADeployThatFails() throws Exception {
    functions.deploy("doomed", Code.answering("1"));
    try (ExecutorService both = Executors.newVirtualThreadPerTaskExecutor()) {
      Future<Response> deploy =
          both.submit(() -> functions.put("doomed", Gate.inTheBuildOf("throw new Error('no');")));
      String build = Gate.awaitBuild(SYSTEM, "doomed");
      Future<Response> deletion = both.submit(() -> functions.delete("doomed"));
      assertWaiting(deletion);
      assertThat(device.get("doomed").getResponseText()).isEqualTo("1");
      Gate.open(SYSTEM, build);

      Problems.assertProblem(deploy.get(), 422, "start-failed");
      assertThat(deletion.get().statusCode()).isEqualTo(204);
    }
    assertThat(functions.traces("doomed")).isEmpty();
  }

  /** A box that is slow may not have sent it yet: then it waits all the same. */
  private static void assertWaiting(Future<Response> deletion) {
    assertThat(deletion)
        .failsWithin(Duration.ofSeconds(1))
        .withThrowableOfType(TimeoutException.class);
  }
}
