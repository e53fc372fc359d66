package io.tinyfaas.manager.archive;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.tinyfaas.manager.problem.ProblemType;
import io.tinyfaas.manager.spec.Specs;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveInputStream;
import org.apache.commons.compress.archivers.tar.TarArchiveOutputStream;
import org.apache.commons.compress.archivers.zip.UnicodePathExtraField;
import org.apache.commons.compress.archivers.zip.ZipArchiveEntry;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Names as tools write them that are not Info-ZIP. */
class ArchiveNamesTest extends ReceivedArchives {

  private static final Consumer<ZipArchiveEntry> OF_WINDOWS = entry -> {};

  private static byte[] x() {
    return "x".getBytes(UTF_8);
  }

  @ParameterizedTest
  @ValueSource(strings = {"/", "./", "././", "//", "/./", ".//"})
  void shouldTakeWhatStandsForTheTopInFrontOfAName(String top) {
    byte[] zip =
        new ZipBytes()
            .folder(top)
            .file(top + "index.js", "a")
            .folder(top + "lib/")
            .file(top + "lib/b.js", "b")
            .bytes();
    try (FunctionArchive archive = receive(zip);
        FunctionArchive same =
            receive(new ZipBytes().file("index.js", "a").file("lib/b.js", "b").bytes())) {
      assertThat(archive.paths()).containsExactly("index.js", "lib/b.js");
      assertThat(archive.digest()).isEqualTo(same.digest());
      assertThat(archive.hasFile("lib/b.js"::equals, (path, in) -> in.read() == 'b')).isTrue();
    }
  }

  @Test
  void shouldTakeAnAbsoluteNameForOneInTheFunction() {
    try (FunctionArchive archive =
        receive(new ZipBytes().file("/etc/passwd", "x").file("/index.js", "x").bytes())) {
      assertThat(archive.paths()).containsExactly("etc/passwd", "index.js");
    }
  }

  @Test
  void shouldTakeOffAFolderAroundAllWithASlashInFrontOfIt() {
    byte[] zip = new ZipBytes().file("/src/index.js", "a").file("src/src/b.js", "b").bytes();
    try (FunctionArchive archive = receive(zip)) {
      assertThat(archive.paths()).containsExactly("index.js", "src/b.js");
      assertThatThrownBy(
              () ->
                  archive.require(
                      Specs.of("{\"runtime\": \"nodejs\", \"entry\": \"src/index.js\"}")))
          .hasMessageEndingWith("name it index.js.");
    }
  }

  @Test
  void shouldTakeBackslashesWhereNoNameHasASlash() {
    byte[] zip =
        new ZipBytes().file("index.js", "a").file("lib|b.js", "b").file("lib|c.js", "c").bytes();
    ZipBytes.replace(zip, "lib|", "lib\\");
    try (FunctionArchive archive = receive(zip)) {
      assertThat(archive.paths()).containsExactly("index.js", "lib/b.js", "lib/c.js");
      assertThat(archive.hasFile("lib/c.js"::equals, (path, in) -> in.read() == 'c')).isTrue();
    }
  }

  /** Folders with a backslash at their end, and such that end as the format has it. */
  @Test
  void shouldTakeBackslashesOfWindowsBesideSlashes() {
    byte[] zip =
        new ZipBytes()
            .entry("fn/", new byte[0], OF_WINDOWS)
            .entry("fn|lib|", new byte[0], OF_WINDOWS)
            .entry("fn|lib|b.js", x(), OF_WINDOWS)
            .entry("fn/a|c.js", x(), OF_WINDOWS)
            .entry(".|fn|index.js", x(), OF_WINDOWS)
            .bytes();
    ZipBytes.replace(zip, "fn|", "fn\\");
    ZipBytes.replace(zip, "lib|", "lib\\");
    ZipBytes.replace(zip, "a|", "a\\");
    ZipBytes.replace(zip, ".|", ".\\");
    try (FunctionArchive archive = receive(zip)) {
      assertThat(archive.paths()).containsExactly("a/c.js", "index.js", "lib/b.js");
    }
  }

  @Test
  void shouldTakeTheNameInTheUnicodeExtraField() {
    byte[] zip =
        new ZipBytes().inCodePage437().file("grün/Größe.js", "a").file("grün/b.js", "b").bytes();
    assertThat(new String(zip, ISO_8859_1)).contains("gr\u0081n/b.js");
    try (FunctionArchive archive = receive(zip)) {
      assertThat(archive.paths()).containsExactly("Größe.js", "b.js");
      assertThat(archive.hasFile("Größe.js"::equals, (path, in) -> in.read() == 'a')).isTrue();
    }
  }

  /** Characters that the old encoding does not have are all the same in it. */
  @Test
  void shouldTellFilesApartWhoseOtherNamesAreTheSame() throws IOException {
    byte[] old = "?.js".getBytes(UTF_8);
    byte[] zip =
        new ZipBytes()
            .withoutUtf8Flag()
            .entry("?.js", x(), e -> e.addExtraField(new UnicodePathExtraField("Ж.js", old)))
            .entry("?.js", old, e -> e.addExtraField(new UnicodePathExtraField("И.js", old)))
            .bytes();
    try (FunctionArchive archive = receive(zip)) {
      assertThat(archive.paths()).containsExactly("Ж.js", "И.js");
      assertThat(archive.hasFile("И.js"::equals, (path, in) -> in.read() == '?')).isTrue();
      assertThat(tar(archive)).containsExactly("f/Ж.js 100644 x", "f/И.js 100644 ?.js");
    }
  }

  @Test
  void shouldNotTakeANameThatIsOfAnotherOne() {
    byte[] zip =
        new ZipBytes()
            .withoutUtf8Flag()
            .entry(
                "renamed.js",
                x(),
                e ->
                    e.addExtraField(new UnicodePathExtraField("before.js", "before.js".getBytes())))
            .bytes();
    byte[] flagged =
        new ZipBytes()
            .entry(
                "a.js",
                x(),
                e -> e.addExtraField(new UnicodePathExtraField("b.js", "a.js".getBytes())))
            .bytes();
    try (FunctionArchive archive = receive(zip);
        FunctionArchive inUtf8 = receive(flagged)) {
      assertThat(archive.paths()).containsExactly("renamed.js");
      assertThat(inUtf8.paths()).containsExactly("a.js");
    }
  }

  @Test
  void shouldKeepEmptyFolders() throws IOException {
    byte[] zip =
        new ZipBytes()
            .folder("fn/")
            .file("fn/index.js", "a")
            .folder("fn/lib/")
            .file("fn/lib/b.js", "b")
            .folder("fn/data/")
            .folder("fn/data/cache/")
            .entry("fn/logs/", new byte[0], entry -> entry.setUnixMode(0040700))
            .file("fn/up/.DS_Store", "x")
            .folder("__MACOSX/")
            .file("__MACOSX/fn/._index.js", "x")
            .bytes();
    try (FunctionArchive archive = receive(zip)) {
      assertThat(archive.paths()).containsExactly("index.js", "lib/b.js");
      assertThat(tar(archive))
          .containsExactly(
              "f/index.js 100644 a",
              "f/lib/b.js 100644 b",
              "f/data/cache/ 40755 ",
              "f/logs/ 40755 ",
              "f/up/ 40755 ");
    }
  }

  @Test
  void shouldCountEmptyFoldersInTheDigest() {
    byte[] none = new ZipBytes().folder("a/").file("a/b", "1").file("c", "1").bytes();
    byte[] implied = new ZipBytes().file("a/b", "1").file("c", "1").bytes();
    byte[] one = new ZipBytes().file("a/b", "1").file("c", "1").folder("d/").bytes();
    byte[] other = new ZipBytes().file("a/b", "1").file("c", "1").folder("e/").bytes();
    try (FunctionArchive withNone = receive(none);
        FunctionArchive withImplied = receive(implied);
        FunctionArchive withOne = receive(one);
        FunctionArchive withOther = receive(other)) {
      assertThat(withNone.digest()).isEqualTo(withImplied.digest());
      assertThat(List.of(withNone.digest(), withOne.digest(), withOther.digest()))
          .doesNotHaveDuplicates();
    }
  }

  /** What ran before is still a folder around everything. */
  @Test
  void shouldTakeOffAFolderAroundAllFilesWhateverFoldersAreBesideIt() {
    byte[] zip = new ZipBytes().file("fn/index.js", "a").folder("data/").bytes();
    try (FunctionArchive archive = receive(zip)) {
      assertThat(archive.paths()).containsExactly("index.js");
    }
  }

  /** As Maven writes folders of a jar. */
  @Test
  void shouldTakeEntriesOfNoMode() throws IOException {
    byte[] zip =
        new ZipBytes()
            .entry("META-INF/", new byte[0], entry -> entry.setUnixMode(0177777))
            .entry("META-INF/MANIFEST.MF", x(), entry -> entry.setUnixMode(0177777))
            .file("A.class", "x")
            .bytes();
    try (FunctionArchive archive = receive(zip)) {
      assertThat(tar(archive))
          .containsExactly("f/A.class 100644 x", "f/META-INF/MANIFEST.MF 100644 x");
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"fns/echo", "repo/fns/echo"})
  void shouldFindAFolderByTheNamesThatAreMeant(String subfolder) {
    byte[] slash =
        new ZipBytes()
            .file("/repo/README.md", "x")
            .file("/repo/fns/echo/index.js", "x")
            .folder("/repo/fns/echo/data/")
            .bytes();
    byte[] backslash =
        new ZipBytes()
            .entry("repo|README.md", x(), OF_WINDOWS)
            .entry("repo|fns|echo|index.js", x(), OF_WINDOWS)
            .bytes();
    ZipBytes.replace(backslash, "repo|README", "repo\\README");
    ZipBytes.replace(backslash, "repo|fns|echo|", "repo\\fns\\echo\\");
    for (byte[] zip : List.of(slash, backslash)) {
      try (FunctionArchive archive =
          FunctionArchive.receive(out -> out.write(zip), subfolder, folder, LIMITS)) {
        assertThat(archive.paths()).containsExactly("index.js");
      }
    }
  }

  /** Under the name that has other characters in place of them, nobody would find it. */
  @Test
  void shouldRefuseNamesInAFolderThatAreNotUtf8() {
    byte[] zip = new ZipBytes().file("README.md", "x").file("fn/grxn.js", "x").bytes();
    for (int at = 0; at < zip.length; at++) {
      if (zip[at] == 'r' && zip[at + 1] == 'x') {
        zip[at + 1] = (byte) 0x81;
      }
    }
    assertThatThrownBy(() -> FunctionArchive.receive(out -> out.write(zip), "fn", folder, LIMITS))
        .hasMessageContaining("UTF-8");
    refusal(ProblemType.INVALID_ARCHIVE, zip);
  }

  private static List<String> tar(FunctionArchive archive) throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (TarArchiveOutputStream tar = new TarArchiveOutputStream(bytes, "UTF-8")) {
      archive.writeTo(tar, "f/");
    }
    List<String> found = new ArrayList<>();
    try (TarArchiveInputStream tar =
        new TarArchiveInputStream(new ByteArrayInputStream(bytes.toByteArray()), "UTF-8")) {
      for (TarArchiveEntry each = tar.getNextEntry(); each != null; each = tar.getNextEntry()) {
        found.add(
            each.getName()
                + " "
                + Integer.toOctalString(each.getMode())
                + " "
                + new String(tar.readAllBytes(), UTF_8));
      }
    }
    return found;
  }
}
