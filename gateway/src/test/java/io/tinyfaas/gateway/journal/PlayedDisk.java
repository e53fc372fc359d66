package io.tinyfaas.gateway.journal;

import java.io.IOException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;

/**
 * One folder on a disk with a page cache, of which a power cut leaves what it likes: of each write
 * that was not synced all, nothing, or some sectors, with the file as long as it was, as it became,
 * or between; what is not there reads as zeros, as anything, or as what another file had there. Of
 * the names in the folder that were made or deleted since its last sync, some are and some are not.
 *
 * <p>It fails when it is told to: a write takes some of the bytes, and a sync that failed has taken
 * what it likes and takes the rest for written, as Linux does.
 */
public final class PlayedDisk {

  private static final int SECTOR = 512;

  enum Fault {
    WRITE,
    SYNC,
    NAMES,
    READ
  }

  private final Random random;
  private final Map<String, Content> names = new TreeMap<>();
  private final Map<String, Content> syncedNames = new TreeMap<>();
  private final List<NameChange> unsyncedNames = new ArrayList<>();
  private final List<Content> everything = new ArrayList<>();
  private long operations;
  private long cutAt = Long.MAX_VALUE;
  private boolean off;
  private int life;
  private long capacity = Long.MAX_VALUE;
  private int failsOneIn;
  private boolean failsOnce;
  private int failures;
  private int syncs;
  private Set<Fault> faults = Set.of();

  public PlayedDisk(Random random) {
    this.random = random;
  }

  /**
   * @param content null: it was deleted
   */
  private record NameChange(String name, Content content) {}

  private record Write(int at, byte[] bytes) {}

  /** Of one file, with or without a name. */
  static final class Content {
    private byte[] cached = {};
    private byte[] synced = {};
    private final List<Write> unsynced = new ArrayList<>();
    private int unreadableFrom;
    private int unreadableTo;
  }

  public Path folder() {
    return new PlayedFileSystem(this).folder();
  }

  // What the test does to it.

  /** In the so-manieth operation from now on. */
  public synchronized void cutAfter(int more) {
    cutAt = operations + more;
  }

  public synchronized boolean isOff() {
    return off;
  }

  public synchronized long operations() {
    return operations;
  }

  /** What was not synced is lost as the power goes and comes again. */
  public synchronized void restart() {
    for (Content content : everything) {
      content.cached = afterACut(content);
      content.synced = content.cached;
      content.unsynced.clear();
    }
    Map<String, List<NameChange>> changes = new TreeMap<>();
    for (NameChange change : unsyncedNames) {
      changes.computeIfAbsent(change.name(), name -> new ArrayList<>()).add(change);
    }
    for (List<NameChange> each : changes.values()) {
      each.subList(0, random.nextInt(each.size() + 1))
          .forEach(change -> apply(change, syncedNames));
    }
    unsyncedNames.clear();
    names.clear();
    names.putAll(syncedNames);
    everything.retainAll(names.values());
    restartProcess();
  }

  /** The process ends; the page cache stays. */
  public synchronized void restartProcess() {
    life++;
    off = false;
    cutAt = Long.MAX_VALUE;
  }

  /** As if the process were killed: nothing that it does has any effect any more. */
  synchronized void killProcess() {
    off = true;
  }

  synchronized List<String> files() {
    return List.copyOf(names.keySet());
  }

  synchronized byte[] bytes(String name) {
    return names.get(name).cached.clone();
  }

  /**
   * @param bytes null: there is no such file
   */
  synchronized void replace(String name, byte[] bytes) {
    if (bytes == null) {
      names.remove(name);
      return;
    }
    Content content = names.computeIfAbsent(name, missing -> new Content());
    content.cached = bytes.clone();
    content.synced = content.cached;
  }

  /** Sectors that have gone bad. */
  synchronized void makeUnreadable(String name, int from, int to) {
    names.get(name).unreadableFrom = from;
    names.get(name).unreadableTo = to;
  }

  /** Of all files together. */
  public synchronized void setCapacity(long bytes) {
    capacity = bytes;
  }

  /**
   * @param one in so many operations of these fails
   */
  synchronized void failOneIn(int one, Set<Fault> faults) {
    failsOneIn = one;
    failsOnce = false;
    this.faults = faults;
  }

  /** The next one of this kind. */
  synchronized void failOnce(Fault fault) {
    failOneIn(1, Set.of(fault));
    failsOnce = true;
  }

  synchronized int failures() {
    return failures;
  }

  synchronized int syncs() {
    return syncs;
  }

  synchronized long used() {
    return names.values().stream().mapToLong(content -> content.cached.length).sum();
  }

  // What the system under test does.

  synchronized int life() {
    return life;
  }

  synchronized List<String> list() throws IOException {
    begin(life, Fault.READ);
    return List.copyOf(names.keySet());
  }

  synchronized Content find(String name) {
    return names.get(name);
  }

  synchronized Content open(String name) throws IOException {
    begin(life, null);
    Content content = names.get(name);
    if (content == null) {
      throw new NoSuchFileException(name);
    }
    return content;
  }

  synchronized Content create(String name) throws IOException {
    boolean isLast = begin(life, Fault.NAMES);
    if (names.containsKey(name)) {
      throw new FileAlreadyExistsException(name);
    }
    Content content = new Content();
    everything.add(content);
    change(new NameChange(name, content));
    end(isLast);
    return content;
  }

  synchronized void delete(String name) throws IOException {
    boolean isLast = begin(life, Fault.NAMES);
    if (!names.containsKey(name)) {
      throw new NoSuchFileException(name);
    }
    change(new NameChange(name, null));
    end(isLast);
  }

  synchronized int size(Content content, int life) throws IOException {
    begin(life, null);
    return content.cached.length;
  }

  synchronized int read(Content content, int at, byte[] into, int life) throws IOException {
    begin(life, Fault.READ);
    int read = Math.min(into.length, content.cached.length - at);
    if (read <= 0) {
      return -1;
    }
    if (at < content.unreadableTo && at + read > content.unreadableFrom) {
      throw new PlayedFault();
    }
    System.arraycopy(content.cached, at, into, 0, read);
    return read;
  }

  synchronized void write(Content content, int at, byte[] bytes, int life) throws IOException {
    boolean isLast;
    try {
      isLast = begin(life, Fault.WRITE);
    } catch (PlayedFault e) {
      add(content, new Write(at, Arrays.copyOf(bytes, random.nextInt(bytes.length + 1))));
      throw e;
    }
    long room = capacity - used() + content.cached.length - at;
    if (room < bytes.length) {
      add(content, new Write(at, Arrays.copyOf(bytes, (int) Math.max(0, room))));
      throw new IOException("No space left on device");
    }
    add(content, new Write(at, bytes));
    end(isLast);
  }

  synchronized void truncate(Content content, int size, int life) throws IOException {
    begin(life, Fault.WRITE);
    if (size < content.cached.length) {
      content.cached = Arrays.copyOf(content.cached, size);
      // Of what is on the disk it may be cut off now or never.
      if (random.nextBoolean() && content.synced.length > size) {
        content.synced = Arrays.copyOf(content.synced, size);
      }
      content.unsynced.removeIf(write -> write.at() >= size);
      content.unsynced.replaceAll(
          write ->
              new Write(
                  write.at(),
                  Arrays.copyOf(write.bytes(), Math.min(write.bytes().length, size - write.at()))));
    }
  }

  synchronized void sync(Content content, int life) throws IOException {
    syncs++;
    try {
      begin(life, Fault.SYNC);
    } catch (PlayedFault e) {
      content.synced = afterACut(content);
      content.unsynced.clear();
      throw e;
    }
    for (Write write : content.unsynced) {
      content.synced = with(content.synced, write);
    }
    content.unsynced.clear();
  }

  synchronized void syncNames(int life) throws IOException {
    begin(life, Fault.SYNC);
    syncedNames.clear();
    syncedNames.putAll(names);
    unsyncedNames.clear();
    everything.removeIf(content -> !names.containsValue(content) && content.unsynced.isEmpty());
  }

  private void change(NameChange change) {
    apply(change, names);
    unsyncedNames.add(change);
  }

  private static void apply(NameChange change, Map<String, Content> to) {
    if (change.content() == null) {
      to.remove(change.name());
    } else {
      to.put(change.name(), change.content());
    }
  }

  private static void add(Content content, Write write) {
    content.cached = with(content.cached, write);
    content.unsynced.add(write);
  }

  private static byte[] with(byte[] bytes, Write write) {
    byte[] changed =
        Arrays.copyOf(bytes, Math.max(bytes.length, write.at() + write.bytes().length));
    System.arraycopy(write.bytes(), 0, changed, write.at(), write.bytes().length);
    return changed;
  }

  private byte[] afterACut(Content content) {
    if (content.unsynced.isEmpty()) {
      return content.synced;
    }
    byte[] image = Arrays.copyOf(content.synced, content.cached.length);
    fillWithWhatWasThere(image, content.synced.length);
    for (Write write : content.unsynced) {
      int kept = random.nextInt(3);
      for (int at = write.at(), end = at + write.bytes().length; at < end; ) {
        int next = Math.min(end, (at / SECTOR + 1) * SECTOR);
        if (kept == 2 || kept == 1 && random.nextBoolean()) {
          System.arraycopy(write.bytes(), at - write.at(), image, at, next - at);
        }
        at = next;
      }
    }
    int grown = image.length - Math.min(image.length, content.synced.length);
    return switch (random.nextInt(4)) {
      case 0 -> Arrays.copyOf(image, image.length - grown);
      case 1 -> Arrays.copyOf(image, image.length - random.nextInt(grown + 1));
      default -> image;
    };
  }

  private void fillWithWhatWasThere(byte[] image, int from) {
    if (from >= image.length) {
      return;
    }
    switch (random.nextInt(3)) {
      case 0 -> {}
      case 1 -> {
        byte[] anything = new byte[image.length - from];
        random.nextBytes(anything);
        System.arraycopy(anything, 0, image, from, anything.length);
      }
      default -> {
        byte[] other = everything.get(random.nextInt(everything.size())).synced;
        int end = Math.min(image.length, other.length);
        if (end > from) {
          System.arraycopy(other, from, image, from, end - from);
        }
      }
    }
  }

  /**
   * @param fault how it may fail
   * @return whether the power goes with it
   */
  private boolean begin(int life, Fault fault) throws IOException {
    if (off || life != this.life) {
      throw new IOException("The power is off");
    }
    boolean isLast = ++operations >= cutAt;
    if (isLast) {
      off = true;
      if (fault != Fault.WRITE && fault != Fault.NAMES) {
        throw new IOException("The power is off");
      }
    }
    if (fault != null && faults.contains(fault) && random.nextInt(failsOneIn) == 0) {
      failures++;
      if (failsOnce) {
        faults = Set.of();
      }
      throw new PlayedFault();
    }
    return isLast;
  }

  private static void end(boolean isLast) throws IOException {
    if (isLast) {
      throw new IOException("The power is off");
    }
  }

  static final class PlayedFault extends IOException {
    private static final long serialVersionUID = 1;

    PlayedFault() {
      super("Input/output error");
    }
  }
}
