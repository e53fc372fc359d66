package io.tinyfaas.gateway.journal;

import static io.tinyfaas.gateway.journal.Records.await;
import static io.tinyfaas.gateway.journal.Records.batch;
import static io.tinyfaas.gateway.journal.Records.bytes;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.tinyfaas.harness.Seed;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.stream.LongStream;
import java.util.zip.CRC32C;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/**
 * Damage by hand. Three segments of four frames each; only the last has a frame in its own group.
 */
class DamagedJournalTest {

  private static final int FRAMES = 4;
  private static final int VALUE = 50;
  private static final int FRAME = FrameHeader.RECORD_OVERHEAD + VALUE;
  private static final int SEGMENTS = 3;
  private static final JournalLimits LIMITS =
      new JournalLimits(
          1 << 20, SegmentHeader.BYTES + FRAMES * FRAME, 1 << 10, 1 << 20, Duration.ZERO);

  @RegisterExtension final Seed seed = new Seed();
  private final PlayedDisk disk = new PlayedDisk(seed.random());
  private final Path folder = disk.folder();
  private Random random;
  private final Map<Long, String> written = new TreeMap<>();
  private List<String> segments;

  @BeforeEach
  void write() throws Exception {
    random = seed.random();
    try (Journal journal = Records.open(folder, LIMITS, new Records())) {
      for (long key = 0; key < FRAMES * SEGMENTS; key++) {
        String value = ("value of " + key).repeat(VALUE).substring(0, VALUE);
        await(journal.write(batch(key, value)));
        written.put(key, value);
      }
    }
    segments = segments();
    assertThat(segments).hasSize(SEGMENTS);
  }

  @Test
  void shouldLoseOneFrameAtMostWhateverByteIsWrong() throws Exception {
    for (String segment : segments) {
      byte[] whole = disk.bytes(segment);
      for (int at = 0; at < whole.length; at++) {
        byte[] damaged = whole.clone();
        damaged[at] ^= (byte) (1 + random.nextInt(255));
        disk.replace(segment, damaged);
        Records found = new Records();
        int places = open(found);
        Map<Long, String> kept = new TreeMap<>(written);
        long frame = (at - SegmentHeader.BYTES) / FRAME;
        if (at >= SegmentHeader.BYTES) {
          kept.remove(segments.indexOf(segment) * FRAMES + frame);
        }
        assertThat(found).as("%s, byte %d", segment, at).isEqualTo(kept);
        // The last frame of all may as well be one that was not completed.
        boolean mayBeTorn = segment.equals(segments.getLast()) && frame == FRAMES - 1;
        assertThat(places).isEqualTo(mayBeTorn ? 0 : 1);
      }
      disk.replace(segment, whole);
    }
  }

  @Test
  void shouldLoseWhatIsCutOff() throws Exception {
    for (String segment : segments) {
      byte[] whole = disk.bytes(segment);
      int first = segments.indexOf(segment) * FRAMES;
      for (int length = 0; length < whole.length; length++) {
        disk.replace(segment, Arrays.copyOf(whole, length));
        Records found = new Records();
        int places = open(found);
        int left = Math.max(0, length - SegmentHeader.BYTES) / FRAME;
        Map<Long, String> kept = new TreeMap<>(written);
        LongStream.range(first + left, first + FRAMES).forEach(kept::remove);
        assertThat(found).as("%s, %d bytes", segment, length).isEqualTo(kept);
        assertThat(places > 0).isEqualTo(!segment.equals(segments.getLast()));
      }
      disk.replace(segment, whole);
    }
  }

  @Test
  void shouldMissASegmentInTheMiddle() throws Exception {
    disk.replace(segments.get(1), null);
    Records found = new Records();
    assertThat(open(found)).isEqualTo(1);
    LongStream.range(FRAMES, 2 * FRAMES).forEach(written::remove);
    assertThat(found).isEqualTo(written);
  }

  @Test
  void shouldGoOnBehindWhatIsAnything() throws Exception {
    byte[] bytes = disk.bytes(segments.get(1));
    byte[] anything = new byte[FRAME * 2];
    random.nextBytes(anything);
    System.arraycopy(anything, 0, bytes, SegmentHeader.BYTES + FRAME / 2, anything.length);
    disk.replace(segments.get(1), bytes);
    Records found = new Records();
    assertThat(open(found)).isPositive();
    LongStream.range(FRAMES, FRAMES + 3).forEach(written::remove);
    assertThat(found).isEqualTo(written);
  }

  @Test
  void shouldGoOnWritingAndCleanWhatIsDamaged() throws Exception {
    byte[] bytes = disk.bytes(segments.get(0));
    bytes[SegmentHeader.BYTES + 30] ^= 1;
    disk.replace(segments.get(0), bytes);
    try (Journal journal = Records.open(folder, LIMITS, new Records())) {
      assertThat(journal.damaged()).isEqualTo(1);
      for (int i = 0; i < 50; i++) {
        await(journal.write(batch(100, "x".repeat(100))));
      }
    }
    Records found = new Records();
    assertThat(open(found)).isZero();
    written.remove(0L);
    written.put(100L, "x".repeat(100));
    assertThat(found).isEqualTo(written);
  }

  @Test
  void shouldRefuseANewerVersion() throws Exception {
    ByteBuffer header = ByteBuffer.wrap(disk.bytes(segments.get(1)));
    header.putInt(8, 2);
    CRC32C crc = new CRC32C();
    crc.update(header.array(), 0, SegmentHeader.BYTES - 4);
    header.putInt(SegmentHeader.BYTES - 4, (int) crc.getValue());
    disk.replace(segments.get(1), header.array());
    assertThatThrownBy(() -> open(new Records()))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("format 2");
    assertThat(segments()).isEqualTo(segments);
  }

  /**
   * What a client chooses cannot become a record, even if it knows what was written before, and
   * where its value will be.
   */
  @Test
  void shouldNotTakeWhatStandsInAValueForAFrame() throws Exception {
    byte[] earlier = disk.bytes(segments.getLast());
    byte[] value = bytes("forged");
    ByteBuffer forged =
        ByteBuffer.allocate(earlier.length + FrameHeader.RECORD_OVERHEAD + value.length);
    forged.put(earlier);
    int before = SegmentHeader.BYTES + FrameHeader.BYTES + RecordHeader.BYTES;
    CRC32C crc = new CRC32C();
    new FrameHeader(RecordHeader.BYTES + value.length, SegmentHeader.BYTES)
        .write(nonce(segments.getLast()), crc, before + forged.position(), forged);
    int record = forged.position();
    RecordHeader.of(3, value).write(forged);
    forged.put(value);
    crc.update(forged.array(), record, forged.position() - record);
    forged.putInt((int) crc.getValue());
    JournalLimits large = new JournalLimits(1 << 20, 1 << 16, 1 << 10, 1 << 20, Duration.ZERO);
    try (Journal journal = Records.open(folder, large, new Records())) {
      await(journal.write(new Batch().put(200, forged.array())));
      await(journal.write(batch(201, "behind")));
    }
    byte[] bytes = disk.bytes(segments().getLast());
    bytes[SegmentHeader.BYTES + Long.BYTES] ^= 1;
    disk.replace(segments().getLast(), bytes);
    Records found = new Records();
    assertThat(open(found)).isEqualTo(1);
    written.put(201L, "behind");
    assertThat(found).isEqualTo(written);
  }

  private static long nonce(String segment) {
    return Long.parseUnsignedLong(segment.substring(9, 25), 16);
  }

  /** The same frame elsewhere in the same segment is none: its checksum is of its place, too. */
  @Test
  void shouldNotTakeAFrameFromElsewhere() throws Exception {
    byte[] bytes = disk.bytes(segments.getLast());
    System.arraycopy(bytes, SegmentHeader.BYTES, bytes, SegmentHeader.BYTES + 2 * FRAME, FRAME);
    disk.replace(segments.getLast(), bytes);
    Records found = new Records();
    assertThat(open(found)).isEqualTo(1);
    written.remove((long) FRAMES * (SEGMENTS - 1) + 2);
    assertThat(found).isEqualTo(written);
  }

  @Test
  void shouldKeepWhatIsNotInABlockThatCannotBeRead() throws Exception {
    JournalLimits large = new JournalLimits(1 << 20, 1 << 20, 1 << 10, 1 << 20, Duration.ZERO);
    try (Journal journal = Records.open(folder, large, new Records())) {
      for (long key = 100; key < 200; key++) {
        await(journal.write(batch(key, "x".repeat(1_000))));
        written.put(key, "x".repeat(1_000));
      }
    }
    disk.makeUnreadable(segments().getLast(), 10 << 10, 11 << 10);
    Records found = new Records();
    assertThat(open(found)).isPositive();
    // The frames in the blocks of 4 KiB that these bytes are in.
    int frame = FrameHeader.RECORD_OVERHEAD + 1_000;
    long first = 100 + ((8 << 10) - SegmentHeader.BYTES) / frame;
    long last = 100 + ((12 << 10) - SegmentHeader.BYTES) / frame;
    LongStream.rangeClosed(first, last).forEach(written::remove);
    assertThat(found).isEqualTo(written);
  }

  @Test
  void shouldNotTakeADiskThatCannotBeReadForAnEmptyOne() throws Exception {
    for (String segment : segments) {
      disk.makeUnreadable(segment, 0, Integer.MAX_VALUE);
    }
    assertThatThrownBy(() -> open(new Records())).hasMessageContaining("Input/output error");
    assertThat(segments()).isEqualTo(segments);
  }

  @Test
  void shouldFailToReadWhatWasDamagedSince() throws Exception {
    try (Journal journal = Records.open(folder, LIMITS, new Records())) {
      byte[] bytes = disk.bytes(segments.get(0));
      bytes[SegmentHeader.BYTES + FRAME - 10] ^= 1;
      disk.replace(segments.get(0), bytes);
      assertThatThrownBy(() -> await(journal.read(0)))
          .isInstanceOf(IOException.class)
          .hasMessageContaining("damaged");
      assertThat(await(journal.read(1)))
          .asString(StandardCharsets.ISO_8859_1)
          .isEqualTo(written.get(1L));
    }
  }

  private int open(Records found) throws IOException {
    try (Journal journal = Records.open(folder, LIMITS, found)) {
      return journal.damaged();
    }
  }

  private List<String> segments() {
    return disk.files().stream().filter(file -> file.endsWith(".segment")).toList();
  }
}
