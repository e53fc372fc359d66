package io.tinyfaas.manager.store;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.tinyfaas.contract.route.FunctionName;
import io.tinyfaas.harness.SmallDisk;
import io.tinyfaas.manager.problem.ProblemException;
import io.tinyfaas.manager.problem.ProblemType;
import io.tinyfaas.manager.spec.FunctionSpec;
import io.tinyfaas.manager.spec.Specs;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class FunctionStoreOnAFullDiskTest {

  private static final FunctionName SIEVE = new FunctionName("sieve");
  private static final FunctionName ECHO = new FunctionName("echo");
  private static final FunctionSpec SPEC = Specs.of("{\"runtime\": \"nodejs\"}");

  @TempDir Path disk;
  @TempDir Path elsewhere;
  private SmallDisk smallDisk;
  private StoreFolder folder;
  private FunctionStore store;
  private Path zip;

  @BeforeEach
  void mount() throws Exception {
    smallDisk = new SmallDisk(disk);
    folder = new StoreFolder(disk.resolve("store"));
    store = new FunctionStore(folder, 1000);
    zip = Files.write(elsewhere.resolve("large.zip"), new byte[300_000]);
  }

  @AfterEach
  void unmount() throws Exception {
    folder.close();
    smallDisk.close();
  }

  private List<Path> tree() throws IOException {
    try (Stream<Path> paths = Files.walk(disk.resolve("store"))) {
      return paths.sorted().toList();
    }
  }

  private void shouldSayThatTheDiskIsFull(Runnable change) {
    ProblemException problem = catchThrowableOfType(ProblemException.class, change::run);
    assertThat(problem.type()).isEqualTo(ProblemType.DISK_FULL);
    assertThat(problem).hasMessageContaining("make room");
  }

  @Test
  void shouldBeginALifeInWhichFunctionsCanBeDeleted() throws IOException {
    store.activate(store.add(SIEVE, SPEC, "a".repeat(64), zip));
    long before = new EpochFile(folder).next(0);
    smallDisk.fillUpTo(0);
    folder.close();

    folder = new StoreFolder(disk.resolve("store"));
    store = new FunctionStore(folder, 1000);
    long now = new EpochFile(folder).next(0);
    assertThat(now).isGreaterThan(before);
    store.remove(SIEVE);

    assertThat(store.functions()).isEmpty();
    assertThat(new EpochFile(folder).next(now + 1)).isEqualTo(now + 1);
  }

  @Test
  void shouldRefuseANewFunctionAndLeaveNothing() throws IOException {
    List<Path> before = tree();
    for (long free : new long[] {0, 4096, 8192, 16384, 65536}) {
      smallDisk.fillUpTo(free);
      shouldSayThatTheDiskIsFull(() -> store.add(ECHO, SPEC, "digest", zip));
      assertThat(tree()).isEqualTo(before);
      smallDisk.makeRoom();
    }
    store.activate(store.add(ECHO, SPEC, "digest", zip));
    assertThat(store.functions()).containsExactly(ECHO);
  }

  @Test
  void shouldKeepTheActiveVersionAndRemoveOnAFullDisk() throws IOException {
    FunctionVersion first = store.add(SIEVE, SPEC, "digest", zip);
    store.activate(first);
    List<Path> before = tree();
    smallDisk.fillUpTo(65536);
    shouldSayThatTheDiskIsFull(() -> store.add(SIEVE, SPEC, "other", zip));
    assertThat(tree()).isEqualTo(before);
    smallDisk.makeRoom();

    FunctionVersion candidate = store.add(SIEVE, SPEC, "digest", zip);
    smallDisk.fillUpTo(0);
    shouldSayThatTheDiskIsFull(() -> store.activate(candidate));
    assertThat(store.active(SIEVE)).contains(first);
    store.discard(candidate);
    assertThat(tree()).isEqualTo(before);
    store.remove(SIEVE);
    assertThat(store.functions()).isEmpty();
  }

  /** Another takes each block that is given back. */
  @Test
  void shouldStartWithoutAskingForRoom() throws IOException {
    store.activate(store.add(SIEVE, SPEC, "a".repeat(64), zip));
    Path upload = Files.writeString(folder.uploads().resolve("upload-1.zip"), "PK");
    smallDisk.fillUpTo(0);
    Object before = Files.getAttribute(folder.uploads(), "unix:ino");
    folder.close();

    folder = new StoreFolder(disk.resolve("store"));

    assertThat(upload).doesNotExist();
    assertThat(Files.getAttribute(folder.uploads(), "unix:ino")).isEqualTo(before);
  }

  @Test
  void shouldServeWhatThereIsOnAReadOnlyDisk() throws IOException {
    FunctionVersion first = store.add(SIEVE, SPEC, "a".repeat(64), zip);
    store.activate(first);
    FunctionVersion candidate = store.add(SIEVE, SPEC, "b".repeat(64), zip);
    DeviceStore devices = new DeviceStore(disk.resolve("store"), 3);
    long before = new EpochFile(folder).next(0);
    Files.writeString(disk.resolve("store/devices/.lamp.json.new"), "{\"na");
    Files.writeString(folder.uploads().resolve("upload-1.zip"), "PK");
    folder.close();
    smallDisk.makeReadOnly();

    folder = new StoreFolder(disk.resolve("store"));
    store = new FunctionStore(folder, 1000);
    devices = new DeviceStore(disk.resolve("store"), 3);

    assertThat(new EpochFile(folder).next(0)).isGreaterThan(before);
    assertThat(store.active(SIEVE)).contains(first);
    assertThat(store.versions(SIEVE)).containsExactly(first).doesNotContain(candidate);
    assertThat(store.archive(first)).exists();
    assertThat(devices.list()).isEmpty();
    shouldSayThatTheDiskIsReadOnly(() -> store.add(SIEVE, SPEC, "c".repeat(64), zip));
    shouldSayThatTheDiskIsReadOnly(() -> store.add(ECHO, SPEC, "c".repeat(64), zip));
    shouldSayThatTheDiskIsReadOnly(() -> store.remove(SIEVE));
    assertThat(store.functions()).containsExactly(SIEVE);
  }

  private void shouldSayThatTheDiskIsReadOnly(Runnable change) {
    ProblemException problem = catchThrowableOfType(ProblemException.class, change::run);
    assertThat(problem.type()).isEqualTo(ProblemType.DISK_FULL);
    assertThat(problem).hasMessageContaining("read-only");
  }
}
