package io.tinyfaas.gateway.journal;

import io.tinyfaas.gateway.journal.WaitingBatches.Waiting;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import org.jboss.logging.Logger;

/** Writes what waits: all of a group with one sync, and all of it fails if that does. */
final class GroupCommit {

  private static final Logger LOG = Logger.getLogger(GroupCommit.class);

  /** A batch as large at most, of keys that are there, may use the reserve. */
  static final int SMALL_BYTES = 16 << 10;

  private static final long SILENCE_NANOS = 60_000_000_000L;

  private final JournalLimits limits;
  private final SegmentFolder folder;
  private final Index index;
  private final Tail tail;
  private final Reserve reserve;
  private final WaitingBatches waiting;
  private boolean failing;
  private long saidAt = System.nanoTime() - SILENCE_NANOS;

  GroupCommit(
      JournalLimits limits,
      SegmentFolder folder,
      Index index,
      Tail tail,
      Reserve reserve,
      WaitingBatches waiting) {
    this.limits = limits;
    this.folder = folder;
    this.index = index;
    this.tail = tail;
    this.reserve = reserve;
    this.waiting = waiting;
  }

  /**
   * Writes what may be written, and completes all of them.
   *
   * @return how many bytes were to be written
   */
  long commit(List<Waiting> group) {
    List<Runnable> outcomes = new ArrayList<>();
    try {
      return write(group, outcomes);
    } catch (RuntimeException | Error e) {
      // None is left without an outcome, whatever happens; of those that have one it is the second.
      group.forEach(each -> outcomes.add(() -> each.done().completeExceptionally(failure(e))));
      return 0;
    } finally {
      waiting.done(group);
      outcomes.forEach(Runnable::run);
    }
  }

  private long write(List<Waiting> group, List<Runnable> outcomes) {
    List<Waiting> admitted = new ArrayList<>();
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
    append(admitted, outcomes);
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
  private void append(List<Waiting> group, List<Runnable> outcomes) {
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
      append(again, outcomes);
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

  /**
   * One line when the disk begins to fail, and one when it works again; of a disk that does both
   * all the time, one of each in a minute.
   */
  private void say(Throwable failure) {
    boolean fails = failure != null;
    if (fails && !failing && System.nanoTime() - saidAt >= SILENCE_NANOS) {
      LOG.errorf("event=journal-fails folder=%s reason=\"%s\"", folder.path(), failure);
      failing = true;
    } else if (!fails && failing) {
      LOG.infof("event=journal-works-again folder=%s", folder.path());
      failing = false;
      saidAt = System.nanoTime();
    }
  }
}
