package io.tinyfaas.manager.runtime;

import io.tinyfaas.manager.engine.EngineSettings;
import io.tinyfaas.manager.problem.ProblemException;
import io.tinyfaas.manager.problem.ProblemType;
import jakarta.enterprise.context.ApplicationScoped;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.BooleanSupplier;
import org.jboss.logging.Logger;

/**
 * Builds runtimes from their folders, one at a time. Whoever needs one waits for it, all for the
 * same build; a caller that has waited long enough is told to come again, and the build goes on.
 */
@ApplicationScoped
class RuntimeBuilds {

  private static final Logger LOG = Logger.getLogger(RuntimeBuilds.class);

  private final EngineSettings settings;
  private final RuntimeImageBuilder builder;
  private final BuildRoom room;

  private final ConcurrentHashMap<String, Build> running = new ConcurrentHashMap<>();

  /** Two at once would take twice the memory and not end sooner. */
  private final Semaphore one = new Semaphore(1, true);

  RuntimeBuilds(EngineSettings settings, RuntimeImageBuilder builder, BuildRoom room) {
    this.settings = settings;
    this.builder = builder;
    this.room = room;
  }

  private record Build(BuildOutput output, long began, CompletableFuture<Void> end) {}

  /**
   * Returns when the image is there.
   *
   * @param needed asked again when its turn has come: another build may have ended meanwhile
   * @throws ProblemException RUNTIME_UNAVAILABLE if the build failed, with its last lines, or if it
   *     still goes on
   */
  void await(RuntimeFolder folder, BooleanSupplier needed) {
    String name = folder.runtime().name();
    Build build = running.computeIfAbsent(name, absent -> start(folder, needed));
    try {
      build.end().get(settings.runtimeWait().toMillis(), TimeUnit.MILLISECONDS);
    } catch (TimeoutException e) {
      long seconds = Duration.ofNanos(System.nanoTime() - build.began()).toSeconds();
      throw ProblemException.withOutput(
          ProblemType.RUNTIME_UNAVAILABLE,
          "The runtime "
              + name
              + " is being built for its first use on this box, for "
              + seconds
              + " s by now: it goes on. Nothing was changed; try again in half a minute.",
          build.output().lastLines());
    } catch (ExecutionException e) {
      throw e.getCause() instanceof RuntimeException cause
          ? ProblemException.ofFailure(cause)
          : new IllegalStateException(e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("interrupted while waiting for a runtime", e);
    }
  }

  private Build start(RuntimeFolder folder, BooleanSupplier needed) {
    Build build = new Build(new BuildOutput(), System.nanoTime(), new CompletableFuture<>());
    Thread.ofVirtual().name("build-" + folder.folder()).start(() -> run(folder, needed, build));
    return build;
  }

  private void run(RuntimeFolder folder, BooleanSupplier needed, Build build) {
    RuntimeException failure = null;
    one.acquireUninterruptibly();
    try {
      if (needed.getAsBoolean()) {
        buildAndLog(folder, build);
      }
    } catch (RuntimeException e) {
      failure = e;
    } finally {
      one.release();
    }
    // First, so that whoever asks after a failure gets a build of his own.
    running.remove(folder.runtime().name());
    if (failure == null) {
      build.end().complete(null);
    } else {
      build.end().completeExceptionally(failure);
    }
  }

  private void buildAndLog(RuntimeFolder folder, Build build) {
    String name = folder.runtime().name();
    LOG.infof("event=runtime-build runtime=%s outcome=started", name);
    String outcome = "ok";
    try (var _ = room.take(settings.runtimeBuildTimeout())) {
      builder.build(folder, build.output());
    } catch (RuntimeException e) {
      outcome = "failed reason=\"" + e.getMessage() + "\"";
      throw e;
    } finally {
      LOG.infof(
          "event=runtime-build runtime=%s millis=%d outcome=%s",
          name, Duration.ofNanos(System.nanoTime() - build.began()).toMillis(), outcome);
    }
  }
}
