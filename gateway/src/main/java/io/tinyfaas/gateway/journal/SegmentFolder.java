package io.tinyfaas.gateway.journal;

import java.io.Closeable;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.security.SecureRandom;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.NavigableMap;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** The segments there are, oldest first, in a folder that nobody else has open. */
final class SegmentFolder implements Closeable {

  /** Number and nonce, which so outlive a damaged header. */
  private static final Pattern NAME =
      Pattern.compile("([0-7][0-9a-f]{7})-([0-9a-f]{16})\\.segment");

  private final Path folder;
  private final FileChannel lock;
  private final SecureRandom random = new SecureRandom();
  private final NavigableMap<Integer, Segment> segments = new ConcurrentSkipListMap<>();
  private int lastNumber;
  private final Deque<Path> unfinished = new ArrayDeque<>();
  private boolean unsettled;

  private SegmentFolder(Path folder, FileChannel lock) {
    this.folder = folder;
    this.lock = lock;
  }

  static SegmentFolder open(Path folder) throws IOException {
    Files.createDirectories(folder);
    FileChannel lock =
        FileChannel.open(
            folder.resolve("lock"), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
    SegmentFolder opened = new SegmentFolder(folder, lock);
    try {
      opened.lock();
      opened.openSegments();
      opened.sync();
    } catch (IOException | RuntimeException e) {
      opened.close();
      throw e;
    }
    return opened;
  }

  private void lock() throws IOException {
    try {
      if (lock.tryLock() != null) {
        return;
      }
    } catch (OverlappingFileLockException e) {
      // By this process: the same to whoever asked.
    }
    throw new IOException(folder + " is in use by another gateway: each needs a folder of its own");
  }

  private void openSegments() throws IOException {
    try (DirectoryStream<Path> files = Files.newDirectoryStream(folder)) {
      for (Path file : files) {
        Matcher name = NAME.matcher(file.getFileName().toString());
        if (name.matches()) {
          int number = Integer.parseInt(name.group(1), 16);
          long nonce = Long.parseUnsignedLong(name.group(2), 16);
          FileChannel channel = FileChannel.open(file, StandardOpenOption.READ);
          segments.put(number, new Segment(number, nonce, file, channel));
          lastNumber = Math.max(lastNumber, number);
        }
      }
    }
  }

  /** On the disk, and its name in the folder too, when this returns. */
  Segment create() throws IOException {
    settle();
    int number = ++lastNumber;
    long nonce = random.nextLong();
    Path file = folder.resolve("%08x-%016x.segment".formatted(number, nonce));
    FileChannel channel =
        FileChannel.open(
            file, StandardOpenOption.CREATE_NEW, StandardOpenOption.READ, StandardOpenOption.WRITE);
    Segment segment = new Segment(number, nonce, file, channel);
    try {
      segment.append(headerAfter(number, nonce).bytes());
      segment.sync();
      sync();
    } catch (IOException | RuntimeException e) {
      channel.close();
      unfinished.add(file);
      throw e;
    }
    segments.put(number, segment);
    return segment;
  }

  private SegmentHeader headerAfter(int number, long nonce) {
    if (segments.isEmpty()) {
      return new SegmentHeader(number, nonce, 0, 0, 0);
    }
    Segment last = segments.lastEntry().getValue();
    return new SegmentHeader(number, nonce, last.number(), last.length(), last.synced());
  }

  /**
   * Removals in a later segment count on this one being gone, so it is gone for good before another
   * goes. If it cannot be deleted, it stays the segment that it was.
   */
  void delete(Segment segment) throws IOException {
    settle();
    Files.deleteIfExists(segment.file());
    unsettled = true;
    segments.remove(segment.number());
    segment.close();
    settle();
  }

  /** Those that could not be finished are gone before another is made. */
  private void settle() throws IOException {
    while (!unfinished.isEmpty()) {
      unsettled = true;
      Files.deleteIfExists(unfinished.getFirst());
      unfinished.removeFirst();
    }
    if (unsettled) {
      sync();
      unsettled = false;
    }
  }

  private void sync() throws IOException {
    try (FileChannel names = FileChannel.open(folder, StandardOpenOption.READ)) {
      names.force(true);
    }
  }

  Path path() {
    return folder;
  }

  NavigableMap<Integer, Segment> segments() {
    return segments;
  }

  /**
   * What the files take, a small one as much as a full one: that bounds their number, too, when a
   * disk that fails ends one after the other.
   */
  long bytes(int segmentBytes) {
    return segments.values().stream()
        .mapToLong(segment -> Math.max(segment.length(), segmentBytes))
        .sum();
  }

  @Override
  public void close() throws IOException {
    for (Segment segment : segments.values()) {
      segment.close();
    }
    lock.close();
  }
}
