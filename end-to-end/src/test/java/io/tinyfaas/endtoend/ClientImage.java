package io.tinyfaas.endtoend;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;

/** An image with a client, so that the machine need not have it. */
record ClientImage(String tag, String dockerfile) {

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
      system.run(
          Duration.ofMinutes(3),
          "docker",
          "buildx",
          "build",
          "--quiet",
          "--load",
          "--tag",
          tag,
          context.toString());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
