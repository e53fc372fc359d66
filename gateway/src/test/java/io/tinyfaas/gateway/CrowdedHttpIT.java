package io.tinyfaas.gateway;

import static io.tinyfaas.harness.Eventually.eventually;
import static org.assertj.core.api.Assertions.assertThat;

import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpServerRequest;
import java.io.IOException;
import java.net.SocketTimeoutException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.TestInstance.Lifecycle;
import org.junit.jupiter.api.io.TempDir;

/**
 * HTTP clients that take all there is and never go on. Nothing ends by its time while a test runs.
 */
@Tag("slow")
@TestInstance(Lifecycle.PER_CLASS)
class CrowdedHttpIT {

  private static final int MAX_CONNECTIONS = 64;

  /** Three quarters of them. */
  private static final int OF_ONE_ADDRESS = 49;

  /** Bodies of a megabyte, of all that invocations have: fewer are let in of one address. */
  private static final int WITH_ROOM = 14;

  private static final String CLOSED = "";

  private ServedGateway system;

  @BeforeAll
  void start(@TempDir Path folder) {
    system =
        new ServedGateway(
            folder,
            Map.of(
                "TINYFAAS_HTTP_MAX_CONNECTIONS", Integer.toString(MAX_CONNECTIONS),
                "TINYFAAS_HTTP_HEADER_TIMEOUT", "1h",
                "TINYFAAS_HTTP_IDLE_TIMEOUT", "1h",
                "TINYFAAS_HTTP_BODY_TIMEOUT", "1h",
                "TINYFAAS_HTTP_SEND_TIMEOUT", "1h"),
            CrowdedHttpIT::function);
    system.serve(PlayedManager.route("f", 600_000, system.handler()));
  }

  /** What another test has had open takes none of the places any more. */
  @BeforeEach
  void awaitRoom() {
    eventually()
        .untilAsserted(
            () ->
                assertThat(system.process().get("/q/metrics").body())
                    .contains("tinyfaas_http_connections 0.0"));
  }

  @AfterAll
  void stop() {
    system.close();
  }

  private static void function(HttpServerRequest request, Buffer body) {
    request.response().end("served");
  }

  private RawHttp connect() throws IOException {
    return new RawHttp(system.process().httpPort());
  }

  private String ask() throws IOException {
    try (RawHttp raw = connect()) {
      return raw.send("GET /f HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").readAll();
    }
  }

  @Test
  void shouldServeWhileAllConnectionsAreTakenByThoseWhoSendNothing() throws IOException {
    List<RawHttp> slow = new ArrayList<>();
    try {
      for (int i = 0; i < 200; i++) {
        slow.add(connect().send("GET /f HTTP/1.1\r\nHost: x\r\nX-Slow: "));
      }

      assertThat(ask()).endsWith("served");
      assertThat(slow.getFirst().readAll()).as("the longest idle one has gone").isEmpty();
      for (RawHttp held : slow.subList(slow.size() - (OF_ONE_ADDRESS - 1), slow.size())) {
        assertThat(held.send("no more\r\nConnection: close\r\n\r\n").readAll())
            .as("there was no other place for the one that was served")
            .endsWith("served");
      }
    } finally {
      for (RawHttp raw : slow) {
        raw.close();
      }
    }
  }

  /** Which of them are those that have room, is as their bytes come: they come all at once. */
  @Test
  void shouldSurviveBodiesThatAreNeverFinished() throws IOException {
    byte[] part = new byte[1_000_000];
    List<RawHttp> slow = new ArrayList<>();
    try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
      List<CompletableFuture<String>> answers = new ArrayList<>();
      for (int i = 0; i < 60; i++) {
        RawHttp raw = connect();
        slow.add(raw);
        answers.add(CompletableFuture.supplyAsync(() -> answer(raw), threads));
        raw.send("POST /f HTTP/1.1\r\nHost: x\r\nContent-Length: 1048576\r\n\r\n");
        raw.offer(part);
      }
      eventually().until(() -> ended(answers).size() >= slow.size() - WITH_ROOM);

      assertThat(ended(answers))
          .isSubsetOf("HTTP/1.1 503 Service Unavailable", CLOSED)
          .contains("HTTP/1.1 503 Service Unavailable");
      for (RawHttp raw : slow) {
        raw.close();
      }
    } finally {
      for (RawHttp raw : slow) {
        raw.close();
      }
    }
    eventually()
        .ignoreExceptionsInstanceOf(IOException.class)
        .untilAsserted(() -> assertThat(ask()).endsWith("served"));
  }

  private static List<String> ended(List<CompletableFuture<String>> answers) {
    return answers.stream().filter(CompletableFuture::isDone).map(CompletableFuture::join).toList();
  }

  private static String answer(RawHttp raw) {
    try {
      return raw.readLine();
    } catch (SocketTimeoutException e) {
      return "none in time";
    } catch (IOException e) {
      return CLOSED;
    }
  }
}
