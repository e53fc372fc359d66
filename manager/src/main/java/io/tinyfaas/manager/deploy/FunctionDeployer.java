package io.tinyfaas.manager.deploy;

import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Timer;
import io.tinyfaas.contract.route.FunctionName;
import io.tinyfaas.manager.archive.FunctionArchive;
import io.tinyfaas.manager.problem.ProblemException;
import io.tinyfaas.manager.problem.ProblemType;
import io.tinyfaas.manager.reconcile.Reconciler;
import io.tinyfaas.manager.reconcile.Rollout;
import io.tinyfaas.manager.runtime.Runtimes;
import io.tinyfaas.manager.spec.FunctionSpec;
import io.tinyfaas.manager.spec.PartialSpec;
import io.tinyfaas.manager.store.FunctionStore;
import io.tinyfaas.manager.store.FunctionVersion;
import jakarta.enterprise.context.ApplicationScoped;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Locale;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.function.Supplier;
import java.util.function.UnaryOperator;
import org.jboss.logging.Logger;

/**
 * The story of a deployment: check, store as a candidate, build, start beside what runs, route, and
 * only when the gateway serves it make it the active version. Until then a failure or a power cut
 * leaves the version that ran before; from then on nothing is lost.
 *
 * <p>All methods block, and throw {@link ProblemException} with the state unchanged.
 */
@ApplicationScoped
public class FunctionDeployer {

  private static final Logger LOG = Logger.getLogger(FunctionDeployer.class);

  private final FunctionStore store;
  private final Runtimes runtimes;
  private final Reconciler reconciler;
  private final Rollout rollout;
  private final FunctionStates states;
  private final MeterRegistry meters;

  FunctionDeployer(
      FunctionStore store,
      Runtimes runtimes,
      Reconciler reconciler,
      Rollout rollout,
      FunctionStates states,
      MeterRegistry meters) {
    this.store = store;
    this.runtimes = runtimes;
    this.reconciler = reconciler;
    this.rollout = rollout;
    this.states = states;
    this.meters = meters;
  }

  /**
   * @param created whether the function is new
   * @param changed whether another version is active now
   */
  public record Deployment(FunctionState state, boolean created, boolean changed) {}

  /**
   * Makes this archive the function's active version, with what these fields make of the
   * specification that it has.
   */
  public Deployment deploy(FunctionName name, PartialSpec fields, FunctionArchive archive) {
    return change(
        "deploy",
        name,
        () -> {
          requireName(name);
          Optional<FunctionSpec> active = store.active(name).map(FunctionVersion::spec);
          var runtime = runtimes.require(fields.runtime(active));
          FunctionSpec spec = fields.on(active, runtime.name());
          runtime.require(spec);
          runtime.require(archive);
          archive.require(spec);
          return roll(name, spec, archive.digest(), archive.file());
        });
  }

  /** Makes a changed specification with the archive that is there the active version. */
  public Deployment update(FunctionName name, UnaryOperator<FunctionSpec> change) {
    return change(
        "update",
        name,
        () -> {
          FunctionVersion active = states.require(name);
          FunctionSpec spec = change.apply(active.spec());
          var runtime = runtimes.require(spec.runtime());
          runtime.require(spec);
          Path archive = store.archive(active);
          if (!runtime.name().equals(active.spec().runtime())
              || !spec.entry().equals(active.spec().entry())) {
            try (FunctionArchive opened = FunctionArchive.open(archive)) {
              runtime.require(opened);
              opened.require(spec);
            }
          }
          return roll(name, spec.withRuntime(runtime.name()), active.archiveDigest(), archive);
        });
  }

  /**
   * Makes an earlier version the active one again, without a build where its image is still there.
   *
   * @param number empty: the version that was deployed before the present one
   */
  public Deployment rollback(FunctionName name, OptionalInt number) {
    return change(
        "rollback",
        name,
        () -> {
          FunctionVersion active = states.require(name);
          FunctionVersion earlier = earlier(active, number);
          if (earlier.number() == active.number()) {
            return complete(active);
          }
          serve(earlier, Optional.of(active));
          return new Deployment(states.get(name), false, true);
        });
  }

  private FunctionVersion earlier(FunctionVersion active, OptionalInt number) {
    FunctionName name = active.function();
    Optional<FunctionVersion> found =
        number.isEmpty()
            ? store.previous(name)
            : store.versions(name).stream()
                .filter(v -> v.number() == number.getAsInt())
                .findFirst();
    return found.orElseThrow(
        () ->
            ProblemException.ofField(
                ProblemType.UNKNOWN_VERSION,
                "version",
                (number.isEmpty()
                        ? "Nothing is kept that was deployed before version " + active.number()
                        : "There is no version " + number.getAsInt())
                    + " of "
                    + name
                    + ": GET /functions/"
                    + name
                    + "/versions lists what is kept, POST /functions/"
                    + name
                    + "/rollback?version=N makes one of these the active one."));
  }

  /** Deletes the function; returns when nothing of it is left. */
  public void delete(FunctionName name) {
    change(
        "delete",
        name,
        () -> {
          Duration timeout = states.require(name).spec().timeout();
          store.remove(name);
          try {
            rollout.end(name, timeout.plusSeconds(1));
          } catch (RuntimeException e) {
            // It is deleted; what the engine could not remove now the reconciler will.
            LOG.warnf(
                "event=delete-unfinished function=%s reason=\"%s\"",
                name, ProblemException.ofFailure(e).getMessage());
            reconciler.signal(name);
          }
          return Optional.empty();
        });
  }

  private static void requireName(FunctionName name) {
    if (name.equals(FunctionName.CALLS)) {
      throw ProblemException.ofField(
          ProblemType.INVALID_REQUEST,
          "name",
          "The gateway itself answers at /"
              + name
              + ", where clients ask for the calls that it has accepted: give the function another"
              + " name.");
    }
  }

  /** A call that has failed would be called anew for ever. */
  private static void requireOtherOnFailure(FunctionName name, FunctionSpec spec) {
    if (spec.calls().onFailure().filter(name::equals).isPresent()) {
      throw ProblemException.ofField(
          ProblemType.INVALID_SPEC,
          "async.onFailure",
          "async.onFailure is "
              + name
              + ", the function itself, which would be called for its own failures without end:"
              + " name another function, or none.");
    }
  }

  private Deployment roll(FunctionName name, FunctionSpec spec, String digest, Path archive) {
    requireOtherOnFailure(name, spec);
    Optional<FunctionVersion> active = store.active(name);
    if (active.filter(v -> v.spec().equals(spec) && v.archiveDigest().equals(digest)).isPresent()) {
      return complete(active.get());
    }
    serve(store.add(name, spec, digest, archive), active);
    return new Deployment(states.get(name), active.isEmpty(), true);
  }

  /** What is to be is active already, but perhaps its handlers are not up. */
  private Deployment complete(FunctionVersion active) {
    try {
      rollout.complete(active);
    } finally {
      reconciler.signal(active.function());
    }
    return new Deployment(states.get(active.function()), false, false);
  }

  private void serve(FunctionVersion version, Optional<FunctionVersion> before) {
    try {
      rollout.serve(version);
      store.activate(version);
    } catch (RuntimeException e) {
      store.discard(version);
      revert(version, before);
      throw e;
    } finally {
      reconciler.signal(version.function());
    }
  }

  /** What cannot be undone now, the reconciler does; the caller is told what failed first. */
  private void revert(FunctionVersion version, Optional<FunctionVersion> before) {
    try {
      rollout.revert(version, before);
    } catch (RuntimeException e) {
      LOG.warnf(
          "event=revert-unfinished function=%s version=%d reason=\"%s\"",
          version.function(), version.number(), ProblemException.ofFailure(e).getMessage());
    }
  }

  private <T> T change(String what, FunctionName name, Supplier<T> operation) {
    Timer.Sample timer = Timer.start(meters);
    String outcome = "ok";
    try {
      return reconciler.exclusively(name, operation);
    } catch (RuntimeException e) {
      ProblemException problem = ProblemException.ofFailure(e);
      outcome = problem.type().name().toLowerCase(Locale.ROOT);
      if (problem.type() == ProblemType.INTERNAL) {
        LOG.errorf(e, "event=%s function=%s outcome=%s", what, name, outcome);
      }
      throw problem;
    } finally {
      long nanos =
          timer.stop(meters.timer("tinyfaas.deploy", "operation", what, "outcome", outcome));
      LOG.infof(
          "event=%s function=%s outcome=%s millis=%d", what, name, outcome, nanos / 1_000_000);
    }
  }
}
