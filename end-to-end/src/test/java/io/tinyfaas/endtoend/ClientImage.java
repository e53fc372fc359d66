package io.tinyfaas.endtoend;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** An image with a client, so that the machine need not have it. */
record ClientImage(String tag, String dockerfile) {

  /** Held while an image is built that other tests may be about to build, too. */
  private static final Path LOCK = Checkout.path().resolve("end-to-end/target/images.lock");

  /**
   * Builds it, if it is not there yet.
   *
   * @param folder for files of its own
   * @param files that the Dockerfile copies, by name
   */
  void build(Installation system, Path folder, Map<String, byte[]> files) {
    try {
      Path context = Files.createDirectories(folder.resolve(tag.replace('/', '-')));
      Files.writeString(context.resolve("Dockerfile"), dockerfile);
      for (Map.Entry<String, byte[]> file : files.entrySet()) {
        Files.write(context.resolve(file.getKey()), file.getValue());
      }
      build(system, "buildx", "build", "--quiet", "--load", "--tag", tag, context.toString());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /**
   * Builds any image of the tests, when no other test does.
   *
   * @param arguments of {@code docker}
   */
  static void build(Installation system, String... arguments) {
    List<String> command = new ArrayList<>(List.of("flock", LOCK.toString(), "docker"));
    command.addAll(List.of(arguments));
    system.run(Duration.ofMinutes(5), command.toArray(String[]::new));
  }
}
