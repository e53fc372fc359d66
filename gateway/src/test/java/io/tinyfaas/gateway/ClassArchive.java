package io.tinyfaas.gateway;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.UUID;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * What Java makes of the classes of a program when it starts, kept in a file, so that the next
 * starts take half of the processor time. It is made once for the jars of a build and the flags of
 * the JVM; who needs it meanwhile waits, in other processes, too. Where it cannot be made, the
 * program starts as well, only slower.
 */
final class ClassArchive {

  private final Path folder;
  private final Consumer<Path> making;
  private boolean wasAskedFor;
  private boolean failed;

  /**
   * @param folder of archives, one for each build
   * @param making runs the program once with {@code -XX:ArchiveClassesAtExit} and this file
   */
  ClassArchive(Path folder, Consumer<Path> making) {
    this.folder = folder;
    this.making = making;
  }

  /**
   * The flags of a JVM that takes its classes from it. None for the first start in this process
   * unless the archive is there: making it takes longer than that start, which may be the only one.
   *
   * @param jars folder of the program's
   * @param flags all others
   */
  synchronized List<String> use(Path jars, List<String> flags) {
    boolean isFirst = !wasAskedFor;
    wasAskedFor = true;
    try {
      Path archive = folder.resolve(name(jars, flags));
      if (!Files.exists(archive) && !isFirst && !failed) {
        makeOnce(archive);
      }
      return Files.exists(archive) ? List.of("-XX:SharedArchiveFile=" + archive) : List.of();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private void makeOnce(Path archive) throws IOException {
    Files.createDirectories(folder);
    try (FileChannel channel =
        FileChannel.open(
            folder.resolve("lock"), StandardOpenOption.CREATE, StandardOpenOption.WRITE)) {
      channel.lock(); // until it is closed
      if (!Files.exists(archive)) {
        Path unfinished = folder.resolve("unfinished");
        Files.deleteIfExists(unfinished);
        making.accept(unfinished);
        Files.move(unfinished, archive, StandardCopyOption.ATOMIC_MOVE);
      }
    } catch (IOException | RuntimeException | AssertionError e) {
      failed = true;
      System.out.println("Starts go on without an archive of classes: " + e);
    }
  }

  /** Java takes no archive for jars with other sizes or times. */
  private static String name(Path jars, List<String> flags) throws IOException {
    try (Stream<Path> files = Files.walk(jars)) {
      String all =
          files
              .filter(Files::isRegularFile)
              .sorted()
              .map(ClassArchive::described)
              .collect(Collectors.joining("\n"));
      String fits = System.getProperty("java.vm.version") + "\n" + flags + "\n" + all;
      return UUID.nameUUIDFromBytes(fits.getBytes(UTF_8)) + ".jsa";
    }
  }

  private static String described(Path file) {
    try {
      return file.toAbsolutePath() + " " + Files.size(file) + " " + Files.getLastModifiedTime(file);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
