package io.tinyfaas.harness;

import static io.tinyfaas.harness.Eventually.eventually;
import static org.assertj.core.api.Assertions.assertThat;

import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The program by which the engine asks for the health of manager and gateway. */
class ServiceHealthTest {

  private final AtomicInteger asked = new AtomicInteger();
  private volatile int status = 200;

  private HttpServer service;

  @TempDir Path shared;

  @BeforeEach
  void start() throws IOException {
    service = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    service.createContext(
        "/q/health/ready",
        exchange -> {
          asked.incrementAndGet();
          exchange.sendResponseHeaders(status, -1);
          exchange.close();
        });
    service.start();
  }

  @AfterEach
  void stop() {
    service.stop(0);
  }

  @Test
  void shouldSayAtOnceThatAServiceIsThere() {
    assertThat(health().run().exitCode()).isZero();
    assertThat(asked).hasValue(1);
  }

  @Test
  void shouldSayAtOnceThatAServiceIsNotReady() {
    status = 503;
    assertThat(health().run().exitCode()).isOne();
    assertThat(shared).isEmptyDirectory();
  }

  @Test
  void shouldWatchAServiceThatWasThereUntilItIsNot() throws IOException {
    Files.createFile(shared.resolve("healthy"));
    try (Command.Running watch = health().start()) {
      eventually().untilAsserted(() -> assertThat(asked).hasValueGreaterThan(1));
      assertThat(watch.isAlive()).isTrue();

      status = 503;

      assertThat(watch.awaitExit(Duration.ofSeconds(20))).isOne();
    }
    assertThat(shared).isEmptyDirectory();
  }

  @Test
  void shouldSayThatAServiceIsGone() throws IOException {
    Files.createFile(shared.resolve("healthy"));
    service.stop(0);

    assertThat(health().run().exitCode()).isOne();
    assertThat(shared).isEmptyDirectory();
  }

  private Command health() {
    String port = Integer.toString(service.getAddress().getPort());
    return Command.of("../compose/healthy", "127.0.0.1", port)
        .with(Map.of("TMPDIR", shared.toString()))
        .within(Duration.ofSeconds(20));
  }
}
