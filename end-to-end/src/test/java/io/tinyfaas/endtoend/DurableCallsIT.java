package io.tinyfaas.endtoend;

import static io.tinyfaas.harness.Eventually.eventually;
import static org.assertj.core.api.Assertions.assertThat;
import static org.hamcrest.Matchers.containsString;
import static org.hamcrest.Matchers.equalTo;
import static org.hamcrest.Matchers.hasSize;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;

/** Calls of functions in containers: from a client's request to what an operator sees of it. */
@Timeout(value = 5, unit = TimeUnit.MINUTES)
class DurableCallsIT {

  @RegisterExtension private static final Installation SYSTEM = Installation.UNIX;

  /** Notes what it gets; what it has noted is its answer to a GET. */
  private static final byte[] NOTES =
      Code.node(
          """
          const notes = [];
          module.exports = (req, res) => {
            if (req.method === 'GET') return res.send(notes.join(' '));
            notes.push(req.headers['x-tinyfaas-result-of'] ? `${req.headers['x-tinyfaas-result-state']}:${req.body}` : req.body);
            res.send('noted');
          };
          """);

  /** Fails unless it is told not to. */
  private static final byte[] MOODY =
      Code.node(
          "module.exports = (req, res) => res.status(process.env.WELL ? 200 : 500).send('?');");

  @RegisterExtension private final Functions functions = new Functions(SYSTEM);

  @TempDir private Path folder;
  private Curl curl;

  @BeforeEach
  void deploy() {
    curl = new Curl(SYSTEM, folder);
    functions.deploy("call-notes", NOTES);
  }

  private String accept(String path, String... options) {
    Curl.Answer answer = curl.ask(path, options);
    assertThat(answer.status()).as(answer.text()).isEqualTo(202);
    return answer
        .headers()
        .lines()
        .filter(line -> line.toLowerCase(java.util.Locale.ROOT).startsWith("location: /"))
        .map(line -> line.substring("location: /".length()).strip())
        .findFirst()
        .orElseThrow();
  }

  private void awaitCall(String location, String state) {
    eventually()
        .untilAsserted(
            () -> assertThat(curl.ask(location).text()).contains("\"state\":\"" + state + '"'));
  }

  @Tag("smoke")
  @Test
  void shouldRunAReportThatNobodyWaitsFor() {
    functions.deploy("call-report", Map.of("runtime", "nodejs", "delivery", "durable"), NOTES);

    String location = accept("call-report", "--data", "21.5");

    awaitCall(location, "done");
    assertThat(curl.ask(location + "/result").text()).isEqualTo("noted");
    assertThat(curl.ask("call-report").text()).isEqualTo("21.5");
    SYSTEM
        .rest()
        .get("/functions/call-report/calls?state=done")
        .then()
        .statusCode(200)
        .body("calls", hasSize(1))
        .body("calls[0].id", equalTo(location.substring("calls/".length())))
        .body("calls[0].protocol", equalTo("http"));
  }

  @Test
  void shouldKeepWhatHasFailedAndLetItBeginAnew() {
    functions.deploy(
        "call-moody",
        Map.of(
            "runtime",
            "nodejs",
            "async.retries",
            "1",
            "async.backoff",
            "100ms",
            "async.onFailure",
            "call-notes"),
        MOODY);

    String location = accept("calls/call-moody", "--data", "lamp-7");

    awaitCall(location, "failed");
    eventually().until(() -> curl.ask("call-notes").text().equals("failed:lamp-7"));
    SYSTEM
        .rest()
        .get("/functions/call-moody/failed")
        .then()
        .statusCode(200)
        .body("calls", hasSize(1))
        .body("calls[0].attempts", equalTo(2))
        .body("calls[0].status", equalTo(500))
        .body("calls[0].reason", containsString("status 500"));
    assertThat(functions.patch("call-moody", "{\"environment\": {\"WELL\": \"yes\"}}").statusCode())
        .isEqualTo(200);
    SYSTEM
        .rest()
        .post("/functions/call-moody/failed/redrive")
        .then()
        .statusCode(200)
        .body("count", equalTo(1));
    awaitCall(location, "done");
    SYSTEM.rest().get("/functions/call-moody/failed").then().body("calls", equalTo(List.of()));
  }

  @Test
  void shouldRemoveWhatHasFailedOfAFunctionThatIsGone() {
    functions.deploy("call-gone", Map.of("runtime", "nodejs", "async.retries", "0"), MOODY);
    String location = accept("calls/call-gone", "--data", "x");
    awaitCall(location, "failed");
    functions.removeAll();

    SYSTEM.rest().get("/functions/call-gone/failed").then().body("calls", hasSize(1));
    SYSTEM
        .rest()
        .delete("/functions/call-gone/failed")
        .then()
        .statusCode(200)
        .body("count", equalTo(1));
    assertThat(curl.ask(location).status()).isEqualTo(404);
  }
}
