package io.tinyfaas.benchmark;

import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.Arrays;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import org.HdrHistogram.Histogram;

/**
 * HTTP/1.1 clients on kept connections, for platforms without CoAP. The JDK's client costs several
 * times what {@link CoapLoad} costs, so figures from it are a lower bound for fast targets.
 */
final class HttpLoad implements Load {

  private final URI target;
  private final Rules rules;

  /** The body of the first answer, which all others have to have; null before it. */
  private byte[] expected;

  HttpLoad(URI target, Rules rules) {
    this.target = target;
    this.rules = rules;
    if (rules.payload().isPresent()) {
      expected = BlockTransfer.body(rules.payload().getAsInt());
    }
  }

  private HttpRequest request() {
    HttpRequest.Builder request = HttpRequest.newBuilder(target).timeout(rules.timeout());
    if (rules.calls()) {
      request.header("Prefer", "respond-async");
    }
    return rules.payload().isEmpty()
        ? request.build()
        : request.POST(HttpRequest.BodyPublishers.ofByteArray(expected)).build();
  }

  @Override
  public Outcome run(int clients, int operations) throws InterruptedException {
    long cpu = processCpu();
    try (ExecutorService executor = Executors.newSingleThreadExecutor();
        HttpClient client =
            HttpClient.newBuilder()
                .version(HttpClient.Version.HTTP_1_1)
                .executor(executor)
                .build()) {
      Run run = new Run(client, clients);
      long start = System.nanoTime();
      for (int i = 0; i < clients; i++) {
        run.send(operations);
      }
      run.ended.await();
      Duration elapsed = Duration.ofNanos(System.nanoTime() - start);
      return new Outcome(
          run.latencies,
          run.timeouts,
          run.wrongAnswers,
          elapsed,
          Duration.ofNanos(processCpu() - cpu));
    }
  }

  private static long processCpu() {
    return ProcessHandle.current().info().totalCpuDuration().orElse(Duration.ZERO).toNanos();
  }

  private final class Run {
    private final HttpClient client;
    private final CountDownLatch ended;
    // Of the executor's one thread; the latch makes them visible.
    private final Histogram latencies = Outcome.histogram();
    private long timeouts;
    private long wrongAnswers;
    private final HttpRequest request = request();

    Run(HttpClient client, int clients) {
      this.client = client;
      this.ended = new CountDownLatch(clients);
    }

    void send(int remaining) {
      if (remaining == 0) {
        ended.countDown();
        return;
      }
      long sentAt = System.nanoTime();
      client
          .sendAsync(request, HttpResponse.BodyHandlers.ofByteArray())
          .whenCompleteAsync(
              (response, failure) -> {
                record(response, failure, System.nanoTime() - sentAt);
                send(remaining - 1);
              },
              client.executor().orElseThrow());
    }

    private void record(HttpResponse<byte[]> response, Throwable failure, long latency) {
      if (failure != null || latency > rules.timeout().toNanos()) {
        timeouts++;
      } else if (rules.calls()
          ? response.statusCode() != 202
          : response.statusCode() != 200 || !isExpected(response.body())) {
        wrongAnswers++;
      } else {
        latencies.recordValue(latency);
      }
    }

    private boolean isExpected(byte[] body) {
      if (expected == null) {
        expected = body;
      }
      return Arrays.equals(expected, body);
    }
  }
}
