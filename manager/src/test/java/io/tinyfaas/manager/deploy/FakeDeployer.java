package io.tinyfaas.manager.deploy;

import io.tinyfaas.contract.route.FunctionName;
import io.tinyfaas.manager.archive.FunctionArchive;
import io.tinyfaas.manager.deploy.FunctionState.HandlerState;
import io.tinyfaas.manager.handler.Ending;
import io.tinyfaas.manager.handler.Health;
import io.tinyfaas.manager.problem.ProblemException;
import io.tinyfaas.manager.problem.ProblemType;
import io.tinyfaas.manager.spec.FunctionSpec;
import io.tinyfaas.manager.spec.PartialSpec;
import io.tinyfaas.manager.store.FunctionStore;
import io.tinyfaas.manager.store.FunctionVersion;
import jakarta.enterprise.inject.Alternative;
import jakarta.inject.Singleton;
import java.nio.file.Path;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.concurrent.CountDownLatch;
import java.util.function.UnaryOperator;
import java.util.stream.IntStream;

/** For the API's tests: a real store, and handlers that are healthy at once without an engine. */
@Alternative
@Singleton
public class FakeDeployer extends FunctionDeployer {

  private final FunctionStore store;
  private final States states;

  /** Thrown by the next call. */
  private Optional<RuntimeException> failure = Optional.empty();

  /** Until when deployments take. */
  private volatile CountDownLatch done = new CountDownLatch(0);

  private volatile boolean held;

  FakeDeployer(FunctionStore store, States states) {
    super(store, null, null, null, states, null);
    this.store = store;
    this.states = states;
  }

  public void failNextWith(RuntimeException failure) {
    this.failure = Optional.of(failure);
  }

  /** Deployments take from now until this is counted down. */
  public CountDownLatch hold() {
    held = false;
    done = new CountDownLatch(1);
    return done;
  }

  /** Whether one has come that is. */
  public boolean isHeld() {
    return held;
  }

  /** All handlers, and they were started again. */
  public void end(Ending how) {
    states.lastEnd = Optional.of(how);
  }

  public void health(List<Health> health) {
    states.health = Optional.of(health);
  }

  @Override
  public Deployment deploy(FunctionName name, PartialSpec fields, FunctionArchive archive) {
    Optional<RuntimeException> now = failure;
    failure = Optional.empty();
    now.ifPresent(
        e -> {
          throw e;
        });
    try {
      held = done.getCount() > 0;
      done.await();
    } catch (InterruptedException e) {
      throw new AssertionError(e);
    }
    Optional<FunctionSpec> active = store.active(name).map(FunctionVersion::spec);
    FunctionSpec spec = fields.on(active, fields.runtime(active));
    return roll(name, spec, archive.digest(), archive.file());
  }

  private Deployment roll(FunctionName name, FunctionSpec spec, String digest, Path archive) {
    boolean created = store.active(name).isEmpty();
    store.activate(store.add(name, spec, digest, archive));
    return new Deployment(states.get(name), created, true);
  }

  @Override
  public Deployment update(FunctionName name, UnaryOperator<FunctionSpec> change) {
    FunctionVersion active = states.require(name);
    return roll(name, change.apply(active.spec()), active.archiveDigest(), store.archive(active));
  }

  @Override
  public Deployment rollback(FunctionName name, OptionalInt number) {
    states.require(name);
    Optional<FunctionVersion> earlier =
        number.isEmpty()
            ? store.previous(name)
            : store.versions(name).stream()
                .filter(version -> version.number() == number.getAsInt())
                .findFirst();
    store.activate(
        earlier.orElseThrow(
            () -> ProblemException.ofField(ProblemType.UNKNOWN_VERSION, "version", "none")));
    return new Deployment(states.get(name), false, true);
  }

  @Override
  public void delete(FunctionName name) {
    states.require(name);
    store.remove(name);
    states.health = Optional.empty();
    states.lastEnd = Optional.empty();
  }

  @Alternative
  @Singleton
  public static class States extends FunctionStates {

    private final FunctionStore store;
    private Optional<List<Health>> health = Optional.empty();
    private Optional<Ending> lastEnd = Optional.empty();

    States(FunctionStore store) {
      super(store, null, null, null);
      this.store = store;
    }

    @Override
    public FunctionState get(FunctionName name) {
      FunctionVersion version = require(name);
      List<Health> each =
          health.orElseGet(() -> Collections.nCopies(version.spec().handlers(), Health.HEALTHY));
      return new FunctionState(
          version,
          IntStream.range(0, each.size())
              .mapToObj(
                  i ->
                      new HandlerState(
                          name + "-" + i, each.get(i), lastEnd.isPresent() ? 1 : 0, lastEnd))
              .toList());
    }

    @Override
    public List<FunctionState> list() {
      return store.functions().stream().map(this::get).toList();
    }
  }
}
