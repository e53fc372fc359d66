package io.tinyfaas.gateway.journal;

import java.io.IOException;
import java.nio.channels.ClosedChannelException;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;

/** Reads values on a thread for that, which is there while somebody reads. */
final class RecordReader implements AutoCloseable {

  private static final int WAITING = 65_536;

  private final SegmentFolder folder;
  private final Index index;
  private final ThreadPoolExecutor thread =
      new ThreadPoolExecutor(
          1,
          1,
          1,
          TimeUnit.MINUTES,
          new ArrayBlockingQueue<>(WAITING),
          Thread.ofPlatform().name("journal-reader").daemon().factory());

  RecordReader(SegmentFolder folder, Index index) {
    this.folder = folder;
    this.index = index;
    thread.allowCoreThreadTimeOut(true);
  }

  CompletableFuture<byte[]> read(long key) {
    CompletableFuture<byte[]> value = new CompletableFuture<>();
    try {
      thread.execute(
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

  /** What waits is still tried. */
  @Override
  public void close() {
    thread.shutdown();
  }
}
