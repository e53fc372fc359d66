package io.tinyfaas.gateway.journal;

import io.tinyfaas.gateway.journal.WaitingBatches.Waiting;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
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
 * <p>A batch that failed with an {@link IOException} is not there while the journal is open, but
 * may be there when it is opened again. What is damaged costs the batches in it; what they replaced
 * or removed may come back.
 */
public final class Journal implements AutoCloseable {

  private static final Logger LOG = Logger.getLogger(Journal.class);

  /** A batch as large at most, of keys that are there, may use the reserve. */
  private static final int SMALL_BYTES = 16 << 10;

  private static final long GROUP_BYTES = 1 << 20;
  private static final long CLEANING_BYTES = 256 << 10;
  private static final int WAITING_READS = 65_536;

  private final JournalLimits limits;
  private final SegmentFolder folder;
  private final Index index;
  private final Tail tail;
  private final Cleaner cleaner;
  private final Reserve reserve;
  private final WaitingBatches waiting;
  private final int damaged;
  private final Thread writer = Thread.ofPlatform().name("journal").daemon().unstarted(this::work);
  private final ThreadPoolExecutor reader =
      new ThreadPoolExecutor(
          1,
          1,
          1,
          TimeUnit.MINUTES,
          new ArrayBlockingQueue<>(WAITING_READS),
          Thread.ofPlatform().name("journal-reader").daemon().factory());
  private boolean failing;

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
    this.tail = new Tail(folder, limits.segmentBytes());
    this.cleaner = new Cleaner(folder, index, tail, limits);
    this.reserve = new Reserve(folder.path(), limits);
    this.waiting = new WaitingBatches(limits.waitingBytes(), SMALL_BYTES);
    reader.allowCoreThreadTimeOut(true);
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
      Journal journal = new Journal(limits, folder, index, recovery.damaged());
      journal.reserve.isThere();
      return journal;
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
    CompletableFuture<byte[]> value = new CompletableFuture<>();
    try {
      reader.execute(
          () -> {
            try {
              value.complete(value(key));
            } catch (Throwable e) {
              value.completeExceptionally(e);
            }
          });
    } catch (RejectedExecutionException e) {
      value.completeExceptionally(new IOException("The journal is closed, or too many read", e));
    }
    return value;
  }

  private byte[] value(long key) throws IOException {
    while (true) {
      Index.Place place = index.find(key);
      if (place == null) {
        throw new IOException("There is no record " + key);
      }
      Segment segment = folder.segments().get(place.segment());
      try {
        if (segment == null) {
          throw new ClosedChannelException();
        }
        return segment.value(key, place.offset(), place.length());
      } catch (ClosedChannelException e) {
        if (place.equals(index.find(key))) {
          throw e;
        }
        // It was cleaned away meanwhile, and is elsewhere.
      }
    }
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
    while (!waiting.isOver()) {
      workOnce();
    }
    reader.shutdown();
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
    long written = group.isEmpty() ? 0 : commit(group);
    if (cleans) {
      cleaner.run(Math.max(CLEANING_BYTES, written));
    }
  }

  /**
   * @return how many bytes
   */
  private long commit(List<Waiting> group) {
    List<Waiting> admitted = new ArrayList<>();
    List<Runnable> outcomes = new ArrayList<>();
    long bytes = 0;
    long grown = index.bytes();
    for (Waiting each : group) {
      long growth = growth(each.batch());
      IOException refusal = refusal(each.batch(), growth, grown);
      if (refusal == null) {
        admitted.add(each);
        bytes += each.batch().bytes();
        grown += growth;
      } else {
        outcomes.add(() -> each.done().completeExceptionally(refusal));
      }
    }
    write(admitted, outcomes);
    waiting.done(group);
    outcomes.forEach(Runnable::run);
    return bytes;
  }

  private long growth(Batch batch) {
    long growth = 0;
    for (Batch.Entry entry : batch.entries()) {
      Index.Place place = index.find(entry.key());
      growth -= place == null ? 0 : Index.cost(place.length());
      growth += entry.value() == null ? 0 : Index.cost(entry.length());
    }
    return growth;
  }

  /**
   * @return null if it may be written
   */
  private IOException refusal(Batch batch, long growth, long bytes) {
    boolean usesReserve = usesReserve(batch);
    long most = limits.maxBytes() + (usesReserve ? limits.reserveBytes() : 0);
    if (growth > 0 && bytes + growth > most) {
      return new JournalFullException(
          "%d more bytes, with %d of %d there".formatted(growth, bytes, limits.maxBytes()));
    }
    return usesReserve || reserve.isThere()
        ? null
        : new IOException(
            "Nothing new is written to %s until its reserve is there again: the disk is full, or fails"
                .formatted(folder.path()));
  }

  /** What became of something that was accepted, and not something new. */
  private boolean usesReserve(Batch batch) {
    return batch.bytes() <= SMALL_BYTES
        && batch.entries().stream()
            .allMatch(entry -> entry.value() == null || index.find(entry.key()) != null);
  }

  /** Those that may use the reserve are tried once more with its room. */
  private void write(List<Waiting> group, List<Runnable> outcomes) {
    if (group.isEmpty()) {
      return;
    }
    try {
      append(group);
      group.forEach(each -> outcomes.add(() -> each.done().complete(null)));
      say(null);
    } catch (IOException | RuntimeException | Error e) {
      tail.giveUpGroup();
      say(e);
      List<Waiting> again = new ArrayList<>();
      boolean tries = reserve.giveUp();
      for (Waiting each : group) {
        if (tries && usesReserve(each.batch())) {
          again.add(each);
        } else {
          outcomes.add(() -> each.done().completeExceptionally(failure(e)));
        }
      }
      write(again, outcomes);
    }
  }

  private static IOException failure(Throwable e) {
    return new IOException("Not written: " + e.getMessage(), e);
  }

  private void append(List<Waiting> group) throws IOException {
    int[] places = new int[group.stream().mapToInt(each -> each.batch().entries().size()).sum()];
    int count = 0;
    int segment = tail.beginGroup();
    for (Waiting each : group) {
      tail.beginFrame(each.batch().bytes());
      for (Batch.Entry entry : each.batch().entries()) {
        places[count++] = tail.write(RecordHeader.of(entry.key(), entry.value()));
        if (entry.value() != null) {
          tail.write(ByteBuffer.wrap(entry.value()));
        }
      }
      tail.endFrame();
    }
    tail.endGroup();
    count = 0;
    for (Waiting each : group) {
      for (Batch.Entry entry : each.batch().entries()) {
        if (entry.value() == null) {
          index.remove(entry.key());
        } else {
          index.put(entry.key(), segment, places[count], entry.length());
        }
        count++;
      }
    }
  }

  /** One line when the disk begins to fail, and one when it works again. */
  private void say(Throwable failure) {
    if (failure != null && !failing) {
      LOG.errorf("event=journal-fails folder=%s reason=\"%s\"", folder.path(), failure);
    } else if (failure == null && failing) {
      LOG.infof("event=journal-works-again folder=%s", folder.path());
    }
    failing = failure != null;
  }
}
