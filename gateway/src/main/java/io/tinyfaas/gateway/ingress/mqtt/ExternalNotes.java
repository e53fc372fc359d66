package io.tinyfaas.gateway.ingress.mqtt;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.security.SecureRandom;
import java.util.HexFormat;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;

/**
 * What has to outlive the gateway of its session with an external broker, as lines of a file: the
 * client identifier by which the broker knows it, and what has been subscribed, since the broker
 * goes on with that until somebody ends it.
 *
 * @param filters as they are written in SUBSCRIBE
 */
record ExternalNotes(String clientId, Set<String> filters) {

  static final String FILE = "external-broker";

  private static final int RANDOM_BYTES = 8;

  ExternalNotes {
    filters = Set.copyOf(filters);
  }

  /** Those of the file, or new ones. Blocks. */
  static ExternalNotes read(Path folder) throws IOException {
    try {
      List<String> lines = Files.readAllLines(folder.resolve(FILE), UTF_8);
      if (!lines.isEmpty() && !lines.getFirst().isEmpty()) {
        return new ExternalNotes(lines.getFirst(), new TreeSet<>(lines.subList(1, lines.size())));
      }
    } catch (NoSuchFileException e) {
      // It is the first time.
    }
    byte[] random = new byte[RANDOM_BYTES];
    new SecureRandom().nextBytes(random);
    return new ExternalNotes("tinyfaas-" + HexFormat.of().formatHex(random), Set.of());
  }

  ExternalNotes with(Set<String> others) {
    return new ExternalNotes(clientId, others);
  }

  /** On the disk when it returns. Blocks. */
  void write(Path folder) throws IOException {
    Path made = folder.resolve(FILE + ".new");
    Files.write(made, Stream.concat(Stream.of(clientId), filters.stream()).toList(), UTF_8);
    try (FileChannel content = FileChannel.open(made, StandardOpenOption.WRITE)) {
      content.force(true);
    }
    Files.move(
        made,
        folder.resolve(FILE),
        StandardCopyOption.ATOMIC_MOVE,
        StandardCopyOption.REPLACE_EXISTING);
    try (FileChannel names = FileChannel.open(folder, StandardOpenOption.READ)) {
      names.force(true);
    }
  }
}
