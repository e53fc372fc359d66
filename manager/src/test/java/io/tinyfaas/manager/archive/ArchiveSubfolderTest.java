package io.tinyfaas.manager.archive;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.tinyfaas.manager.problem.ProblemException;
import io.tinyfaas.manager.problem.ProblemType;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import org.apache.commons.compress.archivers.tar.TarArchiveInputStream;
import org.apache.commons.compress.archivers.tar.TarArchiveOutputStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ArchiveSubfolderTest {

  private static final ArchiveLimits LIMITS = new ArchiveLimits(1 << 20, 1 << 20, 100);

  @TempDir Path folder;

  @AfterEach
  void nothingIsLeft() {
    assertThat(folder).isEmptyDirectory();
  }

  /** As GitHub packs a repository: one folder around all of it. */
  private static byte[] repository() {
    return new ZipBytes()
        .folder("repo-main/")
        .file("repo-main/README.md", "about")
        .folder("repo-main/fns/")
        .folder("repo-main/fns/echo/")
        .file("repo-main/fns/echo/index.js", "echo")
        .executable("repo-main/fns/echo/bin/run.sh", "#!/bin/sh")
        .file("repo-main/fns/echo-other/index.js", "other")
        .entry(
            "repo-main/link",
            "README.md".getBytes(StandardCharsets.UTF_8),
            e -> e.setUnixMode(0120777))
        .bytes();
  }

  private FunctionArchive receive(byte[] zip, String subfolder) {
    return FunctionArchive.receive(out -> out.write(zip), subfolder, folder, LIMITS);
  }

  private ProblemException refusal(byte[] zip, String subfolder) {
    return catchThrowableOfType(ProblemException.class, () -> receive(zip, subfolder));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "repo-main/fns/echo",
        "fns/echo",
        "/fns/echo/",
        "./fns//echo",
        "repo-main/fns/echo/"
      })
  void shouldTakeOneFolder(String subfolder) throws Exception {
    try (FunctionArchive archive = receive(repository(), subfolder)) {
      assertThat(archive.paths()).containsExactly("bin/run.sh", "index.js");
      var bytes = new ByteArrayOutputStream();
      try (TarArchiveOutputStream tar = new TarArchiveOutputStream(bytes)) {
        archive.writeTo(tar, "f/");
      }
      try (var tar = new TarArchiveInputStream(new ByteArrayInputStream(bytes.toByteArray()))) {
        assertThat(tar.getNextEntry().getMode() & 0777).isEqualTo(0755);
        assertThat(new String(tar.readAllBytes(), StandardCharsets.UTF_8)).isEqualTo("#!/bin/sh");
        tar.getNextEntry();
        assertThat(new String(tar.readAllBytes(), StandardCharsets.UTF_8)).isEqualTo("echo");
      }
    }
  }

  @Test
  void shouldBeTheSameAsTheFolderSentByItself() {
    byte[] alone =
        new ZipBytes().file("index.js", "echo").executable("bin/run.sh", "#!/bin/sh").bytes();
    try (FunctionArchive selected = receive(repository(), "fns/echo");
        FunctionArchive sent = receive(alone, "")) {
      assertThat(selected.digest()).isEqualTo(sent.digest());
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"repo/fns/echo", "fns/echo", "./repo/fns/echo"})
  void shouldTakeOneFolderOfWhatMacOsPacked(String subfolder) {
    byte[] zip =
        new ZipBytes()
            .folder("./")
            .file("./repo/README.md", "about")
            .file("./repo/fns/echo/index.js", "echo")
            .file("./__MACOSX/repo/._README.md", "x")
            .file("./.DS_Store", "x")
            .bytes();
    try (FunctionArchive archive = receive(zip, subfolder)) {
      assertThat(archive.paths()).containsExactly("index.js");
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"fns/none", "fns/echo/index.js", "fns/ech", "README.md"})
  void shouldRefuseAFolderThatIsNotThere(String subfolder) {
    ProblemException refusal = refusal(repository(), subfolder);

    assertThat(refusal.type()).isEqualTo(ProblemType.INVALID_ARCHIVE);
    assertThat(refusal).hasMessageContaining(subfolder);
  }

  @ParameterizedTest
  @ValueSource(strings = {"..", "fns/../../etc", "fns/echo/.."})
  void shouldRefuseAFolderOutside(String subfolder) {
    assertThat(refusal(repository(), subfolder)).hasMessageContaining("leads out");
  }

  @ParameterizedTest
  @ValueSource(strings = {"", ".", "/", "./"})
  void shouldTakeAllOfItForNoFolder(String subfolder) {
    byte[] zip = new ZipBytes().file("a/index.js", "a").file("b/index.js", "b").bytes();
    try (FunctionArchive archive = receive(zip, subfolder)) {
      assertThat(archive.paths()).isEqualTo(List.of("a/index.js", "b/index.js"));
    }
  }

  @Test
  void shouldCheckWhatIsInTheFolder() {
    byte[] zip =
        new ZipBytes()
            .entry(
                "fn/link",
                "/etc/passwd".getBytes(StandardCharsets.UTF_8),
                e -> e.setUnixMode(0120777))
            .file("fn/../../evil", "x")
            .bytes();

    assertThat(refusal(zip, "fn").type()).isEqualTo(ProblemType.INVALID_ARCHIVE);
    assertThat(refusal("no zip at all".getBytes(StandardCharsets.UTF_8), "fn").type())
        .isEqualTo(ProblemType.INVALID_ARCHIVE);
  }
}
