package io.tinyfaas.endtoend;

import static io.tinyfaas.harness.Eventually.patient;

import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** A device that asks a function each second, and sends again what is not acknowledged. */
final class SteadyDevice implements AutoCloseable {

  private static final Duration EACH = Duration.ofSeconds(1);
  private static final Duration ANSWER = Duration.ofSeconds(20);

  private final int port;
  private final String function;
  private final String answer;
  private final List<Duration> answered = new ArrayList<>();
  private final List<String> failures = new ArrayList<>();
  private final Thread thread = Thread.ofPlatform().name("device").unstarted(this::run);
  private volatile boolean ended;

  /**
   * @param answer the only right one
   */
  SteadyDevice(Installation system, String function, String answer) {
    this.port = system.coapPort();
    this.function = function;
    this.answer = answer;
    thread.start();
  }

  private void run() {
    try (RawDevice device = new RawDevice(port)) {
      while (!ended) {
        long begin = System.nanoTime();
        String outcome = ask(device);
        Duration took = Duration.ofNanos(System.nanoTime() - begin);
        synchronized (this) {
          if (outcome.equals("2.05 " + answer)) {
            answered.add(took);
          } else {
            failures.add(outcome + " after " + took.toMillis() + " ms");
          }
        }
        Thread.sleep(Math.max(0, EACH.minus(took).toMillis()));
      }
    } catch (IOException e) {
      failures.add(e.toString());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private String ask(RawDevice device) {
    try {
      Optional<RawDevice.Answer> came = device.get(function, patient(ANSWER));
      return came.map(one -> one.code() + " " + one.text()).orElse("no answer");
    } catch (IOException e) {
      return "the gateway's port is closed";
    }
  }

  /** What it got that was no right answer. */
  synchronized List<String> failures() {
    return List.copyOf(failures);
  }

  /** How many were right, and how many of them took longer than this. */
  synchronized String summary() {
    return "%d answered, %d after more than a second, the slowest after %d ms, %d failed"
        .formatted(
            answered.size(),
            answered.stream().filter(took -> took.compareTo(EACH) > 0).count(),
            answered.stream().mapToLong(Duration::toMillis).max().orElse(0),
            failures.size());
  }

  @Override
  public void close() {
    ended = true;
    try {
      thread.join();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
