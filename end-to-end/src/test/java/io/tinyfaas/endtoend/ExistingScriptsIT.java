package io.tinyfaas.endtoend;

import static io.tinyfaas.harness.Eventually.eventually;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import com.sun.net.httpserver.HttpServer;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
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
 * The shell scripts of the existing tinyFaaS with its own functions, unmodified. They ask
 * localhost:8080 without a token; curl's own settings lead them to this installation and add it.
 */
class ExistingScriptsIT {

  @RegisterExtension private static final Installation SYSTEM = Installation.UNIX;
  private static final Path THEIRS = Checkout.path().resolve("end-to-end/src/test/tinyfaas");

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

  /** The lines that it prints to standard output. */
  private List<String> script(String name, String... arguments) {
    List<String> command = new ArrayList<>(List.of("env", "CURL_HOME=" + home));
    command.addAll(List.of("bash", "-c", "exec bash \"$0\" \"$@\" 2>/dev/null"));
    command.add(THEIRS.resolve("scripts/" + name).toString());
    command.addAll(List.of(arguments));
    return SYSTEM.run(Duration.ofMinutes(5), command.toArray(String[]::new));
  }

  private List<String> upload(String folder, String name, String environment, int threads) {
    functions.willBe(name);
    String path = THEIRS.resolve("fns").resolve(folder).toString();
    List<String> answer = script("upload.sh", path, name, environment, Integer.toString(threads));
    while (answer.stream().anyMatch(line -> line.contains("runtime-unavailable"))) {
      answer = script("upload.sh", path, name, environment, Integer.toString(threads));
    }
    return answer;
  }

  @ParameterizedTest
  @CsvSource({
    "echo-js,nodejs,Hello World!",
    "echo,python3,Hello World!",
    "echo-binary,binary,Hello World!",
    "hello-go,go,'Hello, Hello World! with headers: map['"
  })
  void shouldDeployTheirFunctions(String folder, String environment, String answer) {
    List<String> lines = upload(folder, "theirs", environment, 1);

    assertThat(lines).contains("coap://:" + SYSTEM.coapPort() + "/theirs");
    assertThat(lines).allMatch(line -> line.matches("(coap|http|grpc)://:\\d+/theirs"));
    CoapResponse response = device.post("theirs", "Hello World!".getBytes(UTF_8));
    assertThat(response.getCode()).isEqualTo(ResponseCode.CHANGED);
    assertThat(response.getResponseText().strip()).startsWith(answer);
  }

  @Test
  void shouldListReplaceDeleteAndWipe() {
    upload("echo-js", "one", "nodejs", 2);
    upload("echo-binary", "two", "binary", 1);
    assertThat(script("list.sh")).containsExactlyInAnyOrder("one", "two");
    assertThat(functions.handlers("one")).hasSize(2);

    upload("echo-js", "one", "nodejs", 1);
    assertThat(functions.handlers("one")).hasSize(1);
    assertThat(functions.get("one").jsonPath().getInt("version")).isEqualTo(2);

    assertThat(script("delete.sh", "two")).isEmpty();
    assertThat(script("list.sh")).containsExactly("one");
    assertThat(device.get("two").getCode()).isEqualTo(ResponseCode.NOT_FOUND);

    assertThat(script("wipe-functions.sh")).isEmpty();
    assertThat(script("list.sh")).isEmpty();
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
                assertThat(script("logs.sh"))
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
      functions.willBe("fetched");

      List<String> lines =
          script(
              "uploadURL.sh",
              url + "/main.zip",
              "tinyFaaS-main/test/fns/echo-js",
              "fetched",
              "nodejs",
              "1");

      assertThat(lines).anyMatch(line -> line.endsWith("/fetched"));
      assertThat(device.post("fetched", "x".getBytes(UTF_8)).getResponseText()).isEqualTo("x");
      assertThat(script("uploadURL.sh", url + "/trap.zip", "", "trapped", "nodejs", "1"))
          .anyMatch(line -> line.contains("fetch-failed") && line.contains("not public"));
      assertThat(script("uploadURL.sh", "http://broker:1883/", "", "trapped", "nodejs", "1"))
          .anyMatch(line -> line.contains("fetch-failed"));
    } finally {
      web.stop(0);
    }
  }

  private static byte[] repository() throws IOException {
    ByteArrayOutputStream all = new ByteArrayOutputStream();
    all.write(
        Archives.of(
            Map.of(
                "tinyFaaS-main/README.md", "about".getBytes(UTF_8),
                "tinyFaaS-main/test/fns/echo-js/index.js",
                    Files.readAllBytes(THEIRS.resolve("fns/echo-js/index.js")),
                "tinyFaaS-main/test/fns/echo-js/package.json",
                    Files.readAllBytes(THEIRS.resolve("fns/echo-js/package.json")))));
    return all.toByteArray();
  }
}
