package io.tinyfaas.manager;

import static io.tinyfaas.harness.Eventually.patient;
import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.Socket;
import java.net.SocketException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * What cannot be read, from anybody who reaches the port: one precise problem, or the connection's
 * end, and nothing in the log that has more than a line.
 */
@Tag("slow")
class UnreadableRequestsIT {

  private static final String TOKEN = "Authorization: Bearer a-token-for-tests-only\r\n";
  private static final int PATIENCE = (int) patient(Duration.ofSeconds(20)).toMillis();

  private static ManagerProcess manager;

  @BeforeAll
  static void start() {
    manager = new ManagerProcess();
  }

  @AfterAll
  static void stop() throws IOException {
    manager.close();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "PRI * HTTP/2.0|505",
        "GET / HTTP/3.0|505",
        "GET / HTTP/x|400",
        "GET /|400",
        "\u0016\u0003\u0001\u0002|400",
        "G(T / HTTP/1.1|400",
        "GET /a b HTTP/1.1|400",
        "GET * HTTP/1.1|400",
        "OPTIONS * HTTP/1.1|400",
        "CONNECT a:443 HTTP/1.1|400",
        "GET functions HTTP/1.1|400",
        "GET ?a=b HTTP/1.1|400",
        "GET http://[::1/functions HTTP/1.1|400",
        "GET // HTTP/1.1|400",
        "GET /functions/% HTTP/1.1|400",
        "PUT /functions/%zz HTTP/1.1|400",
        "GET /functions?a=% HTTP/1.1|400",
        "GET /functions/{a} HTTP/1.1|400",
        "GET /functions\\a HTTP/1.1|400",
        "GET /q/swagger-ui/% HTTP/1.1|400",
      })
  void shouldSayWhatIsWrongWithTheFirstLine(String line, int status) throws IOException {
    shouldBeProblem(line, "Host: h\r\n", "", status);
    shouldBeProblem(line, "Host: h\r\n" + TOKEN, "", status);
  }

  @ParameterizedTest
  @CsvSource({
    "'', 400",
    "Host: a~Host: b, 400",
    "Host: a b, 400",
    "Host: a:99999999999, 400",
    "Host: h~no colon, 400",
    "Host: h~a : b, 400",
    "' Host: h', 400",
    "Host: h~Content-Length: x, 400",
    "Host: h~Content-Length: -1, 400",
    "Host: h~Content-Length: 1~Content-Length: 2, 400",
    "Host: h~Transfer-Encoding: gzip, 501",
  })
  void shouldSayWhatIsWrongWithAField(String fields, int status) throws IOException {
    String all = fields.isEmpty() ? "" : fields.replace("~", "\r\n") + "\r\n";
    for (String path : List.of("/functions", "/q/health/live", "/q/openapi")) {
      shouldBeProblem("GET " + path + " HTTP/1.1", all, "", status);
      shouldBeProblem("GET " + path + " HTTP/1.1", all + TOKEN, "", status);
    }
  }

  @Test
  void shouldSayThatAHeadIsTooLarge() throws IOException {
    shouldBeProblem("GET /" + "a".repeat(5_000) + " HTTP/1.1", "Host: h\r\n", "", 414);
    shouldBeProblem("GET / HTTP/1.1", "Host: h\r\na: " + "b".repeat(5_000) + "\r\n", "", 431);
  }

  /** HTTP/1.0 has no need of one. */
  @Test
  void shouldAnswerHealthWithoutHost() throws IOException {
    assertThat(exchange("GET /q/health/live HTTP/1.0\r\n\r\n", false)).startsWith("HTTP/1.0 200");
    shouldBeProblem("GET /functions HTTP/1.0", TOKEN, "", 400);
  }

  static Stream<String> bodies() {
    List<String> bodies = new ArrayList<>();
    bodies.add("[".repeat(100_000));
    bodies.add("{\"a\":".repeat(100_000));
    bodies.add("{\"environment\":" + "{\"a\":".repeat(50_000) + "1" + "}".repeat(50_001));
    bodies.add("{\"handlers\": " + "9".repeat(1_000_000) + "}");
    bodies.add("{\"handlers\": 1e999999999}");
    bodies.add("{\"" + "a".repeat(1_000_000) + "\": 1}");
    bodies.add("{\"cpus\": NaN}");
    bodies.add("{\"runtime\": \"\\ud800\"}");
    bodies.add("{\"runtime\": \"\u00ff\"}");
    bodies.add("{} {}");
    return bodies.stream();
  }

  @ParameterizedTest
  @MethodSource("bodies")
  void shouldSayWhatIsWrongWithABody(String body) throws IOException {
    String length = "Host: h\r\nContent-Length: " + body.length() + "\r\n";
    String json = length + "Content-Type: application/json\r\n";
    shouldBeProblem("PATCH /functions/x HTTP/1.1", json, body, 401);
    shouldBeProblem("PUT /devices/x HTTP/1.1", json + TOKEN, body, 400);
    String part =
        "--b\r\nContent-Disposition: form-data; name=\"%s\"; filename=\"f\"\r\n\r\n%s\r\n";
    String form = part.formatted("spec", body) + part.formatted("archive", "PK") + "--b--\r\n";
    shouldBeForm("multipart/form-data; boundary=b", form, 400);
  }

  @ParameterizedTest
  @CsvSource({
    ";;, 415",
    "a/b/c;charset=\", 415",
    "multipart/form-data, 400",
    "multipart/form-data; boundary=, 400",
    "multipart/form-data; boundary=zz, 400",
  })
  void shouldSayWhatIsWrongWithAMediaType(String type, int status) throws IOException {
    shouldBeForm(type, "--b\r\n\r\n{}\r\n--b--\r\n", status);
  }

  @ParameterizedTest
  @CsvSource({
    "form-data",
    "form-data; name=archive; filename*=zz''%zz",
    "form-data; name=spec; filename=\"../../../x\"",
    "zz",
  })
  void shouldSayWhatIsWrongWithAPart(String disposition) throws IOException {
    String part = "--b\r\nContent-Disposition: " + disposition + "\r\n\r\n{}\r\n--b--\r\n";
    shouldBeForm("multipart/form-data; boundary=b", part, 400);
  }

  private static void shouldBeForm(String type, String form, int status) throws IOException {
    String fields =
        "Host: h\r\nContent-Type: " + type + "\r\nContent-Length: " + form.length() + "\r\n";
    shouldBeProblem("PUT /functions/x HTTP/1.1", fields + TOKEN, form, status);
  }

  @ParameterizedTest
  @CsvSource({
    "Transfer-Encoding: chunked, zz~abc~0~~",
    "Transfer-Encoding: chunked, -5~abc~0~~",
    "Transfer-Encoding: chunked, fffffffffffffffff~abc~0~~",
    "Transfer-Encoding: chunked, 2~{}~0~no colon~~",
    "Transfer-Encoding: chunked, 200~{}",
    "Content-Length: 2000, {}",
  })
  void shouldOutliveABodyThatBreaksOff(String length, String body) throws IOException {
    for (String call : List.of("PATCH /functions/x", "PUT /devices/x", "PUT /functions/x")) {
      for (String token : List.of("", TOKEN)) {
        String type = call.startsWith("PUT /f") ? "application/zip" : "application/json";
        String answer =
            exchange(
                call
                    + " HTTP/1.1\r\nHost: h\r\nContent-Type: "
                    + type
                    + "\r\n"
                    + token
                    + length
                    + "\r\n\r\n"
                    + body.replace("~", "\r\n"),
                true);
        assertThat(answer).matches("(?s)|HTTP/1\\.1 4.*problem\\+json.*");
      }
    }
    shouldHaveLines();
  }

  private static void shouldBeProblem(String line, String fields, String body, int status)
      throws IOException {
    String answer = exchange(line + "\r\n" + fields + "Connection: close\r\n\r\n" + body, false);
    assertThat(answer)
        .as(line)
        .matches("(?s)HTTP/1\\.[01] " + status + " .*")
        .containsIgnoringCase("content-type: application/problem+json")
        .contains("\"status\":" + status, "\"detail\":\"");
    assertThat(answer.split("HTTP/1\\.[01] \\d", -1)).as(answer).hasSize(2);
    shouldHaveLines();
  }

  /** Of all that came. */
  private static void shouldHaveLines() {
    assertThat(manager.log())
        .filteredOn(logged -> logged.startsWith("\tat ") || logged.length() > 1_000)
        .isEmpty();
    assertThat(manager.log()) // its engine is away all the time
        .filteredOn(logged -> logged.contains("event=start-delayed"))
        .hasSizeLessThan(2);
    assertThat(manager.isAlive()).isTrue();
  }

  /**
   * @param ends whether nothing more comes, ever
   */
  private static String exchange(String request, boolean ends) throws IOException {
    try (Socket socket = new Socket("127.0.0.1", manager.port())) {
      socket.setSoTimeout(PATIENCE);
      try {
        socket.getOutputStream().write(request.getBytes(ISO_8859_1));
        if (ends) {
          socket.shutdownOutput();
        }
      } catch (SocketException e) {
        // It has been answered already.
      }
      return new String(socket.getInputStream().readAllBytes(), ISO_8859_1);
    }
  }
}
