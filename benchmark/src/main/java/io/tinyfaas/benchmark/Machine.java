package io.tinyfaas.benchmark;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;

/** What the results are worth depends on it. */
final class Machine {

  private Machine() {}

  static Map<String, String> describe() throws IOException {
    Map<String, String> notes = new LinkedHashMap<>();
    notes.put(
        "processor",
        Runtime.getRuntime().availableProcessors()
            + " × "
            + line(Path.of("/proc/cpuinfo"), "model name").replaceFirst(".*:\\s*", ""));
    long memory = Long.parseLong(line(Path.of("/proc/meminfo"), "MemTotal").replaceAll("\\D", ""));
    notes.put("memory", "%.1f GB".formatted(memory / 1024.0 / 1024.0));
    notes.put("kernel", System.getProperty("os.name") + " " + System.getProperty("os.version"));
    notes.put("generator", "Java " + Runtime.version());
    return notes;
  }

  /** Processes that were running or waiting for a processor: 1, 5 and 15 minutes. */
  static String load() throws IOException {
    return String.join(", ", Files.readString(Path.of("/proc/loadavg")).split(" ", 4))
        .replaceFirst(", [^,]*$", "");
  }

  private static String line(Path file, String start) throws IOException {
    return Files.readAllLines(file).stream()
        .filter(line -> line.startsWith(start))
        .findFirst()
        .orElse("unknown 0");
  }
}
