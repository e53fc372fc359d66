package io.tinyfaas.endtoend;

import static io.tinyfaas.harness.Eventually.eventually;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.restassured.response.Response;
import java.nio.file.Path;
import java.util.Map;
import java.util.Random;
import org.eclipse.californium.core.CoapResponse;
import org.eclipse.californium.core.coap.CoAP.ResponseCode;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;

/** What the runtime go does beyond what every runtime does. */
class GoIT {

  @RegisterExtension private static final Installation SYSTEM = Installation.UNIX;

  @RegisterExtension private final Functions functions = new Functions(SYSTEM);

  @RegisterExtension private final Device device = new Device(SYSTEM);

  @TempDir private Path folder;

  private void deploy(String name, Map<String, String> files) {
    functions.deploy(name, Map.of("runtime", "go"), Code.of(files));
  }

  private static byte[] fn(String code) {
    return Code.of(Map.of("fn.go", "package main\n" + code));
  }

  /** Deploys one that works first, which the runtime's build may be waited for with. */
  private Response refuse(byte[] archive) {
    Map<String, String> go = Map.of("runtime", "go");
    functions.deploy(
        "refused",
        go,
        fn("func fn(s string, h map[string]string) (string, error) { return s, nil }"));
    return functions.put("refused", go, archive);
  }

  @Test
  void shouldCarryBytes() {
    deploy(
        "bytes",
        Map.of(
            "fn.go",
            "package main\nfunc fn(data []byte, headers map[string]string) ([]byte, error) { return data, nil }"));
    for (int size : new int[] {0, 1, 512 * 1024}) {
      byte[] body = new byte[size];
      new Random(size).nextBytes(body);
      assertThat(device.post("bytes", body).getPayload()).isEqualTo(body);
    }
  }

  @Test
  void shouldNameHeadersAsGoDoes() {
    deploy(
        "named",
        Map.of(
            "fn.go",
            "package main\nfunc fn(data string, headers map[string]string) (string, error) {"
                + " return headers[\"User-Agent\"] + \" \" + headers[\"X-Tinyfaas-Protocol\"], nil }"));

    Curl.Answer answer = new Curl(SYSTEM, folder).ask("named", "--user-agent", "probe/1");

    assertThat(answer.text()).isEqualTo("probe/1 http");
    assertThat(answer.headers().toLowerCase()).contains("content-type: text/plain; charset=utf-8");
  }

  @Test
  void shouldShowAFunctionOfNetHttpWhatWasAsked() {
    deploy(
        "asked",
        Map.of(
            "fn.go",
            "package main\nimport (\"fmt\"; \"io\"; \"net\"; \"net/http\")\n"
                + "func fn(w http.ResponseWriter, r *http.Request) {"
                + " mux := http.NewServeMux()\n"
                + " mux.HandleFunc(\"PUT /rooms/{room}\", func(w http.ResponseWriter, r *http.Request) {"
                + " body, _ := io.ReadAll(r.Body)\n _, _, err := net.SplitHostPort(r.RemoteAddr)\n"
                + " fmt.Fprint(w, r.PathValue(\"room\"), \" \", r.URL.Query()[\"lamp\"], \" \", r.RequestURI, \" \", string(body), \" \", err) })\n"
                + " mux.HandleFunc(\"HEAD /{$}\", func(w http.ResponseWriter, r *http.Request) { w.Header().Set(\"X-Seen\", r.Method+r.URL.Path) })\n"
                + " mux.ServeHTTP(w, r) }"));
    Curl curl = new Curl(SYSTEM, folder);

    assertThat(
            curl.ask("asked/rooms/a%20b?lamp=1+2&lamp=3", "--request", "PUT", "--data", "on")
                .text())
        .isEqualTo("a b [1 2 3] /rooms/a%20b?lamp=1+2&lamp=3 on <nil>");
    assertThat(curl.ask("asked", "--head").headers().toLowerCase()).contains("x-seen: head/");
    assertThat(curl.ask("asked/elsewhere").status()).isEqualTo(404);
  }

  @Test
  void shouldJoinTheValuesOfAHeader() {
    deploy(
        "joined",
        Map.of(
            "fn.go",
            "package main\nfunc fn(data string, headers map[string]string) (string, error) {"
                + " return headers[\"X-Lamp\"], nil }"));

    assertThat(
            new Curl(SYSTEM, folder)
                .ask("joined", "--header", "X-Lamp: 1", "--header", "X-Lamp: 2")
                .text())
        .isEqualTo("1, 2");
  }

  @Test
  void shouldUseFilesPackagesAndAModuleOfTheArchive() {
    deploy(
        "parts",
        Map.of(
            "go.mod", "module example.com/parts\n\ngo 1.22\n",
            "fn.go",
                "package main\nimport (\"encoding/json\"; \"example.com/parts/deep\")\n"
                    + "func fn(data string, headers map[string]string) (string, error) {"
                    + " all, err := json.Marshal(map[string]string{\"is\": deep.Twice(other(data))}); return string(all), err }",
            "other.go", "package main\nfunc other(s string) string { return s + \"!\" }",
            "deep/twice.go", "package deep\nfunc Twice(s string) string { return s + s }"));

    assertThat(device.post("parts", "a".getBytes(UTF_8)).getResponseText())
        .isEqualTo("{\"is\":\"a!a!\"}");
  }

  @Test
  void shouldAnswerAPanicWithItsMessageAndLogWhereItWas() {
    deploy(
        "panics",
        Map.of(
            "fn.go",
            "package main\nfunc fn(data string, headers map[string]string) (string, error) {\n"
                + " var none map[string]int\n none[data]++\n return \"\", nil }"));

    CoapResponse response = device.post("panics", "x".getBytes(UTF_8));

    assertThat(response.getCode()).isEqualTo(ResponseCode.INTERNAL_SERVER_ERROR);
    assertThat(response.getResponseText()).isEqualTo("assignment to entry in nil map");
    eventually()
        .untilAsserted(
            () ->
                assertThat(SYSTEM.rest().get("/functions/panics/logs").asString())
                    .contains("panic: assignment to entry in nil map")
                    .contains("fn.go:4"));
    assertThat(device.post("panics", "x".getBytes(UTF_8)).getCode())
        .isEqualTo(ResponseCode.INTERNAL_SERVER_ERROR);
  }

  @Test
  void shouldTellWhatDoesNotCompile() {
    Response answer =
        refuse(fn("func fn(s string, h map[string]string) (string, error) { return 7, nil }"));

    assertThat(answer.statusCode()).isEqualTo(422);
    assertThat(answer.path("type").toString()).endsWith("build-failed");
    assertThat(answer.jsonPath().getList("output", String.class))
        .anyMatch(line -> line.contains("fn.go:2") && line.contains("cannot use 7"));
  }

  @Test
  void shouldTellWhatAFunctionMayBe() {
    Response answer = refuse(fn("func fn(s string) string { return s }"));

    assertThat(answer.statusCode()).isEqualTo(422);
    assertThat(answer.jsonPath().getList("output", String.class).toString())
        .contains("func(s string) string does not satisfy tinyfaasFunction")
        .contains("func(string, map[string]string) (string, error)");
  }

  @Test
  void shouldTellThatThereIsNoC() {
    String c = "// int one() { return 1; }\nimport \"C\"\n";
    Response answer =
        refuse(fn(c + "func fn(s string, h map[string]string) (string, error) { return s, nil }"));

    assertThat(answer.statusCode()).isEqualTo(422);
    assertThat(answer.jsonPath().getList("output", String.class))
        .contains("fn.go imports C, and there is no C compiler here: it is left out.");
  }

  @Test
  void shouldTellThatAnotherPackageIsNone() {
    Response answer = refuse(Code.of(Map.of("fn.go", "package hello\nfunc fn() {}")));

    assertThat(answer.statusCode()).isEqualTo(422);
    assertThat(answer.jsonPath().getList("output", String.class))
        .contains("The function's package is called hello: begin its files with 'package main'.");
  }
}
