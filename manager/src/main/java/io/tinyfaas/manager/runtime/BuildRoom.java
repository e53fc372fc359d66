package io.tinyfaas.manager.runtime;

import com.github.dockerjava.api.DockerClient;
import io.tinyfaas.manager.problem.ProblemException;
import jakarta.enterprise.context.ApplicationScoped;
import java.time.Duration;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * What builds may take of the box, those of functions and those of runtimes: so much that what is
 * deployed goes on beside them.
 */
@ApplicationScoped
public class BuildRoom {

  /** Of one build, in bytes. */
  public static final long MEMORY = 768L * 1024 * 1024;

  public static final long PROCESSES = 512;

  /** Against the 1,024 of everybody else, where no more than that can be said. */
  static final String CPU_SHARES = "512";

  /** How often is looked at what a build has written, which no engine bounds. */
  public static final Duration LOOK_INTERVAL = Duration.ofSeconds(1);

  /** Each may take {@link #MEMORY}; more at once would only make each slower. */
  private static final int AT_ONCE = 2;

  private static final int MAX_WAITING = 16;

  private static final int RETRY_AFTER_SECONDS = 60;

  private final DockerClient docker;
  private final Semaphore places = new Semaphore(AT_ONCE, true);
  private final AtomicInteger waiting = new AtomicInteger();

  BuildRoom(DockerClient docker) {
    this.docker = docker;
  }

  /** Held while a build runs. */
  public interface Place extends AutoCloseable {
    @Override
    void close();
  }

  /**
   * Waits for a place, behind those who came before.
   *
   * @throws ProblemException TOO_MANY if {@value #MAX_WAITING} wait already, or there was none for
   *     so long
   */
  public Place take(Duration atMost) {
    if (waiting.incrementAndGet() > MAX_WAITING) {
      waiting.decrementAndGet();
      throw full(MAX_WAITING + " builds are waiting already");
    }
    try {
      if (!places.tryAcquire(atMost.toMillis(), TimeUnit.MILLISECONDS)) {
        throw full("Other builds took all of " + atMost.toSeconds() + " s");
      }
      return places::release;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("interrupted while waiting to build", e);
    } finally {
      waiting.decrementAndGet();
    }
  }

  private static ProblemException full(String why) {
    return ProblemException.busy(
        why + ", and " + AT_ONCE + " may run at once: try again in a minute.", RETRY_AFTER_SECONDS);
  }

  /** Half of the box' processors, in billionths of one. */
  public long nanoCpus() {
    return docker.infoCmd().exec().getNCPU() * 500_000_000L;
  }

  /** In bytes, as far as the engine can tell while files come and go. */
  public long written(String container) {
    try {
      Long size = docker.inspectContainerCmd(container).withSize(true).exec().getSizeRw();
      return size == null ? 0 : size;
    } catch (RuntimeException e) {
      return 0;
    }
  }
}
