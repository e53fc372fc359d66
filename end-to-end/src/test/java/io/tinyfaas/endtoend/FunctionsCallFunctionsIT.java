package io.tinyfaas.endtoend;

import static io.restassured.RestAssured.get;
import static io.tinyfaas.harness.Eventually.eventually;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.MethodSource;

/** Functions call functions on the composed system, by the sockets that their handlers have. */
@ParameterizedClass(name = "{0}")
@MethodSource("systems")
class FunctionsCallFunctionsIT {

  /** Asks for what its path says, with its body, and answers the status and what came back. */
  private static final byte[] CALLING =
      Code.node(
          """
          const http = require('node:http')
          const handedOn = ['x-tinyfaas-deadline', 'x-tinyfaas-depth', 'traceparent']
          module.exports = (req, res) => {
            const headers = {}
            for (const name of handedOn) {
              if (req.headers[name]) headers[name] = req.headers[name]
            }
            if (req.headers['x-tinyfaas-query'] === 'durable') headers.prefer = 'respond-async'
            const call = http.request({
              socketPath: process.env.TINYFAAS_CALLS_SOCKET || '/run/tinyfaas-calls/http.sock',
              method: 'POST', path: req.headers['x-tinyfaas-path'], headers
            }, answer => {
              let text = ''
              answer.on('data', d => { text += d })
              answer.on('end', () => res.send(
                answer.statusCode + ' ' + (answer.headers.location || '') + ' ' + text))
            })
            call.on('error', e => res.send(e.code))
            call.end(req.body || '')
          }
          """);

  private final Installation system;

  @RegisterExtension private final Functions functions;

  @TempDir private Path folder;

  private Curl curl;

  FunctionsCallFunctionsIT(Installation system) {
    this.system = system;
    this.functions = new Functions(system);
  }

  static Stream<Installation> systems() {
    return Stream.of(Installation.UNIX, Installation.TCP);
  }

  @BeforeEach
  void start() {
    system.start();
    curl = new Curl(system, folder);
  }

  private void deploy(String name, String calls, byte[] code) {
    functions.deploy(name, Map.of("runtime", "nodejs", "cpus", "0.5", "calls", calls), code);
  }

  private String post(String path, String body) {
    return curl.post(path, body.getBytes(UTF_8)).text();
  }

  @Test
  void shouldAnswerCallers() {
    deploy("hop-leaf", "", Functions.HEADERS);
    deploy("hop-caller", "hop-leaf,hop-gone", CALLING);

    assertThat(curl.ask("hop-caller/functions/hop-leaf/x?y", "-H", "traceparent: 00-7").text())
        .startsWith("200 ")
        .contains(
            "x-tinyfaas-caller: hop-caller",
            "x-tinyfaas-protocol: function",
            "x-tinyfaas-path: /x",
            "traceparent: 00-7")
        .doesNotContain("x-tinyfaas-depth");
    assertThat(post("hop-caller/functions/other", "")).startsWith("403 ").contains("other: add it");
    assertThat(post("hop-caller/functions/hop-gone", "")).startsWith("404 ");
  }

  @Test
  void shouldGoOnWhereTheCalledFunctionIsDeletedAndComesBack() {
    deploy("hop-leaf", "", Code.answering("one"));
    deploy("hop-caller", "hop-leaf", CALLING);
    assertThat(post("hop-caller/functions/hop-leaf", "")).isEqualTo("200  one");

    functions.delete("hop-leaf");
    assertThat(post("hop-caller/functions/hop-leaf", "")).startsWith("404 ");
    deploy("hop-leaf", "", Code.answering("two"));
    assertThat(post("hop-caller/functions/hop-leaf", "")).isEqualTo("200  two");
  }

  @Test
  void shouldKeepCalls() {
    deploy("hop-leaf", "", Code.printing());
    deploy("hop-caller", "hop-leaf", CALLING);
    assertThat(post("hop-caller/functions/hop-leaf?durable", "kept")).startsWith("202 /calls/");

    eventually()
        .untilAsserted(
            () ->
                assertThat(system.rest().get("/functions/hop-leaf/logs").asString())
                    .contains("kept"));
  }

  @Test
  void shouldEndALoop() {
    deploy(
        "hop-loop",
        "hop-loop",
        Code.node(
            """
            const http = require('node:http')
            module.exports = (req, res) => http.request(
              { socketPath: process.env.TINYFAAS_CALLS_SOCKET, path: '/functions/hop-loop',
                method: 'POST', headers: { 'x-tinyfaas-depth': req.headers['x-tinyfaas-depth'] } },
              answer => {
                let text = ''
                answer.on('data', d => { text += d })
                answer.on('end', () => res.send(answer.statusCode === 508
                  ? req.headers['x-tinyfaas-depth'] + ' ' + answer.statusCode : text))
              }).end()
            """));

    assertThat(post("hop-loop", "")).isEqualTo("8 508");
  }

  @Test
  void shouldAnswerAHundredAtOnce() throws ExecutionException, InterruptedException {
    deploy("hop-leaf", "", Code.printing());
    deploy("hop-caller", "hop-leaf", CALLING);
    List<Future<String>> answers = new ArrayList<>();
    try (ExecutorService clients = Executors.newFixedThreadPool(100)) {
      for (int i = 0; i < 100; i++) {
        String body = "body" + i;
        Path own = folder.resolve(body);
        answers.add(
            clients.submit(
                () -> {
                  own.toFile().mkdir();
                  return new Curl(system, own)
                      .post("hop-caller/functions/hop-leaf", body.getBytes(UTF_8))
                      .text();
                }));
      }
    }
    for (int i = 0; i < 100; i++) {
      assertThat(answers.get(i).get()).isEqualTo("200  body" + i);
    }
  }

  @Test
  void shouldBeDoneWhereTheCallerIsKilledMeanwhile() {
    deploy(
        "hop-leaf",
        "",
        Code.node(
            "module.exports = (req, res) =>"
                + " setTimeout(() => { console.log('done'); res.send('') }, 2000)"));
    deploy("hop-caller", "hop-leaf", CALLING);
    Thread asking = Thread.ofVirtual().start(() -> post("hop-caller/functions/hop-leaf", "go"));
    eventually()
        .untilAsserted(
            () ->
                assertThat(get(system.gatewayUri("/q/metrics")).asString())
                    .contains("tinyfaas_in_flight 2.0"));
    system.docker("kill", system.handlers("hop-caller").getFirst());

    eventually()
        .untilAsserted(
            () ->
                assertThat(system.rest().get("/functions/hop-leaf/logs").asString())
                    .contains("done"));
    asking.interrupt();
    eventually()
        .untilAsserted(
            () -> assertThat(post("hop-caller/functions/hop-leaf", "")).startsWith("200 "));
  }

  @Test
  void shouldBeOutOfReachOfOthersAndNotBeWritable() {
    deploy("hop-caller", "hop-leaf", CALLING);
    deploy("hop-other", "", CALLING);
    deploy(
        "hop-writer",
        "hop-leaf",
        Code.node(
            """
            const fs = require('node:fs')
            const tried = f => { try { f(); return 'done' } catch (e) { return e.code } }
            module.exports = (req, res) => res.send([
              tried(() => fs.writeFileSync('/run/tinyfaas-calls/x', '')),
              tried(() => fs.unlinkSync('/run/tinyfaas-calls/http.sock')),
              tried(() => fs.chmodSync('/run/tinyfaas-calls/http.sock', 0)),
              fs.readdirSync('/run/tinyfaas-calls'), fs.readdirSync('/run/tinyfaas-calls/..')
            ].join(' '))
            """));

    assertThat(post("hop-other/functions/hop-leaf", "")).isEqualTo("ENOENT");
    assertThat(post("hop-writer", ""))
        .startsWith("EROFS EROFS EROFS http.sock ")
        .doesNotContain("hop-caller");
  }
}
