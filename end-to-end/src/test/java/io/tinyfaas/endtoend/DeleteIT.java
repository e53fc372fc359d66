package io.tinyfaas.endtoend;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;
import static org.hamcrest.Matchers.equalTo;
import static org.hamcrest.Matchers.hasSize;

import io.restassured.response.Response;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.eclipse.californium.core.CoapResponse;
import org.eclipse.californium.core.coap.CoAP.ResponseCode;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/** A function is deleted, whatever else it is doing. */
@Timeout(60)
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
    functions.deploy(
        "finished",
        Code.node(
            "module.exports = (req, res) => { console.log('begun');"
                + " setTimeout(() => res.send('done'), 1500); };"));
    CompletableFuture<CoapResponse> answer =
        CompletableFuture.supplyAsync(() -> device.get("finished"));
    await()
        .untilAsserted(
            () ->
                assertThat(SYSTEM.rest().get("/functions/finished/logs").asString())
                    .contains("begun"));

    functions.delete("finished").then().statusCode(204);

    assertThat(answer.get(5, TimeUnit.SECONDS).getResponseText()).isEqualTo("done");
  }

  /** The deploy is answered first: what comes later waits for it. */
  @Test
  void shouldDeleteAfterADeployThatIsUnderWay() throws Exception {
    try (ExecutorService both = Executors.newVirtualThreadPerTaskExecutor()) {
      Future<Response> deploy =
          both.submit(() -> functions.put("short-lived", Code.loading(1_500, "x")));
      await().until(() -> !SYSTEM.handlers("short-lived").isEmpty());
      Future<Response> deletion = both.submit(() -> functions.delete("short-lived"));

      assertThat(deploy.get().statusCode()).isEqualTo(201);
      assertThat(deletion.get().statusCode()).isEqualTo(204);
    }
    assertThat(device.get("short-lived").getCode()).isEqualTo(ResponseCode.NOT_FOUND);
    assertThat(functions.traces("short-lived")).isEmpty();
  }

  @Test
  void shouldDeleteWhatRanBeforeADeployThatFails() throws Exception {
    functions.deploy("doomed", Code.answering("1"));
    int containers = SYSTEM.handlers("doomed").size();
    try (ExecutorService both = Executors.newVirtualThreadPerTaskExecutor()) {
      Future<Response> deploy =
          both.submit(
              () ->
                  functions.put(
                      "doomed",
                      Code.node(
                          "for (const end = Date.now() + 1500; Date.now() < end; );"
                              + " throw new Error('no');")));
      await().until(() -> SYSTEM.handlers("doomed").size() > containers);
      Future<Response> deletion = both.submit(() -> functions.delete("doomed"));

      Problems.assertProblem(deploy.get(), 422, "start-failed");
      assertThat(deletion.get().statusCode()).isEqualTo(204);
    }
    assertThat(functions.traces("doomed")).isEmpty();
  }
}
