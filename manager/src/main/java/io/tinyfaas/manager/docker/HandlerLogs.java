package io.tinyfaas.manager.docker;

import com.github.dockerjava.api.DockerClient;
import com.github.dockerjava.api.async.ResultCallback;
import com.github.dockerjava.api.exception.NotFoundException;
import com.github.dockerjava.api.model.Frame;
import io.smallrye.mutiny.Multi;
import io.smallrye.mutiny.subscription.BackPressureStrategy;
import io.smallrye.mutiny.subscription.MultiEmitter;
import io.tinyfaas.contract.route.FunctionName;
import jakarta.enterprise.context.ApplicationScoped;
import java.io.Closeable;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;

/** What a function's handlers print. */
@ApplicationScoped
public class HandlerLogs {

  /** How soon a follower is shown the lines of a handler that was started later. */
  private static final Duration LOOK_AGAIN = Duration.ofSeconds(1);

  private static final int BUFFERED_LINES = 4_096;

  private final DockerClient docker;
  private final HandlerContainers containers;

  HandlerLogs(@LongCalls DockerClient docker, HandlerContainers containers) {
    this.docker = docker;
    this.containers = containers;
  }

  /**
   * The handlers' output, each line as {@code function=NAME handler=ID TIMESTAMP text}.
   *
   * @param tail how many lines of each handler to begin with, from 0
   * @param follow whether to go on, over restarts and new versions, until the reader leaves; one
   *     that is {@value #BUFFERED_LINES} lines behind is ended
   */
  public Multi<String> lines(FunctionName function, int tail, boolean follow) {
    return Multi.createFrom()
        .<String>emitter(
            emitter ->
                Thread.ofVirtual()
                    .name("logs-" + function)
                    .start(() -> read(function, tail, follow, emitter)),
            BackPressureStrategy.IGNORE)
        .onOverflow()
        .buffer(BUFFERED_LINES);
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
        try (Reading reading =
            open(handler, tail, false, new Reading(handler, handler.container(), reader))) {
          reading.awaitCompletion();
        }
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("interrupted while reading logs", e);
    } catch (IOException | RuntimeException e) {
      throw Engine.problem(
          e instanceof RuntimeException r ? r : new UncheckedIOException((IOException) e));
    }
  }

  private void read(
      FunctionName function, int tail, boolean follow, MultiEmitter<? super String> emitter) {
    CountDownLatch left = new CountDownLatch(1);
    emitter.onTermination(left::countDown);
    Map<String, Reading> readings = new HashMap<>();
    try {
      boolean first = true;
      do {
        List<HandlerContainer> handlers = containers.list(function);
        readings.keySet().retainAll(handlers.stream().map(HandlerContainer::container).toList());
        for (HandlerContainer handler : handlers) {
          Reading reading = readings.get(handler.container());
          if (reading == null || reading.hasEnded() && handler.isRunning()) {
            int lines = first ? tail : reading == null ? Integer.MAX_VALUE : 0;
            readings.put(
                handler.container(), open(handler, lines, follow, reading(handler, emitter)));
          }
        }
        first = false;
      } while (follow && !left.await(LOOK_AGAIN.toMillis(), TimeUnit.MILLISECONDS));
      for (Reading reading : readings.values()) {
        if (!follow) {
          reading.awaitCompletion();
        }
      }
      emitter.complete();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      emitter.fail(e);
    } catch (RuntimeException e) {
      emitter.fail(Engine.problem(e));
    } finally {
      readings.values().forEach(HandlerLogs::close);
    }
  }

  /** Lines of two handlers arrive on two threads. */
  private static Reading reading(HandlerContainer handler, MultiEmitter<? super String> emitter) {
    return new Reading(
        handler,
        handler.handler().id(),
        line -> {
          synchronized (emitter) {
            emitter.emit(line);
          }
        });
  }

  private Reading open(HandlerContainer handler, int tail, boolean follow, Reading reading) {
    try {
      docker
          .logContainerCmd(handler.container())
          .withStdOut(true)
          .withStdErr(true)
          .withTimestamps(true)
          .withTail(tail)
          .withFollowStream(follow)
          .exec(reading);
    } catch (NotFoundException e) {
      reading.onComplete();
    }
    return reading;
  }

  private static void close(Closeable reading) {
    try {
      reading.close();
    } catch (IOException e) {
      // It has ended by itself.
    }
  }

  private static final class Reading extends ResultCallback.Adapter<Frame> {
    private final String prefix;
    private final Consumer<String> reader;
    private volatile boolean ended;

    Reading(HandlerContainer handler, String name, Consumer<String> reader) {
      this.prefix = "function=" + handler.function() + " handler=" + name + " ";
      this.reader = reader;
    }

    boolean hasEnded() {
      return ended;
    }

    @Override
    public void onNext(Frame frame) {
      new String(frame.getPayload(), StandardCharsets.UTF_8)
          .lines()
          .forEach(line -> reader.accept(prefix + line + "\n"));
    }

    @Override
    public void onError(Throwable failure) {
      ended = true;
      super.onError(failure);
    }

    @Override
    public void onComplete() {
      ended = true;
      super.onComplete();
    }
  }
}
