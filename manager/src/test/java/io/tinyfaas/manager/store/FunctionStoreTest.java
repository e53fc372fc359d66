package io.tinyfaas.manager.store;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.quarkus.runtime.configuration.ConfigurationException;
import io.tinyfaas.contract.route.FunctionName;
import io.tinyfaas.manager.problem.ProblemException;
import io.tinyfaas.manager.problem.ProblemType;
import io.tinyfaas.manager.spec.FunctionSpec;
import io.tinyfaas.manager.spec.Specs;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.logging.Handler;
import java.util.logging.Level;
import java.util.logging.LogRecord;
import java.util.logging.Logger;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class FunctionStoreTest {

  private static final FunctionName SIEVE = new FunctionName("sieve");
  private static final FunctionName ECHO = new FunctionName("echo");

  @TempDir Path folder;
  private Path root;
  private Path zip;
  private StoreFolder opened;
  private FunctionStore store;

  @BeforeEach
  void open() throws IOException {
    root = folder.resolve("store");
    zip = Files.writeString(folder.resolve("some.zip"), "the archive");
    open(1000);
  }

  private void open(int maxFunctions) {
    opened = new StoreFolder(root);
    store = new FunctionStore(opened, maxFunctions);
  }

  @AfterEach
  void close() {
    opened.close();
  }

  /** As after a crash: nothing in memory is kept. */
  private void reopen() {
    opened.close();
    open(1000);
  }

  private static FunctionSpec spec(int handlers) {
    return Specs.of(
        """
        {"runtime": "nodejs", "handlers": %d, "environment": {"A": "b"}, "cpus": 1.5, "networkAccess": true}\
        """
            .formatted(handlers));
  }

  private FunctionVersion add(FunctionName function, int handlers) {
    return store.add(function, spec(handlers), "digest-" + handlers, zip);
  }

  private FunctionVersion deploy(FunctionName function, int handlers) {
    FunctionVersion version = add(function, handlers);
    store.activate(version);
    return version;
  }

  private List<String> tree() throws IOException {
    try (Stream<Path> paths = Files.walk(root)) {
      return paths
          .filter(Files::isRegularFile)
          .map(path -> root.relativize(path).toString())
          .filter(path -> !path.equals("lock"))
          .sorted()
          .toList();
    }
  }

  @Test
  void shouldKeepAnActivatedVersion() throws IOException {
    FunctionVersion version = deploy(SIEVE, 2);
    reopen();
    assertThat(store.functions()).containsExactly(SIEVE);
    assertThat(store.active(SIEVE)).contains(version);
    assertThat(store.versions(SIEVE)).containsExactly(version);
    assertThat(store.archive(version)).hasContent("the archive");
    assertThat(tree())
        .containsExactly(
            "functions/sieve/active.json",
            "functions/sieve/versions/1/archive.zip",
            "functions/sieve/versions/1/version.json");
  }

  @Test
  void shouldForgetACandidateAtRestart() throws IOException {
    FunctionVersion first = deploy(SIEVE, 1);
    add(SIEVE, 2);
    add(ECHO, 1);
    assertThat(store.functions()).containsExactly(SIEVE);
    reopen();
    assertThat(store.active(SIEVE)).contains(first);
    assertThat(tree())
        .containsExactly(
            "functions/sieve/active.json",
            "functions/sieve/versions/1/archive.zip",
            "functions/sieve/versions/1/version.json");
    assertThat(root.resolve("functions/echo")).doesNotExist();
  }

  @Test
  void shouldNotGiveANumberTwice() {
    deploy(SIEVE, 1);
    store.discard(add(SIEVE, 2));
    assertThat(add(SIEVE, 2).number()).isEqualTo(3);
    reopen();
    assertThat(add(SIEVE, 2).number()).isEqualTo(4);
  }

  @Test
  void shouldLeaveNothingOfADiscardedFirstVersion() throws IOException {
    store.discard(add(SIEVE, 1));
    assertThat(tree()).isEmpty();
    assertThat(root.resolve("functions/sieve")).doesNotExist();
  }

  @Test
  void shouldNotDiscardAnActiveVersion() {
    FunctionVersion version = deploy(SIEVE, 1);
    store.discard(version);
    assertThat(store.active(SIEVE)).contains(version);
  }

  @Test
  void shouldGoFurtherBackWithEachRollback() {
    FunctionVersion first = deploy(SIEVE, 1);
    assertThat(store.previous(SIEVE)).isEmpty();
    FunctionVersion second = deploy(SIEVE, 2);
    FunctionVersion third = deploy(SIEVE, 3);
    assertThat(store.previous(SIEVE)).contains(second);
    store.activate(second);
    reopen();
    assertThat(store.active(SIEVE)).contains(second);
    assertThat(store.previous(SIEVE)).contains(first);
    store.activate(first);
    assertThat(store.previous(SIEVE)).isEmpty();
    assertThat(store.versions(SIEVE)).containsExactly(first, second, third);
    store.activate(third);
    assertThat(store.previous(SIEVE)).contains(second);
  }

  /** What was rolled back is no target of what comes after it. */
  @Test
  void shouldLeadBackToWhatADeploymentReplaced() {
    FunctionVersion first = deploy(SIEVE, 1);
    deploy(SIEVE, 2);
    store.activate(first);
    deploy(SIEVE, 3);
    assertThat(store.previous(SIEVE)).contains(first);
  }

  private FunctionVersion scale(int handlers) {
    FunctionVersion active = store.active(SIEVE).orElseThrow();
    FunctionVersion scaled =
        store.add(SIEVE, spec(handlers), active.archiveDigest(), store.archive(active));
    store.activate(scaled);
    return scaled;
  }

  @Test
  void shouldNotRollBackToAnotherNumberOfHandlers() {
    scaleAfter(deploy(SIEVE, 1));
    assertThat(store.previous(SIEVE)).isEmpty();
    FunctionVersion scaled = scale(7);
    FunctionVersion second = deploy(SIEVE, 2);
    assertThat(store.previous(SIEVE)).contains(scaled);
    FunctionVersion again = scaleAfter(second);
    assertThat(store.previous(SIEVE)).contains(scaled);
    store.activate(second);
    assertThat(store.previous(SIEVE)).contains(scaled);
    store.activate(again);
    FunctionVersion patched =
        store.add(
            SIEVE,
            Specs.of("{\"runtime\": \"nodejs\", \"handlers\": 9}"),
            again.archiveDigest(),
            store.archive(again));
    store.activate(patched);
    assertThat(store.previous(SIEVE)).contains(again);
  }

  private FunctionVersion scaleAfter(FunctionVersion version) {
    assertThat(store.active(SIEVE)).contains(version);
    scale(5);
    return scale(6);
  }

  @Test
  void shouldKeepWhatRollbacksLeadToHoweverOftenAFunctionIsScaled() {
    FunctionVersion first = deploy(SIEVE, 1);
    FunctionVersion second = deploy(SIEVE, 2);
    deploy(SIEVE, 3);
    for (int i = 0; i < 20; i++) {
      scale(1 + i % 2);
    }
    reopen();
    assertThat(store.versions(SIEVE)).hasSize(10).contains(first, second);
    assertThat(store.previous(SIEVE)).contains(second);
    store.activate(second);
    assertThat(store.previous(SIEVE)).contains(first);
  }

  @Test
  void shouldRollBackPastWhatIsNoLongerKeptOrReadable() throws IOException {
    FunctionVersion first = deploy(SIEVE, 1);
    deploy(SIEVE, 2);
    deploy(SIEVE, 3);
    Files.writeString(root.resolve("functions/sieve/versions/2/version.json"), "{");
    reopen();
    assertThat(store.previous(SIEVE)).contains(first);
    for (int i = 4; i <= 20; i++) {
      deploy(SIEVE, i);
    }
    for (int i = 19; i >= 11; i--) {
      FunctionVersion previous = store.previous(SIEVE).orElseThrow();
      assertThat(previous.number()).isEqualTo(i);
      store.activate(previous);
    }
    assertThat(store.previous(SIEVE)).isEmpty();
  }

  @Test
  void shouldReadAPointerThatDoesNotSayWhatWasBefore() throws IOException {
    FunctionVersion first = deploy(SIEVE, 1);
    FunctionVersion second = deploy(SIEVE, 2);
    FunctionVersion third = deploy(SIEVE, 3);
    Path pointer = root.resolve("functions/sieve/active.json");
    Files.writeString(pointer, "{\"active\":3,\"history\":[2,1,3],\"highest\":3}");
    reopen();
    assertThat(store.active(SIEVE)).contains(third);
    assertThat(store.previous(SIEVE)).contains(second);
    store.activate(second);
    reopen();
    assertThat(store.previous(SIEVE)).contains(first);
  }

  /** Numbers that lead round, which no manager has written. */
  @Test
  void shouldLiveWithAPointerThatLeadsNowhere() throws IOException {
    deploy(SIEVE, 1);
    deploy(SIEVE, 2);
    FunctionVersion third = deploy(SIEVE, 3);
    Files.writeString(
        root.resolve("functions/sieve/active.json"),
        "{\"active\":3,\"history\":[3],\"highest\":3,\"before\":{\"3\":1,\"1\":2,\"2\":1}}");
    reopen();
    assertThat(store.previous(SIEVE)).isEmpty();
    deploy(SIEVE, 4);
    assertThat(store.previous(SIEVE)).contains(third);
  }

  @Test
  void shouldKeepTheLastTenVersions() throws IOException {
    for (int i = 1; i <= 13; i++) {
      deploy(SIEVE, i);
    }
    assertThat(store.versions(SIEVE))
        .extracting(FunctionVersion::number)
        .containsExactly(4, 5, 6, 7, 8, 9, 10, 11, 12, 13);
    try (Stream<Path> versions = Files.list(root.resolve("functions/sieve/versions"))) {
      assertThat(versions).hasSize(10);
    }
  }

  @Test
  void shouldShareTheArchiveOfTheSameDigest() throws IOException {
    FunctionVersion first = store.add(SIEVE, spec(1), "same", zip);
    store.activate(first);
    Files.delete(zip);
    FunctionVersion second = store.add(SIEVE, spec(2), "same", zip);
    assertThat(Files.isSameFile(store.archive(first), store.archive(second))).isTrue();
  }

  @Test
  void shouldRemoveAFunctionWithAllItsVersions() throws IOException {
    deploy(SIEVE, 1);
    deploy(SIEVE, 2);
    deploy(ECHO, 1);
    store.remove(SIEVE);
    store.remove(SIEVE);
    assertThat(store.functions()).containsExactly(ECHO);
    reopen();
    assertThat(store.functions()).containsExactly(ECHO);
    assertThat(tree()).noneMatch(path -> path.contains("sieve"));
    assertThat(deploy(SIEVE, 1).number()).isEqualTo(1);
  }

  @Test
  void shouldRefuseToActivateWhatWasRemovedMeanwhile() {
    FunctionVersion candidate = add(SIEVE, 1);
    store.remove(SIEVE);
    ProblemException problem =
        catchThrowableOfType(ProblemException.class, () -> store.activate(candidate));
    assertThat(problem.type()).isEqualTo(ProblemType.UNKNOWN_VERSION);
    store.discard(candidate);
  }

  @Test
  void shouldRecoverFromACrashBetweenAnyTwoSteps() throws IOException {
    FunctionVersion active = deploy(SIEVE, 1);
    Path functions = root.resolve("functions");
    // A new function: folder made; highest number written; version half-written.
    Files.createDirectories(functions.resolve("a/versions"));
    Files.createDirectories(functions.resolve("b/versions"));
    Files.writeString(
        functions.resolve("b/active.json"), "{\"active\":0,\"history\":[],\"highest\":1}");
    Files.createDirectories(functions.resolve("c/versions/.new-1"));
    Files.writeString(functions.resolve("c/versions/.new-1/version.json"), "{\"num");
    Files.writeString(
        functions.resolve("c/active.json"), "{\"active\":0,\"history\":[],\"highest\":1}");
    // An update: version half-written, the pointer half-written.
    Files.createDirectories(functions.resolve("sieve/versions/.new-2"));
    Files.writeString(functions.resolve("sieve/versions/.new-2/archive.zip"), "PK");
    Files.writeString(functions.resolve("sieve/.active.json.new"), "{\"act");
    // Pruning or deleting stopped half-way.
    Files.createDirectories(functions.resolve("sieve/versions/7"));
    Files.createDirectories(functions.resolve(".deleted-gone/versions/1"));
    Files.writeString(functions.resolve(".deleted-gone/versions/1/archive.zip"), "PK");
    // An upload and an epoch under way.
    Files.writeString(root.resolve("uploads/upload-1.zip"), "PK");
    Files.writeString(root.resolve(".epoch.new"), "");

    reopen();

    assertThat(store.functions()).containsExactly(SIEVE);
    assertThat(store.active(SIEVE)).contains(active);
    assertThat(new EpochFile(opened).next(0)).isEqualTo(1);
    assertThat(tree())
        .containsExactly(
            "epoch",
            "functions/sieve/active.json",
            "functions/sieve/versions/1/archive.zip",
            "functions/sieve/versions/1/version.json");
    try (Stream<Path> left = Files.list(functions)) {
      assertThat(left).containsExactly(functions.resolve("sieve"));
    }
    assertThat(add(SIEVE, 2).number()).isEqualTo(8);
  }

  @Test
  void shouldKeepTheRestWhenAVersionIsUnreadable() throws IOException {
    FunctionVersion echo = deploy(ECHO, 1);
    FunctionVersion first = deploy(SIEVE, 1);
    deploy(SIEVE, 2);
    Files.writeString(root.resolve("functions/sieve/versions/2/version.json"), "{\"number\":2");
    reopen();
    assertThat(store.functions()).containsExactly(ECHO);
    assertThat(store.active(ECHO)).contains(echo);
    assertThat(store.active(SIEVE)).isEmpty();
    assertThat(store.versions(SIEVE)).containsExactly(first);
    store.activate(first);
    assertThat(store.functions()).containsExactly(ECHO, SIEVE);
    assertThat(deploy(SIEVE, 3).number()).isEqualTo(3);
  }

  @Test
  void shouldReadWhatAManagerStoredThatKnewOfNoCalls() throws IOException {
    FunctionVersion version = deploy(SIEVE, 1);
    Path json = root.resolve("functions/sieve/versions/1/version.json");
    String stored = Files.readString(json);
    String older = stored.replaceFirst(",\\s*\"delivery\".*?\"async\"\\s*:\\s*\\{.*?\\}", "");
    assertThat(older).doesNotContain("delivery", "async").isNotEqualTo(stored);
    Files.writeString(json, older);

    reopen();

    assertThat(store.active(SIEVE)).contains(version);
  }

  @Test
  void shouldKeepAFunctionOfANameThatTheGatewayHasTaken() {
    FunctionVersion version = deploy(FunctionName.CALLS, 1);
    List<String> warnings = new CopyOnWriteArrayList<>();
    Handler handler =
        new Handler() {
          @Override
          public void publish(LogRecord line) {
            if (line.getLevel().intValue() >= Level.WARNING.intValue()) {
              warnings.add(line.getMessage());
            }
          }

          @Override
          public void flush() {}

          @Override
          public void close() {}
        };
    Logger log = Logger.getLogger(FunctionStore.class.getName());
    log.addHandler(handler);
    try {
      reopen();
    } finally {
      log.removeHandler(handler);
    }

    assertThat(store.active(FunctionName.CALLS)).contains(version);
    assertThat(warnings).singleElement().asString().contains("event=function-name-taken");
  }

  @Test
  void shouldServeTheNewestVersionWhenThePointerIsUnreadable() throws IOException {
    FunctionVersion first = deploy(SIEVE, 1);
    FunctionVersion second = deploy(SIEVE, 2);
    Files.writeString(root.resolve("functions/sieve/active.json"), "\0\0\0");
    reopen();
    assertThat(store.active(SIEVE)).contains(second);
    assertThat(store.versions(SIEVE)).containsExactly(first, second);
    store.activate(second);
    reopen();
    assertThat(store.active(SIEVE)).contains(second);
    assertThat(store.previous(SIEVE)).contains(first);
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "{}", "[]", "{\"active\":2,\"history\":[1],\"highest\":2}"})
  void shouldServeTheNewestVersionThatIsReadable(String pointer) throws IOException {
    FunctionVersion first = deploy(SIEVE, 1);
    FunctionVersion second = deploy(SIEVE, 2);
    Files.writeString(root.resolve("functions/sieve/active.json"), pointer);
    Files.delete(store.archive(second));
    reopen();
    assertThat(store.active(SIEVE)).contains(first);
    assertThat(store.previous(SIEVE)).isEmpty();
    assertThat(deploy(SIEVE, 3).number()).isEqualTo(3);
    reopen();
    assertThat(store.previous(SIEVE)).contains(first);
  }

  /** As a hand in the store may leave it. */
  @Test
  void shouldTakeTheNewOneForWhatStandsInItsPlace() throws IOException {
    deploy(SIEVE, 1);
    Path pointer = root.resolve("functions/sieve/active.json");
    Files.delete(pointer);
    Files.createDirectories(pointer.resolve("within"));
    Files.writeString(root.resolve("functions/echo"), "no folder");
    reopen();
    FunctionVersion sieve = deploy(SIEVE, 2);
    FunctionVersion echo = deploy(ECHO, 1);
    reopen();
    assertThat(store.active(SIEVE)).contains(sieve);
    assertThat(store.active(ECHO)).contains(echo);
  }

  @Test
  void shouldLeaveOutAFunctionWhoseArchiveIsMissing() throws IOException {
    FunctionVersion version = deploy(SIEVE, 1);
    Files.delete(store.archive(version));
    reopen();
    assertThat(store.functions()).isEmpty();
    assertThat(store.isUnreadable(SIEVE)).isTrue();
    assertThat(store.isUnreadable(ECHO)).isFalse();
    assertThat(deploy(SIEVE, 1).number()).isEqualTo(2);
    assertThat(store.isUnreadable(SIEVE)).isFalse();
  }

  @Test
  void shouldBoundTheNumberOfFunctions() {
    opened.close();
    open(1);
    deploy(SIEVE, 1);
    ProblemException problem = catchThrowableOfType(ProblemException.class, () -> add(ECHO, 1));
    assertThat(problem.type()).isEqualTo(ProblemType.TOO_MANY);
    assertThat(problem).hasMessageContaining("TINYFAAS_MAX_FUNCTIONS");
    deploy(SIEVE, 2);
    store.remove(SIEVE);
    deploy(ECHO, 1);
  }

  @ParameterizedTest
  @ValueSource(ints = {0, -1, 10_001})
  void shouldRefuseABoundThatCannotBeMeant(int functions) {
    assertThatThrownBy(() -> new FunctionStore(opened, functions))
        .isInstanceOf(ConfigurationException.class)
        .hasMessage("TINYFAAS_MAX_FUNCTIONS is %d: use a number from 1 to 10000.", functions);
  }

  @Test
  void shouldGiveEveryOneOfManyAtOnceItsOwnNumber() throws InterruptedException {
    List<Integer> numbers = new ArrayList<>();
    try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
      Callable<FunctionVersion> deploy = () -> deploy(SIEVE, 1);
      for (Future<FunctionVersion> each :
          threads.invokeAll(java.util.Collections.nCopies(20, deploy))) {
        numbers.add(resultOf(each).number());
      }
    }
    assertThat(numbers).doesNotHaveDuplicates().hasSize(20);
    FunctionVersion active = store.active(SIEVE).orElseThrow();
    reopen();
    assertThat(store.active(SIEVE)).contains(active);
    assertThat(store.versions(SIEVE)).hasSize(10);
  }

  private static FunctionVersion resultOf(Future<FunctionVersion> future)
      throws InterruptedException {
    try {
      return future.get();
    } catch (ExecutionException e) {
      throw new AssertionError(e);
    }
  }

  @Test
  void shouldRefuseASecondManager() {
    assertThatThrownBy(() -> new StoreFolder(root))
        .isInstanceOf(ConfigurationException.class)
        .hasMessageContaining("another manager is using it");
  }
}
