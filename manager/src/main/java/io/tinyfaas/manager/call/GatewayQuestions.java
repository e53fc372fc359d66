package io.tinyfaas.manager.call;

import java.time.Duration;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.eclipse.microprofile.reactive.messaging.Emitter;
import org.eclipse.microprofile.reactive.messaging.Message;

/**
 * Questions to the gateway over the broker. Each goes out once, and its answer is known by the
 * question's id: what comes later than anybody waits for it is dropped.
 *
 * @param <R> what the gateway replies
 */
final class GatewayQuestions<R> {

  /** An answer may have a megabyte, and there are operators enough for few of them. */
  static final int MAX = 16;

  private final Emitter<byte[]> channel;
  private final Semaphore places = new Semaphore(MAX);
  private final Map<UUID, CompletableFuture<R>> questions = new ConcurrentHashMap<>();

  GatewayQuestions(Emitter<byte[]> channel) {
    this.channel = channel;
  }

  /** Why there is no answer. */
  enum Reason {
    /** As many questions are asked at this moment as may be. */
    TOO_MANY,
    /** The broker does not take the question. */
    BROKER_AWAY,
    /** The gateway has not answered in time. */
    TIME_UP,
    /** This thread was interrupted, and still is. */
    STOPPING
  }

  /** There is no answer. */
  static final class Unanswered extends Exception {

    private static final long serialVersionUID = 1L;

    private final Reason reason;

    Unanswered(Reason reason, Throwable cause) {
      super(reason.name(), cause);
      this.reason = reason;
    }

    Reason reason() {
      return reason;
    }
  }

  /**
   * Asks, and waits for the answer.
   *
   * @param id of the question, which {@link #answered} has
   * @throws Unanswered if there is none in that time
   */
  R ask(UUID id, byte[] question, Duration timeout) throws Unanswered {
    if (!places.tryAcquire()) {
      throw new Unanswered(Reason.TOO_MANY, null);
    }
    CompletableFuture<R> answer = new CompletableFuture<>();
    questions.put(id, answer);
    try {
      send(question, answer);
      return answer.get(timeout.toMillis(), TimeUnit.MILLISECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new Unanswered(Reason.STOPPING, e);
    } catch (ExecutionException | IllegalStateException e) {
      throw new Unanswered(Reason.BROKER_AWAY, e);
    } catch (TimeoutException e) {
      throw new Unanswered(Reason.TIME_UP, e);
    } finally {
      questions.remove(id);
      places.release();
    }
  }

  private void send(byte[] question, CompletableFuture<R> answer) {
    channel.send(
        Message.of(
            question,
            () -> CompletableFuture.completedFuture(null),
            failure -> {
              answer.completeExceptionally(failure);
              return CompletableFuture.completedFuture(null);
            }));
  }

  /** To be called with each reply. */
  void answered(UUID id, R reply) {
    CompletableFuture<R> question = questions.remove(id);
    if (question != null) {
      question.complete(reply);
    }
  }
}
