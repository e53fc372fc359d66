package io.tinyfaas.manager;

import static io.tinyfaas.harness.Eventually.within;

import io.tinyfaas.harness.Broker;
import io.tinyfaas.harness.Command;
import io.tinyfaas.harness.FailureLogs;
import io.tinyfaas.manager.files.FileTree;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/** The manager as it is shipped, with the Java options of its image; there is no engine. */
final class ManagerProcess implements AutoCloseable {

  private static final Pattern PORT = Pattern.compile("Listening on: http://[^:]+:(\\d+)");

  private final Path folder;
  private final Broker broker = new Broker();
  private final Command.Running process;
  private final int port;

  ManagerProcess() {
    FailureLogs.open(this, "manager", this::log);
    broker.start();
    try {
      folder = Files.createTempDirectory("tinyfaas-manager");
      Path password = Files.writeString(folder.resolve("password"), Broker.MANAGER_PASSWORD);
      Path resources = Path.of("src/test/resources").toAbsolutePath();
      process =
          Command.of(words())
              .with(
                  Map.ofEntries(
                      Map.entry("QUARKUS_HTTP_HOST", "127.0.0.1"),
                      Map.entry("QUARKUS_HTTP_PORT", "0"),
                      Map.entry("TINYFAAS_TOKEN", "a-token-for-tests-only"),
                      Map.entry("TINYFAAS_STORE", folder.resolve("store").toString()),
                      Map.entry("TINYFAAS_SOCKETS", folder.resolve("sockets").toString()),
                      Map.entry("TINYFAAS_CALL_SOCKETS", folder.resolve("calls").toString()),
                      Map.entry("TINYFAAS_DOCKER_SOCKET", engine().toString()),
                      Map.entry("TINYFAAS_BROKER_HOST", "127.0.0.1"),
                      Map.entry("TINYFAAS_BROKER_PORT", Integer.toString(broker.port())),
                      Map.entry("TINYFAAS_BROKER_PASSWORD_FILE", password.toString()),
                      Map.entry(
                          "TINYFAAS_DEVICE_KEY_FILE", resources.resolve("device-key").toString()),
                      Map.entry(
                          "TINYFAAS_COAPS_CERTIFICATE_FILE",
                          resources.resolve("lamp.crt").toString())))
              .start();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    Matcher listening =
        within(Duration.ofMinutes(1)).until(() -> PORT.matcher(process.output()), Matcher::find);
    this.port = Integer.parseInt(listening.group(1));
  }

  /** Without the cache of its classes, which is made with the image. */
  private static List<String> words() throws IOException {
    String entry;
    try (Stream<String> lines = Files.lines(Path.of("../compose/Dockerfile"))) {
      entry =
          lines
              .filter(line -> line.startsWith("ENTRYPOINT") && line.contains("-Xmx96m"))
              .findFirst()
              .orElseThrow();
    }
    List<String> words = new ArrayList<>();
    for (Matcher word = Pattern.compile("\"([^\"]+)\"").matcher(entry); word.find(); ) {
      words.add(word.group(1));
    }
    words.removeIf(word -> word.startsWith("-XX:AOT") || word.startsWith("-XX:ArchiveRelocation"));
    words.set(0, Path.of(System.getProperty("java.home"), "bin", "java").toString());
    words.set(words.indexOf("quarkus-run.jar"), "target/quarkus-app/quarkus-run.jar");
    return words;
  }

  int port() {
    return port;
  }

  /** Where there is no engine, unless a case listens there. */
  Path engine() {
    return folder.resolve("none.sock");
  }

  /** Asks it to end, and waits for that. */
  void stop(Duration quiet) {
    process.terminate();
    process.awaitExit(quiet);
  }

  /** How many there are of a class, when what is not needed any more has been collected. */
  int living(String className) {
    return Command.of(
            List.of(
                Path.of(System.getProperty("java.home"), "bin", "jcmd").toString(),
                Long.toString(process.pid()),
                "GC.class_histogram"))
        .lines()
        .stream()
        .map(line -> line.strip().split("\\s+"))
        .filter(row -> row.length > 3 && row[3].equals(className))
        .mapToInt(row -> Integer.parseInt(row[1]))
        .findFirst()
        .orElse(0);
  }

  boolean isAlive() {
    return process.isAlive();
  }

  List<String> log() {
    return process == null ? List.of() : process.output().lines().toList();
  }

  @Override
  public void close() throws IOException {
    FailureLogs.close(this);
    process.close();
    broker.close();
    FileTree.delete(folder);
  }
}
