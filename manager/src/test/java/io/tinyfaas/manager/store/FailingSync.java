package io.tinyfaas.manager.store;

import java.io.IOException;
import java.nio.file.Path;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/** A disk that fails when it is to make something durable: once, or from then on. */
final class FailingSync implements DurableFiles.Sync {

  private static final int NEVER = 0;

  /** Which one from now on fails first. */
  private int first = NEVER;

  private boolean once;
  private int synced;

  /** How a disk may fail during a change that syncs a few times. */
  record Failure(int first, boolean once) {}

  static Stream<Failure> failures() {
    return IntStream.rangeClosed(1, 10)
        .boxed()
        .flatMap(n -> Stream.of(new Failure(n, true), new Failure(n, false)));
  }

  void failsFromNowOn(Failure failure) {
    first = failure.first();
    once = failure.once();
    synced = 0;
  }

  void isWell() {
    first = NEVER;
  }

  @Override
  public void sync(Path path) throws IOException {
    synced++;
    if (first != NEVER && (once ? synced == first : synced >= first)) {
      throw new IOException("Input/output error");
    }
  }
}
