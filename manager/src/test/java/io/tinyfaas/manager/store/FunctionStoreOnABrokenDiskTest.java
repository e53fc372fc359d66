package io.tinyfaas.manager.store;

import static org.assertj.core.api.Assertions.assertThat;

import io.tinyfaas.contract.route.FunctionName;
import io.tinyfaas.manager.problem.ProblemException;
import io.tinyfaas.manager.problem.ProblemType;
import io.tinyfaas.manager.spec.FunctionSpec;
import io.tinyfaas.manager.spec.Specs;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Each sync of each change fails: once, or with all that follow. */
class FunctionStoreOnABrokenDiskTest {

  private static final FunctionName SIEVE = new FunctionName("sieve");
  private static final FunctionName ECHO = new FunctionName("echo");

  @TempDir Path disk;
  @TempDir Path elsewhere;
  private final FailingSync sync = new FailingSync();
  private StoreFolder folder;
  private FunctionStore store;
  private Path zip;
  private FunctionVersion acknowledged;

  static List<FailingSync.Failure> failures() {
    return FailingSync.failures().toList();
  }

  @BeforeEach
  void open() throws IOException {
    folder = new StoreFolder(disk.resolve("store"));
    store = new FunctionStore(folder, 1000, new DurableFiles(sync));
    zip = Files.writeString(elsewhere.resolve("some.zip"), "the archive");
    acknowledged = store.add(SIEVE, spec(1), "digest", zip);
    store.activate(acknowledged);
  }

  @AfterEach
  void close() {
    folder.close();
  }

  private static FunctionSpec spec(int handlers) {
    return Specs.of("{\"runtime\": \"nodejs\", \"handlers\": %d}".formatted(handlers));
  }

  /** As a deployment goes. */
  private FunctionVersion deploy(FunctionName function) {
    FunctionVersion candidate = store.add(function, spec(2), "other", zip);
    try {
      store.activate(candidate);
      return candidate;
    } catch (ProblemException e) {
      store.discard(candidate);
      throw e;
    }
  }

  /** Whether it was done. */
  private boolean succeeds(FailingSync.Failure failure, Runnable change) {
    sync.failsFromNowOn(failure);
    try {
      change.run();
      return true;
    } catch (ProblemException e) {
      assertThat(e.type()).isEqualTo(ProblemType.INTERNAL);
      return false;
    } finally {
      sync.isWell();
    }
  }

  private record Seen(
      List<FunctionName> functions,
      List<FunctionVersion> active,
      List<FunctionVersion> sieves,
      List<FunctionVersion> echos) {}

  private Seen seen() {
    for (FunctionName function : store.functions()) {
      for (FunctionVersion version : store.versions(function)) {
        assertThat(store.archive(version)).hasContent("the archive");
      }
    }
    return new Seen(
        store.functions(),
        store.functions().stream().flatMap(f -> store.active(f).stream()).toList(),
        store.versions(SIEVE),
        store.versions(ECHO));
  }

  /** What memory has is what a manager finds that starts now. */
  private Seen seenByAll() {
    Seen before = seen();
    folder.close();
    folder = new StoreFolder(disk.resolve("store"));
    store = new FunctionStore(folder, 1000, new DurableFiles(sync));
    Seen after = seen();
    assertThat(after).isEqualTo(before);
    return after;
  }

  @ParameterizedTest
  @MethodSource("failures")
  void shouldAgreeWithTheDiskAfterAnUpdate(FailingSync.Failure failure) {
    boolean done = succeeds(failure, () -> deploy(SIEVE));

    // Whoever goes on without a new start finds the same.
    assertThat(store.isUnreadable(SIEVE)).isFalse();
    Seen seen = seenByAll();
    assertThat(seen.sieves()).contains(acknowledged);
    assertThat(seen.active()).hasSize(1);
    if (done) {
      assertThat(seen.active()).doesNotContain(acknowledged);
    } else if (failure.once()) {
      assertThat(seen.active()).containsExactly(acknowledged);
    }
    deploy(SIEVE);
  }

  @ParameterizedTest
  @MethodSource("failures")
  void shouldGoOnAfterAnUpdateThatFailed(FailingSync.Failure failure) {
    succeeds(failure, () -> deploy(SIEVE));
    succeeds(failure, () -> deploy(SIEVE));

    FunctionVersion version = deploy(SIEVE);

    assertThat(seenByAll().active()).containsExactly(version);
  }

  @ParameterizedTest
  @MethodSource("failures")
  void shouldAgreeWithTheDiskAfterANewFunction(FailingSync.Failure failure) {
    boolean done = succeeds(failure, () -> deploy(ECHO));

    Seen seen = seenByAll();
    assertThat(seen.active()).contains(acknowledged);
    if (done || failure.once()) {
      assertThat(seen.functions().contains(ECHO)).isEqualTo(done);
    }
    deploy(ECHO);
  }

  @ParameterizedTest
  @MethodSource("failures")
  void shouldGoOnAfterANewFunctionThatFailed(FailingSync.Failure failure) {
    succeeds(failure, () -> deploy(ECHO));

    FunctionVersion version = deploy(ECHO);

    assertThat(seenByAll().active()).containsExactlyInAnyOrder(acknowledged, version);
  }

  @ParameterizedTest
  @MethodSource("failures")
  void shouldAgreeWithTheDiskAfterARemoval(FailingSync.Failure failure) {
    boolean done = succeeds(failure, () -> store.remove(SIEVE));

    Seen seen = seenByAll();
    if (done) {
      assertThat(seen.functions()).isEmpty();
    } else if (failure.once()) {
      assertThat(seen.active()).containsExactly(acknowledged);
    }
    store.remove(SIEVE);
    assertThat(seenByAll().functions()).isEmpty();
  }

  @ParameterizedTest
  @MethodSource("failures")
  void shouldAgreeWithTheDiskAfterARollback(FailingSync.Failure failure) {
    FunctionVersion second = deploy(SIEVE);

    boolean done = succeeds(failure, () -> store.activate(acknowledged));

    Seen seen = seenByAll();
    assertThat(seen.sieves()).containsExactly(acknowledged, second);
    assertThat(seen.active()).hasSize(1);
    if (done || failure.once()) {
      assertThat(seen.active()).containsExactly(done ? acknowledged : second);
    }
  }
}
