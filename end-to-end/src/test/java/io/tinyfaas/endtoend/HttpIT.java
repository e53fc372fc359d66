package io.tinyfaas.endtoend;

import static io.tinyfaas.harness.Eventually.eventually;
import static org.assertj.core.api.Assertions.assertThat;
import static org.hamcrest.Matchers.equalTo;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Functions by HTTP, asked with curl. */
class HttpIT {

  @RegisterExtension private static final Installation SYSTEM = Installation.UNIX;
  private static final String FUNCTIONS = "contract/golden/handler/functions/nodejs/";

  @RegisterExtension private final Functions functions = new Functions(SYSTEM);

  @TempDir private Path folder;
  private Curl curl;

  @BeforeEach
  void deploy() {
    curl = new Curl(SYSTEM, folder);
    functions.deploy("echo", Archives.ofFolder(FUNCTIONS + "echo"));
  }

  private static byte[] random(int size) {
    byte[] body = new byte[size];
    new Random(size).nextBytes(body);
    return body;
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 1, 512 * 1024})
  void shouldEchoBytes(int size) {
    byte[] body = random(size);

    assertThat(curl.post("echo", body).body()).isEqualTo(body);
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 512 * 1024})
  void shouldEchoChunks(int size) throws IOException {
    byte[] body = random(size);
    Path file = Files.write(folder.resolve("chunked"), body);
    assertThat(curl.ask("echo", "-T", file.toString(), "-H", "Transfer-Encoding: chunked").body())
        .isEqualTo(body);
  }

  @Tag("smoke")
  @Test
  void shouldEchoText() throws IOException {
    // By a file: what an argument's letters become depends on the locale.
    Path file = Files.writeString(folder.resolve("text"), "grüße ✓");
    assertThat(curl.ask("echo", "--data", "@" + file).text()).isEqualTo("grüße ✓");
  }

  @Test
  void shouldPassTheRequestOnAndTheAnswerBack() {
    functions.deploy("headers", Functions.HEADERS);
    functions.deploy(
        "teapot",
        Code.node(
            "module.exports = (req, res) => res.status(418).set('X-Pot', 'short').send('stout');"));

    assertThat(curl.ask("headers/a%20b?x=1&y=%26", "-X", "DELETE", "-H", "X-Own: mine").text())
        .contains("x-own: mine", "x-tinyfaas-method: DELETE", "x-tinyfaas-path: /a%20b")
        .contains("x-tinyfaas-query: x=1&y=%26", "x-tinyfaas-protocol: http");
    Curl.Answer answer = curl.ask("teapot");
    assertThat(answer.status()).isEqualTo(418);
    assertThat(answer.headers()).containsIgnoringCase("x-pot: short");
    assertThat(answer.text()).isEqualTo("stout");
    assertThat(curl.ask("teapot", "--head").status()).isEqualTo(418);
  }

  @Test
  void shouldSayWhatIsWrong() {
    functions.deploy("failing", Functions.FAILING);

    Curl.Answer unknown = curl.ask("nobody");
    assertThat(unknown.status()).isEqualTo(404);
    assertThat(unknown.headers()).contains("application/problem+json");
    assertThat(unknown.text()).contains("urn:tinyfaas:problem:unknown-function");
    Curl.Answer failed = curl.ask("failing");
    assertThat(failed.status()).isEqualTo(500);
    assertThat(failed.text()).contains("no lamp");
    Curl.Answer large = curl.post("echo", new byte[(1 << 20) + 1]);
    assertThat(large.status()).isEqualTo(413);
    assertThat(large.text()).contains("body-too-large");
  }

  @Test
  void shouldRunWhatNobodyWaitsFor() {
    functions.deploy(
        "notes",
        Map.of("runtime", "nodejs", "timeout", "5m"),
        Code.node(
            """
            const notes = [];
            let open;
            const opened = new Promise((resolve) => (open = resolve));
            module.exports = async (req, res) => {
              if (req.body === 'open') open();
              if (req.body === 'one') {
                await opened;
                notes.push(req.body);
              }
              res.send(notes.join() || 'none');
            };
            """));

    Curl.Answer answer = curl.ask("notes", "-H", "X-tinyFaaS-Async: yes", "--data", "one");

    assertThat(answer.status()).isEqualTo(202);
    assertThat(answer.body()).isEmpty();
    assertThat(curl.ask("notes").text()).as("what has ended when it is answered").isEqualTo("none");
    curl.ask("notes", "--data", "open");
    eventually().until(() -> curl.ask("notes").text().equals("one"));
    assertThat(curl.ask("nobody", "-H", "X-tinyFaaS-Async: yes").status()).isEqualTo(404);
  }

  @Test
  void shouldSayWhereAFunctionIsReached() {
    SYSTEM
        .rest()
        .get("/functions/echo")
        .then()
        .body("urls.http", equalTo(SYSTEM.httpUri("echo")))
        .body("urls.grpc", equalTo("dns:///" + SYSTEM.grpcTarget()));
  }
}
