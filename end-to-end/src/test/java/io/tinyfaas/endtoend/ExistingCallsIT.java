package io.tinyfaas.endtoend;

import static io.tinyfaas.harness.Eventually.eventually;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.eclipse.californium.core.CoapResponse;
import org.eclipse.californium.core.coap.CoAP.ResponseCode;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * What scripts of the existing tinyFaaS send, with functions in its manner. They have curl ask
 * localhost:8080 without a token; curl's own settings lead it to this installation and add one.
 */
class ExistingCallsIT {

  @RegisterExtension private static final Installation SYSTEM = Installation.UNIX;
  private static final Path EXISTING =
      Checkout.path().resolve("end-to-end/src/test/functions/existing");

  @RegisterExtension private final Functions functions = new Functions(SYSTEM);

  @RegisterExtension private final Device device = new Device(SYSTEM);

  @TempDir private Path home;

  @BeforeEach
  void settings() throws IOException {
    Files.writeString(
        home.resolve(".curlrc"),
        "silent\nconnect-to = \"localhost:8080:127.0.0.1:%d\"\nheader = \"Authorization: Bearer %s\"\n"
            .formatted(SYSTEM.managerPort(), SYSTEM.token()));
  }

  /** The lines of the answer. */
  private List<String> ask(String path, String... options) {
    List<String> command = new ArrayList<>(List.of("env", "CURL_HOME=" + home));
    command.addAll(List.of("curl", "http://localhost:8080/" + path));
    command.addAll(List.of(options));
    return SYSTEM.run(Duration.ofMinutes(5), command.toArray(String[]::new));
  }

  /** As {@code --data} sends it: JSON that is called a form. */
  private List<String> send(String path, String json) {
    try {
      Path body = Files.writeString(home.resolve("body"), json);
      return ask(path, "--data", "@" + body);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** A folder, zipped into a pipe by the tool that people have. */
  private static String zipped(String folder) {
    return SYSTEM
        .run(
            Duration.ofMinutes(1),
            "bash",
            "-c",
            "cd \"$0\" && zip -r - ./* 2>/dev/null | base64 | tr -d '\\n'",
            EXISTING.resolve(folder).toString())
        .getFirst();
  }

  private List<String> upload(String folder, String name, String environment, int threads) {
    functions.willBe(name);
    String json =
        """
        {"name": "%s", "env": "%s", "threads": %d, "zip": "%s"}"""
            .formatted(name, environment, threads, zipped(folder));
    List<String> answer = send("upload", json);
    while (answer.stream().anyMatch(line -> line.contains("runtime-unavailable"))) {
      answer = send("upload", json);
    }
    return answer;
  }

  private List<String> uploadUrl(String url, String subfolder, String name) {
    functions.willBe(name);
    return send(
        "uploadURL",
        """
        {"name": "%s", "env": "nodejs", "threads": 1, "url": "%s", "subfolder_path": "%s"}"""
            .formatted(name, url, subfolder));
  }

  @ParameterizedTest
  @CsvSource({
    "nodejs,Hello World!",
    "python3,Hello World!",
    "binary,Hello World!",
    "go,'Hello World!, asked with map['"
  })
  void shouldDeployFunctionsInTheirManner(String environment, String answer) {
    List<String> lines = upload(environment, "theirs", environment, 1);

    assertThat(lines).contains("coap://:" + SYSTEM.coapPort() + "/theirs");
    assertThat(lines).allMatch(line -> line.matches("(coap|http|grpc)://:\\d+/theirs"));
    CoapResponse response = device.post("theirs", "Hello World!".getBytes(UTF_8));
    assertThat(response.getCode()).isEqualTo(ResponseCode.CHANGED);
    assertThat(response.getResponseText().strip()).startsWith(answer);
  }

  @Test
  void shouldListReplaceDeleteAndWipe() {
    upload("nodejs", "one", "nodejs", 2);
    upload("binary", "two", "binary", 1);
    assertThat(ask("list")).containsExactlyInAnyOrder("one", "two");
    assertThat(functions.handlers("one")).hasSize(2);

    upload("nodejs", "one", "nodejs", 1);
    assertThat(functions.handlers("one")).hasSize(1);
    assertThat(functions.get("one").jsonPath().getInt("version")).isEqualTo(2);

    assertThat(send("delete", "{\"name\": \"two\"}")).isEmpty();
    assertThat(ask("list")).containsExactly("one");
    assertThat(device.get("two").getCode()).isEqualTo(ResponseCode.NOT_FOUND);

    assertThat(send("wipe", "")).isEmpty();
    assertThat(ask("list")).isEmpty();
  }

  @Test
  void shouldShowWhatFunctionsPrint() {
    functions.deploy(
        "talker",
        Code.node(
            "module.exports = (req, res) => { console.log('heard ' + req.body); res.send('ok'); };"));
    device.post("talker", "news".getBytes(UTF_8));

    String handler =
        SYSTEM.docker("inspect", "-f", "{{.Id}}", SYSTEM.handlers("talker").getFirst()).getFirst();
    eventually()
        .untilAsserted(
            () ->
                assertThat(ask("logs"))
                    .anyMatch(
                        line ->
                            line.matches(
                                "function=talker handler="
                                    + handler
                                    + " \\d{4}-\\d\\d-\\d\\dT[0-9:.]+Z heard news")));
    String logs = SYSTEM.rest().get("/logs?name=talker").asString();
    assertThat(logs.lines()).isNotEmpty().allMatch(line -> line.startsWith("function=talker "));
    assertThat(SYSTEM.rest().get("/logs?name=nobody").statusCode()).isEqualTo(500);
  }

  @Test
  void shouldFetchAFolderOfARepositorysZipAndNothingFromWithin() throws Exception {
    // What the manager knows this box by, and may fetch from in this installation.
    HttpServer web = HttpServer.create(new InetSocketAddress(SYSTEM.bridge(), 0), 0);
    byte[] zip = repository();
    web.createContext(
        "/main.zip",
        exchange -> {
          exchange.sendResponseHeaders(200, zip.length);
          exchange.getResponseBody().write(zip);
          exchange.close();
        });
    web.createContext(
        "/trap.zip",
        exchange -> {
          exchange.getResponseHeaders().add("Location", "http://127.0.0.1:8080/q/metrics");
          exchange.sendResponseHeaders(302, -1);
          exchange.close();
        });
    web.start();
    try {
      String url = "http://" + SYSTEM.bridge() + ":" + web.getAddress().getPort();

      assertThat(uploadUrl(url + "/main.zip", "repository-main/functions/echo", "fetched"))
          .anyMatch(line -> line.endsWith("/fetched"));
      assertThat(device.post("fetched", "x".getBytes(UTF_8)).getResponseText()).isEqualTo("x");
      assertThat(uploadUrl(url + "/trap.zip", "", "trapped"))
          .anyMatch(line -> line.contains("fetch-failed") && line.contains("not public"));
      assertThat(uploadUrl("http://broker:1883/", "", "trapped"))
          .anyMatch(line -> line.contains("fetch-failed"));
    } finally {
      web.stop(0);
    }
  }

  private static byte[] repository() throws IOException {
    String folder = "repository-main/functions/echo/";
    return Archives.of(
        Map.of(
            "repository-main/README.md",
            "about".getBytes(UTF_8),
            folder + "index.js",
            Files.readAllBytes(EXISTING.resolve("nodejs/index.js")),
            folder + "package.json",
            Files.readAllBytes(EXISTING.resolve("nodejs/package.json"))));
  }
}
