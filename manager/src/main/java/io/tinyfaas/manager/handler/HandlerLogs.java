package io.tinyfaas.manager.handler;

import com.github.dockerjava.api.DockerClient;
import com.github.dockerjava.api.command.LogContainerCmd;
import io.smallrye.mutiny.Multi;
import io.smallrye.mutiny.subscription.BackPressureStrategy;
import io.smallrye.mutiny.subscription.MultiEmitter;
import io.tinyfaas.contract.route.FunctionName;
import io.tinyfaas.manager.engine.Engine;
import io.tinyfaas.manager.engine.LongCalls;
import io.tinyfaas.manager.problem.ProblemException;
import io.tinyfaas.manager.problem.ProblemType;
import jakarta.enterprise.context.ApplicationScoped;
import java.io.Closeable;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;

/** What a function's handlers print. */
@ApplicationScoped
public class HandlerLogs {

  /** How soon a follower is shown the lines of a handler that was started later. */
  private static final Duration LOOK_AGAIN = Duration.ofSeconds(1);

  /**
   * Each has a connection to the engine and a thread of its own; the other connections are for
   * builds and events.
   */
  static final int MAX_READINGS = Engine.CONNECTIONS * 2 / 3;

  /** Of a reader, in characters; a line has at most 32 Ki, four times that if none is plain. */
  private static final int BUFFERED = 256 * 1024;

  /** What a short line counts, so that there are not too many. */
  private static final int SHORT_LINE = 512;

  private static final Duration PATIENCE = Duration.ofMinutes(1);

  /** More than all threads together can wait for. */
  private static final int MANY = 1 << 30;

  private final DockerClient docker;
  private final HandlerContainers containers;
  private final Semaphore readings = new Semaphore(MAX_READINGS);

  HandlerLogs(@LongCalls DockerClient docker, HandlerContainers containers) {
    this.docker = docker;
    this.containers = containers;
  }

  /**
   * The handlers' output, each line as {@code function=NAME handler=ID TIMESTAMP text}.
   *
   * @param tail how many lines of each handler to begin with, from 0
   * @param follow whether to go on, over restarts and new versions, until the reader leaves; one
   *     that takes nothing for a minute although there is something is ended
   * @throws ProblemException TOO_MANY, which may also be how the lines end
   */
  public Multi<String> lines(FunctionName function, int tail, boolean follow) {
    if (readings.availablePermits() == 0) {
      throw tooMany();
    }
    return Multi.createFrom()
        .deferred(
            () -> {
              Semaphore room = new Semaphore(BUFFERED);
              return Multi.createFrom()
                  .<String>emitter(
                      emitter ->
                          Thread.ofVirtual()
                              .name("logs-" + function)
                              .start(() -> read(function, tail, follow, new Reader(emitter, room))),
                      BackPressureStrategy.IGNORE)
                  .onOverflow()
                  .buffer(BUFFERED / SHORT_LINE)
                  .onItem()
                  .invoke(line -> room.release(room(line)));
            });
  }

  /**
   * Passes on what the handlers have printed, one after the other, each line as {@code
   * function=NAME handler=CONTAINER TIMESTAMP text}. However long the reader takes, no more than a
   * piece is held.
   *
   * @param tail how many lines of each handler
   */
  public void read(FunctionName function, int tail, Consumer<String> reader) {
    try {
      for (HandlerContainer handler : containers.list(function)) {
        try (LogReading reading =
            open(handler, tail, false, reading(handler, handler.container(), reader))) {
          reading.awaitCompletion();
        }
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("interrupted while reading logs", e);
    } catch (IOException | RuntimeException e) {
      throw ProblemException.ofFailure(
          e instanceof RuntimeException r ? r : new UncheckedIOException((IOException) e));
    }
  }

  private void read(FunctionName function, int tail, boolean follow, Reader reader) {
    Map<String, LogReading> readings = new HashMap<>();
    try {
      boolean first = true;
      do {
        List<HandlerContainer> handlers = containers.list(function);
        readings.keySet().retainAll(handlers.stream().map(HandlerContainer::container).toList());
        for (HandlerContainer handler : handlers) {
          LogReading reading = readings.get(handler.container());
          if (reading == null || reading.hasEnded() && handler.isRunning()) {
            LogReading next =
                reading == null ? reading(handler, handler.handler().id(), reader) : reading.next();
            readings.put(
                handler.container(), open(handler, first ? tail : Integer.MAX_VALUE, follow, next));
          }
        }
        first = false;
      } while (follow && !reader.leavesWithin(LOOK_AGAIN));
      for (LogReading reading : readings.values()) {
        if (!follow) {
          reading.awaitCompletion();
        }
      }
      reader.complete();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      reader.fail(e);
    } catch (RuntimeException e) {
      reader.fail(ProblemException.ofFailure(e));
    } finally {
      readings.values().forEach(HandlerLogs::close);
    }
  }

  private static LogReading reading(
      HandlerContainer handler, String name, Consumer<String> reader) {
    return new LogReading("function=" + handler.function() + " handler=" + name + " ", reader);
  }

  private LogReading open(HandlerContainer handler, int tail, boolean follow, LogReading reading) {
    LogContainerCmd command =
        docker
            .logContainerCmd(handler.container())
            .withStdOut(true)
            .withStdErr(true)
            .withTimestamps(true)
            .withTail(tail)
            .withFollowStream(follow);
    reading.since().ifPresent(command::withSince);
    if (!readings.tryAcquire()) {
      throw tooMany();
    }
    reading.whenClosed(readings::release);
    command.exec(reading);
    return reading;
  }

  private static ProblemException tooMany() {
    return ProblemException.of(
        ProblemType.TOO_MANY,
        "The output of "
            + MAX_READINGS
            + " handlers is being read already: try again when somebody who follows it has left.");
  }

  /** What a line takes of a reader's buffer. */
  private static int room(String line) {
    return Math.clamp(line.length(), SHORT_LINE, BUFFERED);
  }

  private static void close(Closeable reading) {
    try {
      reading.close();
    } catch (IOException e) {
      // It has ended by itself.
    }
  }

  /**
   * Who follows. Lines of two handlers arrive on two threads, which wait while the reader has no
   * room for more: what is not read yet stays with the engine.
   */
  private static final class Reader implements Consumer<String> {
    private final MultiEmitter<? super String> emitter;
    private final Semaphore room;
    private final CountDownLatch left = new CountDownLatch(1);

    Reader(MultiEmitter<? super String> emitter, Semaphore room) {
      this.emitter = emitter;
      this.room = room;
      emitter.onTermination(
          () -> {
            left.countDown();
            room.release(MANY);
          });
    }

    @Override
    public void accept(String line) {
      try {
        if (!room.tryAcquire(room(line), PATIENCE.toMillis(), TimeUnit.MILLISECONDS)) {
          fail(new IllegalStateException("the reader of a log takes nothing"));
        }
      } catch (InterruptedException e) {
        // The reading is closed: the reader has left.
        Thread.currentThread().interrupt();
        return;
      }
      synchronized (emitter) {
        emitter.emit(line);
      }
    }

    boolean leavesWithin(Duration time) throws InterruptedException {
      return left.await(time.toMillis(), TimeUnit.MILLISECONDS);
    }

    void complete() {
      emitter.complete();
    }

    void fail(Throwable failure) {
      emitter.fail(failure);
    }
  }
}
