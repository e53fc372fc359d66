package io.tinyfaas.manager.archive;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.tinyfaas.manager.problem.ProblemException;
import io.tinyfaas.manager.problem.ProblemType;
import java.io.IOException;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.nio.channels.SeekableByteChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Whose disk fails at any access: it is no damage of the archive. */
class ArchiveOnABrokenDiskTest {

  private static final ArchiveLimits LIMITS = new ArchiveLimits(1 << 20, 1 << 20, 100);

  @TempDir Path folder;
  private Path zip;

  @BeforeEach
  void write() throws IOException {
    zip =
        Files.write(
            folder.resolve("function.zip"),
            new ZipBytes()
                .file("fn/index.js", "x".repeat(5_000))
                .file("fn/package.json", "{}")
                .bytes());
  }

  /** Fails at its n-th access. */
  private static ZipOnDisk failingAt(int access, Path file, StandardOpenOption option)
      throws IOException {
    SeekableByteChannel real = Files.newByteChannel(file, option);
    int[] accesses = {0};
    return new ZipOnDisk(
        (SeekableByteChannel)
            Proxy.newProxyInstance(
                SeekableByteChannel.class.getClassLoader(),
                new Class<?>[] {SeekableByteChannel.class},
                (proxy, method, arguments) -> {
                  if (!method.getName().matches("close|isOpen") && ++accesses[0] >= access) {
                    throw new IOException("Input/output error");
                  }
                  try {
                    return method.invoke(real, arguments);
                  } catch (InvocationTargetException e) {
                    throw e.getCause();
                  }
                }));
  }

  @Test
  void shouldTellTheDisksFailureFromDamage() throws IOException {
    int access = 1;
    while (true) {
      try (ZipOnDisk disk = failingAt(access, zip, StandardOpenOption.READ)) {
        assertThat(ArchiveCheck.content(disk, LIMITS).files()).hasSize(2);
        break;
      } catch (IOException e) {
        assertThat(e).hasMessage("Input/output error");
      }
      access++;
    }
    assertThat(access).isGreaterThan(10);
  }

  @Test
  void shouldTellItWhereAFolderIsSelected() throws IOException {
    int access = 1;
    while (true) {
      Path selected = Files.createTempFile(folder, "selected", ".zip");
      try (ZipOnDisk from = failingAt(access, zip, StandardOpenOption.READ);
          ZipOnDisk to = ZipOnDisk.write(selected)) {
        ArchiveSubfolder.select(from, "fn", to, LIMITS);
        break;
      } catch (IOException e) {
        assertThat(e).hasMessage("Input/output error");
      }
      access++;
    }
    assertThat(access).isGreaterThan(10);
    Path selected = Files.createTempFile(folder, "selected", ".zip");
    try (ZipOnDisk from = ZipOnDisk.open(zip);
        ZipOnDisk to = failingAt(3, selected, StandardOpenOption.WRITE)) {
      assertThatThrownBy(() -> ArchiveSubfolder.select(from, "fn", to, LIMITS))
          .isInstanceOf(IOException.class)
          .hasMessage("Input/output error");
    }
  }

  /** Since it was checked. */
  @Test
  void shouldTellDamageFromTheDisksFailure() throws IOException {
    try (FunctionArchive archive = FunctionArchive.open(zip)) {
      byte[] damaged = Files.readAllBytes(zip);
      // Of the first entry's local header.
      damaged[0] = 0;
      Files.write(zip, java.util.Arrays.copyOf(damaged, 60));

      assertThatThrownBy(() -> archive.hasFile(path -> true, (path, content) -> false))
          .isInstanceOfSatisfying(
              ProblemException.class,
              problem -> assertThat(problem.type()).isEqualTo(ProblemType.INVALID_ARCHIVE));
    }
  }
}
