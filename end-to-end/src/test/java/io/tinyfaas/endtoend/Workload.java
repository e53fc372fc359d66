package io.tinyfaas.endtoend;

import static io.tinyfaas.harness.Eventually.patient;
import static io.tinyfaas.harness.Eventually.within;
import static org.assertj.core.api.Assertions.assertThat;

import io.restassured.response.Response;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import org.eclipse.californium.core.CoapResponse;
import org.eclipse.californium.core.coap.CoAP.Code;
import org.eclipse.californium.core.coap.Request;
import org.eclipse.californium.core.config.CoapConfig;
import org.eclipse.californium.core.network.CoapEndpoint;
import org.eclipse.californium.elements.config.Configuration;

/**
 * Functions of one system and how each of them answers a GET, to be watched while something is
 * broken.
 */
final class Workload implements AutoCloseable {

  /** A function of it answers within a few milliseconds, on a box that is not busy. */
  private static final long PROBE_MILLIS = 300;

  /** What a probe may take of the time that has been waited, on one that is. */
  private static final double PROBE_PART = 0.1;

  private static final Duration ANSWER = Duration.ofSeconds(20);

  /** Of a device in the background: without it, it would run out of message IDs (RFC 7252, 4.4). */
  private static final long PAUSE_NANOS = 5_000_000;

  /** No answer, or one that says that something went wrong; no function answers this. */
  private static final String NONE = "(none)";

  private final Installation system;
  private final CoapEndpoint endpoint;
  private final Map<String, String> answers = new ConcurrentSkipListMap<>();

  Workload(Installation system) {
    CoapConfig.register();
    this.system = system;
    this.endpoint =
        CoapEndpoint.builder().setConfiguration(Configuration.createStandardWithoutFile()).build();
    try {
      endpoint.start();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Deploys a function, or a new version of it, that answers with a text that begins like this. */
  Workload with(String function, String query, byte[] zip, String answer) {
    Response deployed =
        system
            .rest()
            .contentType("application/zip")
            .body(zip)
            .put("/functions/" + function + "?" + query);
    assertThat(deployed.statusCode()).as(deployed.asString()).isIn(200, 201);
    answers.put(function, answer);
    return this;
  }

  /**
   * Deploys in the background.
   *
   * @return completes with the status, or exceptionally when the manager has gone
   */
  static CompletableFuture<Integer> put(
      Installation system, String function, String query, byte[] zip) {
    return CompletableFuture.supplyAsync(
        () ->
            system
                .rest()
                .contentType("application/zip")
                .body(zip)
                .put("/functions/" + function + "?" + query)
                .statusCode());
  }

  /** Deletes a function. */
  void without(String function) {
    answers.remove(function);
    system.rest().delete("/functions/" + function).then().statusCode(204);
  }

  /**
   * Waits until all functions answer, one after the other, without a failure between them.
   *
   * @param what is printed with the time that it took
   * @param since {@link System#nanoTime} when the damage was done
   * @param quiet how long it may take on a quiet machine
   */
  void awaitBack(String what, long since, Duration quiet) {
    within(quiet)
        .alias(what)
        .until(
            () ->
                answers.entrySet().stream()
                    .allMatch(
                        e -> answer(e.getKey(), probeMillis(since)).startsWith(e.getValue())));
    System.out.printf(
        "back: %-20s %-60s %6d ms%n",
        system.project(), what, (System.nanoTime() - since) / 1_000_000);
  }

  private static long probeMillis(long since) {
    double waited = (System.nanoTime() - since) / 1e6;
    return Math.max(PROBE_MILLIS, Math.round(waited * PROBE_PART));
  }

  /** Whether a function answers now: to see that it does not. */
  boolean answers(String function) {
    return !answer(function, PROBE_MILLIS).equals(NONE);
  }

  /** What a function answers. */
  String answer(String function) {
    return answer(function, patient(ANSWER).toMillis());
  }

  private String answer(String function, long millis) {
    // Not confirmable: nothing is sent again after a pause that would be measured, too.
    Request request = new Request(Code.GET);
    request.setConfirmable(false);
    request.setURI(system.coapUri(function));
    request.send(endpoint);
    try {
      var response = request.waitForResponse(millis);
      return response != null && response.isSuccess() ? response.getPayloadString() : NONE;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException(e);
    } finally {
      request.cancel();
    }
  }

  /** Waits until the manager, too, says that the function has so many handlers, all healthy. */
  void awaitHealthy(String function, int handlers) {
    within(Duration.ofSeconds(60))
        .alias(function)
        .ignoreExceptions()
        .untilAsserted(
            () ->
                assertThat(
                        system
                            .rest()
                            .get("/functions/" + function)
                            .jsonPath()
                            .getList("handlers.health", String.class))
                    .hasSize(handlers)
                    .containsOnly("healthy"));
  }

  /** Invokes all functions without end from now on, one after the other. */
  Traffic traffic() {
    return new Traffic();
  }

  @Override
  public void close() {
    endpoint.destroy();
  }

  /** Invocations in the background, as a device makes them. */
  final class Traffic implements AutoCloseable {

    private final Device device = new Device(system);
    private final AtomicInteger answered = new AtomicInteger();
    private final ConcurrentLinkedQueue<String> failures = new ConcurrentLinkedQueue<>();
    private final Thread thread = Thread.ofPlatform().name("traffic").start(this::run);
    private volatile boolean stopped;

    private void run() {
      while (!stopped) {
        answers.forEach(
            (function, answer) -> {
              String outcome = ask(function);
              if (outcome.startsWith(answer)) {
                answered.incrementAndGet();
              } else {
                failures.add(function + ": " + outcome);
              }
              LockSupport.parkNanos(PAUSE_NANOS);
            });
      }
    }

    private String ask(String function) {
      try {
        CoapResponse response = device.get(function);
        return response == null
            ? "no answer"
            : response.isSuccess()
                ? response.getResponseText()
                : response.getCode() + " " + response.getResponseText();
      } catch (RuntimeException e) {
        return e.toString();
      }
    }

    /** Returns when so many more have been answered. */
    void awaitMore(int invocations) {
      int goal = answered.get() + invocations;
      within(Duration.ofSeconds(60)).until(() -> answered.get() >= goal);
    }

    List<String> failures() {
      return List.copyOf(failures);
    }

    /** Ends it, and fails if one invocation did. */
    @Override
    public void close() {
      stopped = true;
      try {
        thread.join();
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      }
      device.switchOff();
      assertThat(failures).as("failed invocations beside %s good ones", answered).isEmpty();
    }
  }
}
