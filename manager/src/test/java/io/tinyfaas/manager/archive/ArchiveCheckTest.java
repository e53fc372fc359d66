package io.tinyfaas.manager.archive;

import static io.tinyfaas.manager.archive.ZipBytes.replace;
import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.tinyfaas.manager.problem.ProblemException;
import io.tinyfaas.manager.problem.ProblemType;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.List;
import org.apache.commons.compress.archivers.zip.UnicodePathExtraField;
import org.apache.commons.compress.archivers.zip.ZipMethod;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Archives that are damaged, or that lead elsewhere. */
class ArchiveCheckTest extends ReceivedArchives {

  private static final byte[] A = {'a'};
  private static final byte[] X = {'x'};

  @ParameterizedTest
  @ValueSource(strings = {"", "hello", "PK\3\4 and then nothing of a zip that is longer than that"})
  void shouldRefuseWhatIsNotAZip(String content) {
    refusal(ProblemType.INVALID_ARCHIVE, content.getBytes(ISO_8859_1));
  }

  @Test
  void shouldRefuseACutOffZip() {
    byte[] zip = new ZipBytes().file("index.js", "x".repeat(5000)).bytes();
    for (int length = 0; length < zip.length; length += 7) {
      refusal(ProblemType.INVALID_ARCHIVE, Arrays.copyOf(zip, length));
    }
  }

  @Test
  void shouldNeverFailOtherwiseOnDamage() {
    byte[] zip = new ZipBytes().file("index.js", "some content").folder("a/").bytes();
    for (int at = 0; at < zip.length; at++) {
      for (int value : new int[] {0, 0x7f, 0xff}) {
        byte[] damaged = zip.clone();
        damaged[at] = (byte) value;
        try (FunctionArchive archive = receive(damaged)) {
          assertThat(archive.paths()).hasSize(1);
        } catch (ProblemException e) {
          assertThat(e.type()).isIn(ProblemType.INVALID_ARCHIVE, ProblemType.ARCHIVE_TOO_LARGE);
        }
      }
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "../evil.js",
        "a/../../evil.js",
        "a/..",
        "a//b",
        "./../a",
        "/../a",
        "/./../a",
        "a/./b",
        "..\\evil",
        "a\\..\\..\\evil",
        "C:\\evil",
        "C:/evil",
        "/C:/evil",
        "c:evil",
        "a\0b",
        "a\nb"
      })
  void shouldRefuseAPathThatLeadsElsewhere(String name) {
    // commons-compress turns backslashes around, so they are put in afterwards.
    byte[] zip = new ZipBytes().file(name.replace('\\', '|'), "x").bytes();
    replace(zip, name.replace('\\', '|'), name);
    ProblemException problem = refusal(ProblemType.INVALID_ARCHIVE, zip);
    assertThat(problem.field())
        .isEqualTo(
            name.replaceAll("\\p{Cntrl}", "?").replace('\\', '/').replaceFirst("^(\\./|/)+", ""));
  }

  /** As bsdtar names the folder that it is told to pack. */
  @Test
  void shouldRefuseAnArchivesOwnFolderThatIsNone() {
    for (ZipBytes zip :
        List.of(
            new ZipBytes().entry("./", "x".getBytes(UTF_8), entry -> entry.setUnixMode(0040755)),
            new ZipBytes().entry("./", new byte[0], entry -> entry.setUnixMode(0120777)))) {
      assertThat(refusal(ProblemType.INVALID_ARCHIVE, zip.file("./a", "x").bytes()).field())
          .isEqualTo("./");
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"", ".", "/.", "./."})
  void shouldRefuseAFileWithoutAName(String name) {
    refusal(ProblemType.INVALID_ARCHIVE, new ZipBytes().file("a", "x").file(name, "x").bytes());
  }

  /** Beside names with slashes a backslash may be a character of a name. */
  @Test
  void shouldSayHowToMakeAnArchiveOnWindows() {
    byte[] zip = new ZipBytes().file("lib|a.js", "x").file("lib/b.js", "x").bytes();
    replace(zip, "lib|a.js", "lib\\a.js");

    assertThat(refusal(ProblemType.INVALID_ARCHIVE, zip))
        .hasMessageContaining("on Windows 'tar -a -c -f ../function.zip .'");
  }

  @ParameterizedTest
  @ValueSource(ints = {0120777, 0010644, 0020644, 0060644, 0140755, 0040755})
  void shouldRefuseSymlinksAndSpecialFiles(int mode) {
    byte[] zip =
        new ZipBytes()
            .file("index.js", "x")
            .entry("link", "/etc/passwd".getBytes(UTF_8), entry -> entry.setUnixMode(mode))
            .bytes();
    ProblemException problem = refusal(ProblemType.INVALID_ARCHIVE, zip);
    assertThat(problem.field()).isEqualTo("link");
    assertThat(problem).hasMessageContaining("symbolic link");
  }

  @ParameterizedTest
  @ValueSource(strings = {".wh.index.js", "lib/.wh..wh..opq", ".wh.lib/a.js", "./.wh.a"})
  void shouldRefuseNamesByWhichAnImageRemovesFiles(String name) {
    byte[] zip = new ZipBytes().file("index.js", "x").file(name, "x").bytes();
    assertThat(refusal(ProblemType.INVALID_ARCHIVE, zip).field())
        .isEqualTo(name.replaceFirst("^\\./", ""));
  }

  @Test
  void shouldRefuseDuplicates() {
    byte[] zip = new ZipBytes().file("a.js", "1").file("b.js", "2").bytes();
    replace(zip, "b.js", "a.js");
    assertThat(refusal(ProblemType.INVALID_ARCHIVE, zip)).hasMessageContaining("twice");
    for (ZipBytes twice :
        List.of(
            new ZipBytes().file("a.js", "1").file("./a.js", "2"),
            new ZipBytes().file("a.js", "1").file("/a.js", "2"),
            new ZipBytes().file("/a.js", "1").file("./a.js/b", "2"),
            new ZipBytes().file("./a.js", "1").file("a.js/b", "2"))) {
      refusal(ProblemType.INVALID_ARCHIVE, twice.bytes());
    }
  }

  @Test
  void shouldRefuseDuplicatesThatAreWrittenInTwoWays() {
    byte[] backslash = new ZipBytes().file("a/b", "1").entry("a|b", X, entry -> {}).bytes();
    replace(backslash, "a|b", "a\\b");
    assertThat(refusal(ProblemType.INVALID_ARCHIVE, backslash)).hasMessageContaining("twice");
    byte[] unicode =
        new ZipBytes()
            .withoutUtf8Flag()
            .entry("a", X, entry -> entry.addExtraField(new UnicodePathExtraField("c", A)))
            .file("c", "2")
            .bytes();
    assertThat(refusal(ProblemType.INVALID_ARCHIVE, unicode)).hasMessageContaining("twice");
  }

  @ParameterizedTest
  @ValueSource(strings = {"../evil", "a//b", "C:evil", ".wh.a", "a\nb"})
  void shouldCheckTheNameInAnExtraField(String name) {
    byte[] zip =
        new ZipBytes()
            .withoutUtf8Flag()
            .entry("a", X, entry -> entry.addExtraField(new UnicodePathExtraField(name, A)))
            .bytes();
    assertThat(refusal(ProblemType.INVALID_ARCHIVE, zip).field())
        .isEqualTo(name.replaceAll("\\p{Cntrl}", "?"));
  }

  @Test
  void shouldRefuseTwoEntriesOfOneFile() {
    byte[] zip =
        new ZipBytes()
            .withoutUtf8Flag()
            .entry("a", X, entry -> entry.addExtraField(new UnicodePathExtraField("b", A)))
            .entry("a", X, entry -> entry.addExtraField(new UnicodePathExtraField("c", A)))
            .bytes();
    ByteBuffer header = ByteBuffer.wrap(zip).order(ByteOrder.LITTLE_ENDIAN);
    int first = header.getInt(zip.length - 6);
    int second = first + 46 + header.getShort(first + 28) + header.getShort(first + 30);
    header.putInt(second + 42, header.getInt(first + 42));
    assertThat(refusal(ProblemType.INVALID_ARCHIVE, zip)).hasMessageContaining("overlaps");
  }

  @Test
  void shouldRefuseAPathThatIsAFileAndAFolder() {
    refusal(ProblemType.INVALID_ARCHIVE, new ZipBytes().file("a", "1").file("a/b", "2").bytes());
    refusal(ProblemType.INVALID_ARCHIVE, new ZipBytes().file("a/b", "1").file("a", "2").bytes());
    refusal(ProblemType.INVALID_ARCHIVE, new ZipBytes().file("a", "1").folder("a/").bytes());
    refusal(ProblemType.INVALID_ARCHIVE, new ZipBytes().folder("a/").file("a", "1").bytes());
  }

  @Test
  void shouldRefuseAWrongChecksum() {
    byte[] zip = new ZipBytes().file("index.js", "content").bytes();
    ByteBuffer header = ByteBuffer.wrap(zip).order(ByteOrder.LITTLE_ENDIAN);
    header.putInt(header.getInt(zip.length - 6) + 16, 42);
    assertThat(refusal(ProblemType.INVALID_ARCHIVE, zip)).hasMessageContaining("CRC-32");
  }

  @Test
  void shouldRefuseAWrongSize() {
    byte[] zip = new ZipBytes().file("index.js", "content").bytes();
    ByteBuffer header = ByteBuffer.wrap(zip).order(ByteOrder.LITTLE_ENDIAN);
    header.putInt(header.getInt(zip.length - 6) + 24, 3);
    assertThat(refusal(ProblemType.INVALID_ARCHIVE, zip).field()).isEqualTo("index.js");
  }

  @Test
  void shouldRefuseEncryptedEntries() {
    byte[] zip = new ZipBytes().file("index.js", "content").bytes();
    ByteBuffer header = ByteBuffer.wrap(zip).order(ByteOrder.LITTLE_ENDIAN);
    int directory = header.getInt(zip.length - 6);
    header.putShort(directory + 8, (short) (header.getShort(directory + 8) | 1));
    assertThat(refusal(ProblemType.INVALID_ARCHIVE, zip)).hasMessageContaining("password");
  }

  @Test
  void shouldRefuseOtherCompressionMethods() {
    byte[] zip = new ZipBytes().file("index.js", "content").bytes();
    ByteBuffer header = ByteBuffer.wrap(zip).order(ByteOrder.LITTLE_ENDIAN);
    header.putShort(header.getInt(zip.length - 6) + 10, (short) ZipMethod.BZIP2.getCode());
    assertThat(refusal(ProblemType.INVALID_ARCHIVE, zip)).hasMessageContaining("method 12");
  }

  @Test
  void shouldRefuseAnotherNameAtTheContent() {
    byte[] zip = new ZipBytes().file("index.js", "content").bytes();
    System.arraycopy("other.js".getBytes(UTF_8), 0, zip, 30, 8);
    assertThat(refusal(ProblemType.INVALID_ARCHIVE, zip)).hasMessageContaining("another name");
  }

  @Test
  void shouldRefuseEntriesThatShareTheirBytes() {
    String content = new java.util.Random(1).ints(5000).boxed().toList().toString();
    byte[] zip = new ZipBytes().file("a", "x").file("b", content).bytes();
    ByteBuffer header = ByteBuffer.wrap(zip).order(ByteOrder.LITTLE_ENDIAN);
    int first = header.getInt(zip.length - 6);
    int second = first + 46 + header.getShort(first + 28) + header.getShort(first + 30);
    header.putInt(first + 20, header.getInt(second + 20));
    assertThat(refusal(ProblemType.INVALID_ARCHIVE, zip)).hasMessageContaining("overlaps");
  }

  @Test
  void shouldRefuseNamesThatAreNotUtf8() {
    byte[] zip = new ZipBytes().file("grxn", "x").bytes();
    for (int at = 0; at < zip.length; at++) {
      if (zip[at] == 'r' && zip[at + 1] == 'x') {
        zip[at + 1] = (byte) 0x81;
      }
    }
    assertThat(refusal(ProblemType.INVALID_ARCHIVE, zip)).hasMessageContaining("UTF-8");
  }

  @Test
  void shouldRefuseAnArchiveWithoutFiles() {
    refusal(ProblemType.INVALID_ARCHIVE, new ZipBytes().bytes());
    refusal(ProblemType.INVALID_ARCHIVE, new ZipBytes().folder("a/").bytes());
    refusal(ProblemType.INVALID_ARCHIVE, new ZipBytes().file("a/.DS_Store", "x").bytes());
  }
}
