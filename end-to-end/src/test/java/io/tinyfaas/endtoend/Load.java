package io.tinyfaas.endtoend;

import static io.tinyfaas.harness.Eventually.patient;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicLongArray;
import java.util.function.IntSupplier;

/**
 * Devices that ask a function in a closed loop: each sends its next request when the one before has
 * ended. The function answers a number; an answer below what was asked for when the request was
 * sent is wrong.
 */
final class Load implements AutoCloseable {

  /** No answer within this time is a failure, though the device has sent its request again. */
  private static final Duration PATIENCE = patient(Duration.ofSeconds(30));

  /**
   * @param sent by {@link System#nanoTime}
   * @param outcome the code, or what was wrong
   */
  record Failure(long sent, String outcome) {}

  private final String function;
  private final IntSupplier atLeast;
  private final List<Thread> devices = new ArrayList<>();
  private final AtomicLongArray answered;
  private final Queue<Failure> failures = new ConcurrentLinkedQueue<>();
  private volatile boolean ended;

  /**
   * @param atLeast the lowest number that is a right answer to a request sent now
   */
  Load(Installation system, String function, int clients, IntSupplier atLeast) {
    this.function = function;
    this.atLeast = atLeast;
    this.answered = new AtomicLongArray(clients);
    for (int n = 0; n < clients; n++) {
      int number = n;
      devices.add(Thread.startVirtualThread(() -> run(system.coapPort(), number)));
    }
  }

  private void run(int port, int number) {
    try (RawDevice device = new RawDevice(port)) {
      while (!ended) {
        int lowest = atLeast.getAsInt();
        long sent = System.nanoTime();
        String outcome = outcome(device, lowest);
        if (outcome.isEmpty()) {
          answered.incrementAndGet(number);
        } else {
          failures.add(new Failure(sent, outcome));
        }
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Empty if the answer is right. */
  private String outcome(RawDevice device, int lowest) {
    Optional<RawDevice.Answer> answer;
    try {
      answer = device.get(function, PATIENCE);
    } catch (IOException e) {
      return "the gateway's port is closed";
    }
    if (answer.isEmpty()) {
      return "no answer";
    }
    if (!answer.get().code().equals("2.05")) {
      return answer.get().code() + " " + answer.get().text();
    }
    int found = Integer.parseInt(answer.get().text());
    return found >= lowest ? "" : found + " instead of " + lowest;
  }

  /** Right answers so far, of each device. */
  List<Long> perDevice() {
    List<Long> counts = new ArrayList<>();
    for (int n = 0; n < answered.length(); n++) {
      counts.add(answered.get(n));
    }
    return counts;
  }

  List<Failure> failures() {
    return List.copyOf(failures);
  }

  /** Lets each device end its request. */
  void end() {
    ended = true;
    for (Thread device : devices) {
      try {
        device.join();
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        throw new IllegalStateException(e);
      }
    }
  }

  @Override
  public void close() {
    end();
  }
}
