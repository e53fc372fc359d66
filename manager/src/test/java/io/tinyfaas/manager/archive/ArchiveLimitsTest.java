package io.tinyfaas.manager.archive;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.tinyfaas.harness.SmallDisk;
import io.tinyfaas.manager.problem.ProblemException;
import io.tinyfaas.manager.problem.ProblemType;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.zip.Deflater;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** How much an archive may be, and that no more is read of it. */
class ArchiveLimitsTest extends ReceivedArchives {

  /** Of a zip's last records. */
  private static final int END_LENGTH = 22;

  private static final int LOCATOR_LENGTH = 20;
  private static final int END64_LENGTH = 56;

  private static final int MOST_MEGABYTES = (int) (LIMITS.unpackedBytes() >> 20);

  /** A block of a type that there is not. */
  private static final int DAMAGED = 0b111;

  /** Of which nothing is looked at but how many there are: the rest of the directory is damaged. */
  @Test
  void shouldRefuseAHundredThousandEntries() throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (ZipOutputStream zip = new ZipOutputStream(bytes)) {
      for (int i = 0; i < 100_000; i++) {
        zip.putNextEntry(new ZipEntry("f" + i));
        zip.closeEntry();
      }
    }
    byte[] zip = bytes.toByteArray();
    int end64 = zip.length - END_LENGTH - LOCATOR_LENGTH - END64_LENGTH;
    int directory = (int) ByteBuffer.wrap(zip).order(ByteOrder.LITTLE_ENDIAN).getLong(end64 + 48);
    Arrays.fill(zip, directory, end64, (byte) 0);
    assertThat(refusal(ProblemType.ARCHIVE_TOO_LARGE, zip)).hasMessageContaining("10000 entries");
  }

  /** Sixty megabytes of comments took the memory of all. */
  @Test
  void shouldRefuseLongComments() throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (ZipOutputStream zip = new ZipOutputStream(bytes)) {
      for (int i = 0; i < 50; i++) {
        ZipEntry entry = new ZipEntry("f" + i);
        entry.setComment("x".repeat(60_000));
        zip.putNextEntry(entry);
        zip.closeEntry();
      }
    }
    assertThat(refusal(ProblemType.ARCHIVE_TOO_LARGE, bytes.toByteArray()))
        .hasMessageContaining("comments");
  }

  @Test
  void shouldCountFoldersThatAreNoEntries() throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (ZipOutputStream zip = new ZipOutputStream(bytes)) {
      for (int i = 0; i < 500; i++) {
        zip.putNextEntry(new ZipEntry(i + "/a".repeat(30)));
        zip.closeEntry();
      }
    }
    assertThat(refusal(ProblemType.ARCHIVE_TOO_LARGE, bytes.toByteArray()))
        .hasMessageContaining("10000 entries");
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

  /**
   * Ten gigabytes of zeros in ten megabytes; the header tells so, or one byte. The first of them
   * that is too many is followed by what cannot be inflated, and would be told if it were.
   */
  @ParameterizedTest
  @ValueSource(longs = {10L << 30, 1})
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
        if (copies == (10 << 10) - MOST_MEGABYTES) {
          deflated.write(DAMAGED);
        }
      }
    }
    deflater.end();
    deflated.write(new byte[] {3, 0});
    byte[] bomb = new ZipBytes().raw("zeros", deflated.toByteArray(), toldSize).bytes();
    assertThat(bomb).hasSizeLessThan(16 << 20);
    assertThat(refusal(ProblemType.ARCHIVE_TOO_LARGE, bomb).field()).isEqualTo("zeros");
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
  void shouldBoundThePath() {
    for (String dot : List.of("", "./")) {
      byte[] atLimit = new ZipBytes().file(dot + "ü".repeat(120), "x").bytes();
      try (FunctionArchive archive = receive(atLimit)) {
        assertThat(archive.paths()).hasSize(1);
      }
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
