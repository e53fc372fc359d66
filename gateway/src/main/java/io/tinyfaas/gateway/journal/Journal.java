package io.tinyfaas.gateway.journal;

import io.tinyfaas.gateway.journal.WaitingBatches.Waiting;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.jboss.logging.Logger;

/**
 * Keys and values on the disk, which outlive the power: a log of segments, to whose end batches are
 * appended, each a frame with checksums. One thread writes, and syncs all that waited meanwhile at
 * once.
 *
 * <p>What a power cut leaves, wherever it comes: in the last group each batch is whole or not
 * there, by its checksum, and none of them was completed. A new segment counts only after its
 * header and its name were synced; one that was not finished is left out and deleted. While the
 * oldest segment is cleaned, its records are there twice, and the copies are the same; it is
 * deleted after they were synced, and the next one after that deletion was. If the deletion did not
 * last, its records come back in front of all that replaced or removed them. Opening changes
 * nothing but that it deletes what was not finished, so it can be cut, too.
 *
 * <p>A batch that failed with an {@link IOException} is not there while the journal is open. When
 * it is opened again it may be, if nothing was written after it; else it is not, by what the header
 * of the segment after it says. What is damaged costs the batches in it; what they replaced or
 * removed may come back.
 */
public final class Journal implements AutoCloseable {

  private static final Logger LOG = Logger.getLogger(Journal.class);

  private static final long GROUP_BYTES = 1 << 20;
  private static final long CLEANING_BYTES = 256 << 10;

  private final JournalLimits limits;
  private final SegmentFolder folder;
  private final Index index;
  private final GroupCommit commits;
  private final Cleaner cleaner;
  private final RecordReader reader;
  private final WaitingBatches waiting;
  private final int damaged;
  private final Thread writer = Thread.ofPlatform().name("journal").daemon().unstarted(this::work);

  /** Gets what is there when a journal is opened. */
  public interface Visitor {

    /** Whether the value is to be read. */
    default boolean wants(long key) {
      return true;
    }

    void record(long key, ByteBuffer value);
  }

  private Journal(JournalLimits limits, SegmentFolder folder, Index index, int damaged) {
    this.limits = limits;
    this.folder = folder;
    this.index = index;
    this.damaged = damaged;
    this.waiting = new WaitingBatches(limits.waitingBytes(), GroupCommit.SMALL_BYTES);
    this.reader = new RecordReader(folder, index);
    Tail tail = new Tail(folder, limits.segmentBytes());
    Reserve reserve = new Reserve(folder.path(), limits);
    this.commits = new GroupCommit(limits, folder, index, tail, reserve, waiting);
    this.cleaner = new Cleaner(folder, index, tail, limits);
    reserve.isThere();
  }

  /**
   * Opens the folder, which is made if it is missing, reads what is there, and hands each live
   * record to the visitor before it returns. What is damaged is left out and counted.
   *
   * @param maxBytes of live records; the files take up to twice as much, and some segments
   * @throws IOException if another one has it open, a newer version wrote it, or it cannot be read
   *     at all
   */
  public static Journal open(Path folder, long maxBytes, Visitor visitor) throws IOException {
    Journal journal = opened(folder, JournalLimits.of(maxBytes), visitor);
    journal.start();
    return journal;
  }

  /** Nothing is written before it is started. */
  static Journal opened(Path path, JournalLimits limits, Visitor visitor) throws IOException {
    SegmentFolder folder = SegmentFolder.open(path);
    try {
      Index index = new Index();
      Recovery recovery = new Recovery(folder, index);
      recovery.run();
      recovery.visit(visitor::wants, (value, key) -> visitor.record(key, value));
      return new Journal(limits, folder, index, recovery.damaged());
    } catch (IOException | RuntimeException | Error e) {
      folder.close();
      throw e;
    }
  }

  void start() {
    writer.start();
  }

  /**
   * All of it or nothing. Never blocks; completes on the journal's thread, which waits for whoever
   * takes long there, once the batch is on the disk.
   *
   * @return fails with a {@link JournalFullException}, and with another {@link IOException} if the
   *     disk does
   */
  public CompletableFuture<Void> write(Batch batch) {
    if (batch.bytes() > Math.min(limits.maxBytes(), Batch.MAX_BYTES)) {
      return CompletableFuture.failedFuture(
          new JournalFullException(
              "A batch of %d bytes, of %d in all".formatted(batch.bytes(), limits.maxBytes())));
    }
    return waiting.add(batch);
  }

  /**
   * The value as it was last written, read on a thread for that.
   *
   * @return fails with an {@link IOException} if there is none, it is damaged, or cannot be read
   */
  public CompletableFuture<byte[]> read(long key) {
    return reader.read(key);
  }

  /** Whether so many more bytes of records are within what is allowed. On any thread. */
  public boolean hasRoom(long bytes) {
    return index.bytes() + waiting.bytes() + bytes <= limits.maxBytes();
  }

  /** What live records take. */
  public long bytes() {
    return index.bytes();
  }

  /** Records or places that could not be read when it was opened. */
  public int damaged() {
    return damaged;
  }

  /** What was written before is on the disk then, or has failed. */
  @Override
  public void close() {
    waiting.close();
    boolean interrupted = false;
    while (writer.isAlive() && Thread.currentThread() != writer) {
      try {
        writer.join();
      } catch (InterruptedException e) {
        interrupted = true;
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }

  private void work() {
    try {
      while (!waiting.isOver()) {
        workOnce();
      }
    } catch (RuntimeException | Error e) {
      LOG.errorf(e, "event=journal-ended folder=%s", folder.path());
      throw e;
    } finally {
      end();
    }
  }

  /** Nobody waits for what will not come. */
  private void end() {
    waiting.close();
    for (Waiting each : waiting.take(Long.MAX_VALUE, 0)) {
      each.done().completeExceptionally(new IOException("The journal has ended"));
    }
    reader.close();
    try {
      folder.close();
    } catch (IOException e) {
      LOG.errorf("event=journal-not-closed reason=\"%s\"", e.getMessage());
    }
  }

  private void workOnce() {
    boolean isDue = cleaner.isDue();
    boolean cleans = isDue && cleaner.mayTry();
    long millis = cleans ? 0 : isDue ? limits.again().toMillis() : Long.MAX_VALUE;
    List<Waiting> group = waiting.take(GROUP_BYTES, millis);
    long written = group.isEmpty() ? 0 : commits.commit(group);
    if (cleans) {
      cleaner.run(Math.max(CLEANING_BYTES, written));
    }
  }
}
