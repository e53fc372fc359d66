package io.tinyfaas.endtoend;

import static io.tinyfaas.harness.Eventually.eventually;
import static io.tinyfaas.harness.Eventually.patient;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What functions print, read by REST. */
class FunctionLogsIT {

  @RegisterExtension private static final Installation SYSTEM = Installation.UNIX;

  @RegisterExtension private final Functions functions = new Functions(SYSTEM);

  @RegisterExtension private final Device device = new Device(SYSTEM);

  @Test
  void shouldShowTheLastLinesThatWerePrinted() {
    functions.deploy("printing", Code.printing());
    for (String line : List.of("one", "two", "three", "Grüße, 世界")) {
      device.post("printing", line.getBytes(UTF_8));
    }
    String handler = functions.handlers("printing").getFirst();
    String start = "function=printing handler=" + handler + " ";

    eventually()
        .untilAsserted(
            () ->
                assertThat(
                        SYSTEM
                            .rest()
                            .get("/functions/printing/logs?tail=2")
                            .then()
                            .statusCode(200)
                            .extract()
                            .asString()
                            .lines())
                    .satisfiesExactly(
                        line -> assertThat(line).startsWith(start).endsWith("Z three"),
                        line -> assertThat(line).startsWith(start).endsWith("Z Grüße, 世界")));
  }

  @Test
  void shouldShowEveryLineHoweverMuchIsPrintedAtOnce() throws Exception {
    functions.deploy(
        "talkative",
        Code.node(
            "module.exports = (req, res) => { for (let i = 1; i <= 9999; i++) console.log('line ' + i);"
                + " console.log('last ' + 'ü'.repeat(5000)); res.send('done'); };"));

    try (HttpClient client = HttpClient.newHttpClient()) {
      InputStream stream = follow(client, "talkative", "follow");
      device.post("talkative", new byte[0]);
      List<String> followed =
          new BufferedReader(new InputStreamReader(stream, UTF_8)).lines().limit(10_000).toList();
      List<String> shown =
          SYSTEM.rest().get("/functions/talkative/logs?tail=10000").asString().lines().toList();

      assertThat(shown).isEqualTo(followed).hasSize(10_000);
      assertThat(shown.getFirst()).endsWith("Z line 1");
      assertThat(shown.getLast()).endsWith("Z last " + "ü".repeat(5000));
      client.shutdownNow();
    }
  }

  @Test
  void shouldSayWhatFollowMayBe() {
    functions.deploy("unclear", Code.printing());

    Problems.assertProblem(
        SYSTEM.rest().get("/functions/unclear/logs?follow=yes"),
        400,
        "invalid-request",
        "follow is true or false");
  }

  @ParameterizedTest
  @ValueSource(strings = {"many", "-1", "10001"})
  void shouldBoundHowManyLinesAreShown(String tail) {
    functions.deploy("bounded", Code.printing());

    Problems.assertProblem(
        SYSTEM.rest().queryParam("tail", tail).get("/functions/bounded/logs"),
        400,
        "invalid-request",
        "tail is a number from 0 to 10000");
  }

  @Test
  void shouldShowLinesAsTheyArePrintedAlsoByANewVersion() throws Exception {
    functions.deploy("followed", Code.printing());
    try (HttpClient client = HttpClient.newHttpClient()) {
      InputStream stream = follow(client, "followed", "tail=0&follow=true");
      BlockingQueue<String> lines = new LinkedBlockingQueue<>();
      Thread.startVirtualThread(() -> read(stream, lines));

      // Some may be printed before the follower is there.
      eventually()
          .until(
              () -> {
                device.post("followed", "ready".getBytes(UTF_8));
                return lines.poll(300, TimeUnit.MILLISECONDS);
              },
              line -> line != null && line.endsWith(" ready"));
      for (String text : List.of("first", "second")) {
        device.post("followed", text.getBytes(UTF_8));
        assertThat(afterReady(lines)).endsWith(" " + text);
      }
      functions.patch("followed", "{\"environment\":{\"A\":\"new\"}}").then().statusCode(200);
      device.post("followed", "third".getBytes(UTF_8));
      assertThat(afterReady(lines))
          .contains("handler=" + functions.handlers("followed").getLast())
          .endsWith(" third");
      stream.close();
      client.shutdownNow();
    }
  }

  /** The next line, but for those that are late of what was printed to find out. */
  private static String afterReady(BlockingQueue<String> lines) throws InterruptedException {
    String line;
    do {
      line = lines.poll(patient(Duration.ofSeconds(20)).toMillis(), TimeUnit.MILLISECONDS);
    } while (line != null && line.endsWith(" ready"));
    return line;
  }

  private static InputStream follow(HttpClient client, String function, String query)
      throws Exception {
    HttpRequest request =
        HttpRequest.newBuilder(
                URI.create(
                    "http://127.0.0.1:%d/functions/%s/logs?%s"
                        .formatted(SYSTEM.managerPort(), function, query)))
            .header("Authorization", "Bearer " + SYSTEM.token())
            .build();
    return client.send(request, BodyHandlers.ofInputStream()).body();
  }

  private static void read(InputStream stream, BlockingQueue<String> lines) {
    try (BufferedReader reader =
        new BufferedReader(new InputStreamReader(stream, StandardCharsets.UTF_8))) {
      for (String line = reader.readLine(); line != null; line = reader.readLine()) {
        lines.add(line);
      }
    } catch (IOException e) {
      // The test has left.
    }
  }
}
