package io.tinyfaas.manager.archive;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatNoException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.tinyfaas.manager.problem.ProblemException;
import io.tinyfaas.manager.problem.ProblemType;
import io.tinyfaas.manager.spec.FunctionSpec;
import io.tinyfaas.manager.spec.Specs;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.SequenceInputStream;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveInputStream;
import org.apache.commons.compress.archivers.tar.TarArchiveOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class FunctionArchiveTest extends ReceivedArchives {

  @Test
  void shouldListFilesWithoutTheFolderAroundThem() {
    byte[] zip =
        new ZipBytes()
            .folder("fn/")
            .file("fn/index.js", "a")
            .file("fn/lib/b.js", "b")
            .file("fn/.DS_Store", "x")
            .file("__MACOSX/fn/._index.js", "x")
            .bytes();
    try (FunctionArchive archive = receive(zip)) {
      assertThat(archive.paths()).containsExactly("index.js", "lib/b.js");
      assertThat(archive.digest()).hasSize(64);
      assertThat(archive.file()).hasBinaryContent(zip);
    }
  }

  /** As bsdtar writes them, which is the tar of Windows and macOS. */
  @Test
  void shouldReadNamesThatBeginWithADot() {
    byte[] zip =
        new ZipBytes()
            .folder("./")
            .file("./index.js", "a")
            .folder("./lib/")
            .file("./lib/b.js", "b")
            .file("./.DS_Store", "x")
            .bytes();
    byte[] plain = new ZipBytes().file("index.js", "a").file("lib/b.js", "b").bytes();
    byte[] inAFolder =
        new ZipBytes().folder("./").file("./fn/index.js", "a").file("./fn/lib/b.js", "b").bytes();
    try (FunctionArchive archive = receive(zip);
        FunctionArchive same = receive(plain);
        FunctionArchive inner = receive(inAFolder)) {
      assertThat(archive.paths()).containsExactly("index.js", "lib/b.js");
      assertThat(archive.digest()).isEqualTo(same.digest()).isEqualTo(inner.digest());
      assertThat(archive.hasFile("lib/b.js"::equals, (path, in) -> in.read() == 'b')).isTrue();
    }
  }

  @Test
  void shouldLeaveOutWhatFileManagersLeaveInFolders() {
    byte[] zip =
        new ZipBytes()
            .file("fn/fn.py", "a")
            .file("fn/._fn.py", "x")
            .file("fn/lib/Thumbs.db", "x")
            .file("Thumbs.db", "x")
            .file("desktop.ini", "x")
            .file("._fn", "x")
            .bytes();
    try (FunctionArchive archive = receive(zip)) {
      assertThat(archive.paths()).containsExactly("fn.py");
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "./"})
  void shouldSayThatTheFolderAroundThemDoesNotCountInAnEntry(String dot) {
    byte[] zip =
        new ZipBytes().file(dot + "src/index.js", "a").file(dot + "src/src/b.js", "b").bytes();
    try (FunctionArchive archive = receive(zip)) {
      for (String entry : List.of("index.js", "src/b.js", "src/none.js", "src.Fn")) {
        assertThatNoException().isThrownBy(() -> archive.require(withEntry(entry)));
      }
      assertThatThrownBy(() -> archive.require(withEntry("src/index.js")))
          .isInstanceOfSatisfying(
              ProblemException.class,
              problem -> {
                assertThat(problem.type()).isEqualTo(ProblemType.INVALID_SPEC);
                assertThat(problem.field()).isEqualTo("entry");
              })
          .hasMessageEndingWith("name it index.js.");
    }
  }

  private static FunctionSpec withEntry(String entry) {
    return Specs.of("{\"runtime\": \"nodejs\", \"entry\": \"" + entry + "\"}");
  }

  @Test
  void shouldKeepTwoTopFolders() {
    try (FunctionArchive archive =
        receive(new ZipBytes().file("a/x", "").file("b/x", "").bytes())) {
      assertThat(archive.paths()).containsExactly("a/x", "b/x");
    }
  }

  @Test
  void shouldKeepAFolderBesideAFile() {
    try (FunctionArchive archive = receive(new ZipBytes().file("a/x", "").file("x", "").bytes())) {
      assertThat(archive.paths()).containsExactly("a/x", "x");
    }
  }

  @Test
  void shouldReadWhatTheJdkWrites() throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (ZipOutputStream zip = new ZipOutputStream(bytes)) {
      zip.putNextEntry(new ZipEntry("grün.js"));
      zip.write("x".getBytes(UTF_8));
      zip.closeEntry();
      zip.setComment("made by a build");
    }
    try (FunctionArchive archive = receive(bytes.toByteArray())) {
      assertThat(archive.paths()).containsExactly("grün.js");
    }
  }

  @Test
  void shouldReadStoredEntriesThatAreZipsThemselves() {
    byte[] inner = new ZipBytes().file("a", "b").bytes();
    java.util.zip.CRC32 crc = new java.util.zip.CRC32();
    crc.update(inner);
    byte[] zip =
        new ZipBytes()
            .entry(
                "lib.jar",
                inner,
                entry -> {
                  entry.setMethod(ZipEntry.STORED);
                  entry.setSize(inner.length);
                  entry.setCrc(crc.getValue());
                })
            .bytes();
    try (FunctionArchive archive = receive(zip)) {
      assertThat(archive.paths()).containsExactly("lib.jar");
    }
  }

  @Test
  void shouldGiveTheSameDigestToTheSameFiles() {
    byte[] one = new ZipBytes().file("a", "1").executable("b", "2").bytes();
    byte[] other = new ZipBytes().folder("fn/").executable("fn/b", "2").file("fn/a", "1").bytes();
    try (FunctionArchive first = receive(one);
        FunctionArchive second = receive(other);
        FunctionArchive opened = FunctionArchive.open(first.file())) {
      assertThat(second.digest()).isEqualTo(first.digest());
      assertThat(opened.digest()).isEqualTo(first.digest());
    }
  }

  @Test
  void shouldGiveAnotherDigestToOtherBytesPathsAndModes() {
    String[] digests =
        java.util.stream.Stream.of(
                new ZipBytes().file("a", "1").bytes(),
                new ZipBytes().file("a", "2").bytes(),
                new ZipBytes().file("b", "1").bytes(),
                new ZipBytes().executable("a", "1").bytes())
            .map(
                zip -> {
                  try (FunctionArchive archive = receive(zip)) {
                    return archive.digest();
                  }
                })
            .toArray(String[]::new);
    assertThat(digests).doesNotHaveDuplicates();
  }

  @Test
  void shouldWriteFilesIntoATarAndMakeThoseExecutableThatAreOrThatArePrograms() throws IOException {
    String deep = "d/".repeat(30) + "x".repeat(150);
    byte[] zip =
        new ZipBytes()
            .executable("run.sh", "go")
            .file("lib/" + deep, "é")
            .file("program", "\u007fELF…")
            .entry("short", new byte[] {0x7f, 'E'}, entry -> entry.setUnixMode(0))
            .bytes();
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (FunctionArchive archive = receive(zip);
        TarArchiveOutputStream tar = new TarArchiveOutputStream(bytes)) {
      archive.writeTo(tar, "function/");
    }
    Map<String, String> found = new LinkedHashMap<>();
    try (TarArchiveInputStream tar =
        new TarArchiveInputStream(new ByteArrayInputStream(bytes.toByteArray()))) {
      for (TarArchiveEntry entry = tar.getNextEntry(); entry != null; entry = tar.getNextEntry()) {
        found.put(
            entry.getName(),
            Integer.toOctalString(entry.getMode()) + " " + new String(tar.readAllBytes(), UTF_8));
      }
    }
    assertThat(found)
        .containsExactly(
            Map.entry("function/lib/" + deep, "100644 é"),
            Map.entry("function/program", "100755 \u007fELF…"),
            Map.entry("function/run.sh", "100755 go"),
            Map.entry("function/short", "100644 \u007fE"));
  }

  @Test
  void shouldReadThe64BitForm() {
    byte[] zip = new ZipBytes().with64Bits().file("index.js", "x").bytes();
    try (FunctionArchive archive = receive(zip)) {
      assertThat(archive.paths()).containsExactly("index.js");
    }
  }

  @Test
  void shouldTellAnUploadThatBrokeOff() {
    InputStream broken =
        new SequenceInputStream(
            new ByteArrayInputStream(new byte[1000]),
            new InputStream() {
              @Override
              public int read() throws IOException {
                throw new IOException("connection reset");
              }
            });
    refusal(ProblemType.INVALID_REQUEST, broken);
  }

  @Test
  void shouldLeaveNothingBehindWhereMemoryRunsOut() {
    OutOfMemoryError noMemory = new OutOfMemoryError();
    FunctionArchive.Upload upload =
        out -> {
          out.write(new byte[1000]);
          throw noMemory;
        };
    assertThatThrownBy(() -> FunctionArchive.receive(upload, "", folder, LIMITS))
        .isSameAs(noMemory);
    assertThat(folder).isEmptyDirectory();
  }
}
