package io.tinyfaas.manager.deploy;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.tinyfaas.manager.problem.ProblemException;
import io.tinyfaas.manager.problem.ProblemType;
import io.tinyfaas.manager.store.SmallDisk;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.SequenceInputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.zip.Deflater;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveInputStream;
import org.apache.commons.compress.archivers.tar.TarArchiveOutputStream;
import org.apache.commons.compress.archivers.zip.ZipMethod;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class FunctionArchiveTest {

  private static final ArchiveLimits LIMITS = new ArchiveLimits(64 << 20, 256 << 20, 10_000);

  @TempDir Path folder;

  private FunctionArchive receive(byte[] zip) {
    return FunctionArchive.receive(new ByteArrayInputStream(zip), folder, LIMITS);
  }

  private ProblemException refusal(ProblemType type, byte[] zip) {
    return refusal(type, new ByteArrayInputStream(zip));
  }

  private ProblemException refusal(ProblemType type, InputStream upload) {
    ProblemException problem =
        catchThrowableOfType(
            ProblemException.class, () -> FunctionArchive.receive(upload, folder, LIMITS));
    assertThat(problem).isNotNull();
    assertThat(problem.type()).as(problem.getMessage()).isEqualTo(type);
    return problem;
  }

  @AfterEach
  void shouldLeaveNothingBehind() {
    assertThat(folder).isEmptyDirectory();
  }

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
  void shouldWriteFilesIntoATarWithTheirExecutableBit() throws IOException {
    String deep = "d/".repeat(30) + "x".repeat(150);
    byte[] zip = new ZipBytes().executable("run.sh", "go").file("lib/" + deep, "é").bytes();
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
            Map.entry("function/run.sh", "100755 go"));
  }

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
        "/etc/passwd",
        "//etc/passwd",
        "a//b",
        "./a",
        "a\\b",
        "..\\evil",
        "C:/evil",
        "c:evil",
        "a\0b",
        "a\nb"
      })
  void shouldRefuseAPathThatLeadsElsewhere(String name) {
    // commons-compress turns backslashes around, so they are put in afterwards.
    byte[] zip = new ZipBytes().file(name.replace('\\', '|'), "x").bytes();
    replace(zip, name.replace('\\', '|'), name);
    ProblemException problem = refusal(ProblemType.INVALID_ARCHIVE, zip);
    assertThat(problem.field()).isEqualTo(name.replaceAll("\\p{Cntrl}", "?"));
  }

  private static void replace(byte[] bytes, String from, String to) {
    byte[] wanted = from.getBytes(UTF_8);
    byte[] replacement = to.getBytes(UTF_8);
    for (int at = 0; at + wanted.length <= bytes.length; at++) {
      if (Arrays.equals(bytes, at, at + wanted.length, wanted, 0, wanted.length)) {
        System.arraycopy(replacement, 0, bytes, at, replacement.length);
      }
    }
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

  @Test
  void shouldRefuseDuplicates() {
    byte[] zip = new ZipBytes().file("a.js", "1").file("b.js", "2").bytes();
    replace(zip, "b.js", "a.js");
    assertThat(refusal(ProblemType.INVALID_ARCHIVE, zip)).hasMessageContaining("twice");
  }

  @Test
  void shouldRefuseAPathThatIsAFileAndAFolder() {
    refusal(ProblemType.INVALID_ARCHIVE, new ZipBytes().file("a", "1").file("a/b", "2").bytes());
    refusal(ProblemType.INVALID_ARCHIVE, new ZipBytes().file("a/b", "1").file("a", "2").bytes());
    refusal(ProblemType.INVALID_ARCHIVE, new ZipBytes().file("a", "1").folder("a/").bytes());
    refusal(ProblemType.INVALID_ARCHIVE, new ZipBytes().folder("a/").file("a", "1").bytes());
  }

  @Test
  @Timeout(10)
  void shouldRefuseAHundredThousandEntries() throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (ZipOutputStream zip = new ZipOutputStream(bytes)) {
      for (int i = 0; i < 100_000; i++) {
        zip.putNextEntry(new ZipEntry("f" + i));
        zip.closeEntry();
      }
    }
    long start = System.nanoTime();
    assertThat(refusal(ProblemType.ARCHIVE_TOO_LARGE, bytes.toByteArray()))
        .hasMessageContaining("10000 entries");
    assertThat(Duration.ofNanos(System.nanoTime() - start)).isLessThan(Duration.ofSeconds(2));
  }

  @Test
  void shouldRefuseMoreEntriesThanItsEndTells() throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (ZipOutputStream zip = new ZipOutputStream(bytes)) {
      for (int i = 0; i < 10_001; i++) {
        zip.putNextEntry(new ZipEntry("f" + i));
        zip.closeEntry();
      }
    }
    byte[] zip = bytes.toByteArray();
    ByteBuffer.wrap(zip).order(ByteOrder.LITTLE_ENDIAN).putShort(zip.length - 12, (short) 1);
    refusal(ProblemType.ARCHIVE_TOO_LARGE, zip);
  }

  /** Ten gigabytes of zeros in ten megabytes; the header tells so, or one byte. */
  @ParameterizedTest
  @ValueSource(longs = {10L << 30, 1})
  @Timeout(30)
  void shouldRefuseABomb(long toldSize) throws IOException {
    Deflater deflater = new Deflater(Deflater.BEST_COMPRESSION, true);
    ByteArrayOutputStream deflated = new ByteArrayOutputStream();
    byte[] chunk = new byte[8192];
    for (int i = 0; i < 2; i++) {
      deflater.setInput(new byte[1 << 20]);
      int length = deflater.deflate(chunk, 0, chunk.length, Deflater.SYNC_FLUSH);
      // From the second megabyte on, each gives the same bytes.
      for (int copies = i == 0 ? 1 : (10 << 10) - 1; copies > 0; copies--) {
        deflated.write(chunk, 0, length);
      }
    }
    deflater.end();
    deflated.write(new byte[] {3, 0});
    byte[] bomb = new ZipBytes().raw("zeros", deflated.toByteArray(), toldSize).bytes();
    assertThat(bomb).hasSizeLessThan(16 << 20);
    long start = System.nanoTime();
    assertThat(refusal(ProblemType.ARCHIVE_TOO_LARGE, bomb).field()).isEqualTo("zeros");
    assertThat(Duration.ofNanos(System.nanoTime() - start)).isLessThan(Duration.ofSeconds(10));
  }

  @Test
  void shouldReadThe64BitForm() {
    byte[] zip = new ZipBytes().with64Bits().file("index.js", "x").bytes();
    try (FunctionArchive archive = receive(zip)) {
      assertThat(archive.paths()).containsExactly("index.js");
    }
  }

  @Test
  void shouldCountAllFilesTogether() {
    ArchiveLimits small = new ArchiveLimits(64 << 20, 1000, 10);
    byte[] zip = new ZipBytes().file("a", "x".repeat(600)).file("b", "x".repeat(600)).bytes();
    ProblemException problem =
        catchThrowableOfType(
            ProblemException.class,
            () -> FunctionArchive.receive(new ByteArrayInputStream(zip), folder, small));
    assertThat(problem.type()).isEqualTo(ProblemType.ARCHIVE_TOO_LARGE);
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
  void shouldBoundThePath() {
    byte[] atLimit = new ZipBytes().file("ü".repeat(120), "x").bytes();
    try (FunctionArchive archive = receive(atLimit)) {
      assertThat(archive.paths()).hasSize(1);
    }
    assertThat(
            refusal(
                ProblemType.INVALID_ARCHIVE,
                new ZipBytes().file("ü".repeat(120) + "x", "x").bytes()))
        .hasMessageContaining("240");
    assertThat(
            refusal(
                ProblemType.INVALID_ARCHIVE,
                new ZipBytes().file("a/".repeat(32) + "x", "").bytes()))
        .hasMessageContaining("32");
  }

  @Test
  void shouldRefuseAnArchiveWithoutFiles() {
    refusal(ProblemType.INVALID_ARCHIVE, new ZipBytes().bytes());
    refusal(ProblemType.INVALID_ARCHIVE, new ZipBytes().folder("a/").bytes());
    refusal(ProblemType.INVALID_ARCHIVE, new ZipBytes().file("a/.DS_Store", "x").bytes());
  }

  @Test
  void shouldStopReadingAtTheUploadLimit() throws IOException {
    try (InputStream endless = new EndlessStream()) {
      assertThat(refusal(ProblemType.ARCHIVE_TOO_LARGE, endless))
          .hasMessageContaining("TINYFAAS_MAX_ARCHIVE");
    }
  }

  private static final class EndlessStream extends InputStream {
    @Override
    public int read() {
      return 'x';
    }

    @Override
    public int read(byte[] bytes, int offset, int length) {
      return length;
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
  void shouldTellAFullDiskAndLeaveNothingOnIt() throws IOException {
    Path disk = Files.createDirectory(folder.resolve("disk"));
    try (SmallDisk smallDisk = new SmallDisk(disk)) {
      smallDisk.fillUpTo(100_000);
      ProblemException problem =
          catchThrowableOfType(
              ProblemException.class,
              () -> FunctionArchive.receive(new EndlessStream(), disk, LIMITS));
      assertThat(problem.type()).isEqualTo(ProblemType.DISK_FULL);
      smallDisk.makeRoom();
      assertThat(disk).isEmptyDirectory();
    }
    Files.delete(disk);
  }
}
