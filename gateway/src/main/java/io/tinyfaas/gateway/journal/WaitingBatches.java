package io.tinyfaas.gateway.journal;

import java.io.IOException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;

/**
 * What waits for the journal's thread. Bounded in bytes, but for the last one, so that a large
 * batch need not come when nothing waits; small ones have a quarter more.
 */
final class WaitingBatches {

  /** What a batch takes of the heap beside its values. */
  private static final int BATCH_BYTES = 256;

  private final Queue<Waiting> waiting = new ArrayDeque<>();
  private final long mostBytes;
  private final int smallBytes;
  private long bytes;
  private boolean closed;

  WaitingBatches(long mostBytes, int smallBytes) {
    this.mostBytes = mostBytes;
    this.smallBytes = smallBytes;
  }

  record Waiting(Batch batch, CompletableFuture<Void> done) {

    long bytes() {
      return BATCH_BYTES + batch.bytes();
    }
  }

  synchronized CompletableFuture<Void> add(Batch batch) {
    Waiting added = new Waiting(batch, new CompletableFuture<>());
    long most = batch.bytes() <= smallBytes ? mostBytes + mostBytes / 4 : mostBytes;
    if (closed) {
      added.done().completeExceptionally(new IOException("The journal is closed"));
    } else if (bytes > most) {
      added
          .done()
          .completeExceptionally(
              new JournalFullException(bytes + " bytes wait to be written: the disk is too slow"));
    } else {
      bytes += added.bytes();
      waiting.add(added);
      notifyAll();
    }
    return added.done();
  }

  /**
   * The next ones, together no more than so many bytes, or a single one.
   *
   * @param millis how long to wait for one at most
   * @return empty if there is none, or will be none any more
   */
  synchronized List<Waiting> take(long mostBytes, long millis) {
    if (waiting.isEmpty() && !closed && millis > 0) {
      try {
        wait(millis);
      } catch (InterruptedException e) {
        // Nobody has a reason to; what waits is looked for at once.
      }
    }
    List<Waiting> taken = new ArrayList<>();
    long left = mostBytes;
    while (!waiting.isEmpty() && (taken.isEmpty() || waiting.peek().bytes() <= left)) {
      Waiting next = waiting.remove();
      left -= next.bytes();
      taken.add(next);
    }
    return taken;
  }

  /** They are written, or have failed: until then they count. */
  synchronized void done(List<Waiting> taken) {
    for (Waiting each : taken) {
      bytes -= each.bytes();
    }
  }

  synchronized long bytes() {
    return bytes;
  }

  synchronized void close() {
    closed = true;
    notifyAll();
  }

  synchronized boolean isOver() {
    return closed && waiting.isEmpty();
  }
}
