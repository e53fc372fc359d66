package io.tinyfaas.endtoend;

import static io.tinyfaas.harness.Eventually.patient;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/** curl, as people have it on their machines, that asks one installation's functions by HTTP. */
final class Curl {

  private static final Duration PATIENCE = Duration.ofSeconds(20);
  private static final String AT_MOST = Long.toString(patient(PATIENCE).toSeconds());

  /**
   * @param headers as they came, each on a line
   */
  record Answer(int status, String headers, byte[] body) {
    String text() {
      return new String(body, StandardCharsets.UTF_8);
    }
  }

  private final Installation system;
  private final Path folder;

  /**
   * @param folder for files of its own
   */
  Curl(Installation system, Path folder) {
    this.system = system;
    this.folder = folder;
  }

  /** Sends a body as it is. */
  Answer post(String path, byte[] body) {
    try {
      Path file = Files.write(folder.resolve("curl-sent"), body);
      return ask(path, "--data-binary", "@" + file);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /**
   * @param path the function's name, perhaps more segments and a query
   */
  Answer ask(String path, String... options) {
    Path headers = folder.resolve("curl-headers");
    Path body = folder.resolve("curl-body");
    List<String> command =
        new ArrayList<>(List.of("curl", "--silent", "--show-error", "--max-time", AT_MOST));
    command.addAll(List.of("--dump-header", headers.toString(), "--output", body.toString()));
    command.addAll(List.of("--write-out", "%{http_code}"));
    command.addAll(List.of(options));
    command.add(system.httpUri(path));
    try {
      Files.deleteIfExists(body);
      String status =
          system.run(PATIENCE.multipliedBy(2), command.toArray(String[]::new)).getLast();
      return new Answer(
          Integer.parseInt(status),
          Files.readString(headers),
          Files.exists(body) ? Files.readAllBytes(body) : new byte[0]);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
