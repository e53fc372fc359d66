package io.tinyfaas.endtoend;

import static io.tinyfaas.harness.Eventually.within;

import io.tinyfaas.harness.Command;
import java.nio.file.Path;
import java.time.Duration;

/**
 * A real ext4, in a file behind a loop device, whose power a test can cut: what the file system has
 * not yet given to the device is lost, also of its own journal. That is what {@code
 * EXT4_IOC_SHUTDOWN} is for, by which file systems are tested. What has reached the device stays
 * there, as on a disk that has no cache of its own. Needs root, as do the container tests.
 */
final class LosingDisk implements AutoCloseable {

  private static final Duration BOUND = Duration.ofSeconds(60);

  /** {@code EXT4_GOING_FLAGS_NOLOGFLUSH} is 2. */
  private static final String SHUT_DOWN =
      "sysopen(my $disk, $ARGV[0], 0) or die $!; my $flags = pack('L', 2);"
          + " ioctl($disk, 0x8004587D, $flags) or die $!";

  private final Path folder;
  private final Path image;
  private final Path disk;

  /**
   * @param name of its folder below {@code /var/tmp}
   * @param folders that are made in its root
   */
  LosingDisk(String name, String... folders) {
    this.disk = path(name);
    this.folder = disk.getParent();
    this.image = folder.resolve("image");
    removeAll();
    run("mkdir", "-p", disk.toString());
    run("truncate", "-s", "512M", image.toString());
    run("mkfs.ext4", "-q", image.toString());
    mount();
    for (String each : folders) {
      run("mkdir", disk.resolve(each).toString());
    }
    run("sync");
  }

  /** Where the one of this name is mounted. */
  static Path path(String name) {
    return Path.of("/var/tmp", name, "disk");
  }

  /**
   * From now on nothing can be read or written. Whoever writes has to be halted before: Linux lets
   * some syncs that are under way then end as if they had succeeded.
   */
  void cutPower() {
    run("perl", "-e", SHUT_DOWN, disk.toString());
  }

  /** When nothing uses it any more: as a machine finds it when the power is back. */
  void restorePower() {
    within(BOUND)
        .until(
            () -> {
              Command.of("umount", disk.toString()).run();
              mount();
              // A container that was just being started may still have it, and then it is the same.
              return Command.of("ls", disk.toString()).run().exitCode() == 0;
            });
  }

  private void mount() {
    run("mount", "-o", "loop", image.toString(), disk.toString());
  }

  private static void run(String... words) {
    Command.of(words).succeed();
  }

  @Override
  public void close() {
    removeAll();
  }

  /** Also what a run that was killed has left. */
  private void removeAll() {
    Command.of("umount", "--lazy", disk.toString()).run();
    run("rm", "-rf", folder.toString());
  }
}
