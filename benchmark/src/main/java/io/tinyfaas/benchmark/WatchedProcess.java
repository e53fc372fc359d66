package io.tinyfaas.benchmark;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/**
 * A process of the box and its descendants, seen from outside through {@code /proc}: a container's
 * by the process ID that it has on the host.
 *
 * @param role such as {@code gateway}
 */
record WatchedProcess(String role, long pid) {

  /**
   * Processor time of each thread, in nanoseconds. By thread, because only there Linux tells
   * nanoseconds; threads that end between two readings are missed, new ones are not.
   */
  record Reading(Map<Long, Long> cpuByThread) {

    Duration since(Reading before) {
      long nanos = 0;
      for (Map.Entry<Long, Long> thread : cpuByThread.entrySet()) {
        nanos += thread.getValue() - before.cpuByThread.getOrDefault(thread.getKey(), 0L);
      }
      return Duration.ofNanos(nanos);
    }
  }

  Reading read() throws IOException {
    Map<Long, Long> cpu = new HashMap<>();
    for (Path process : tree()) {
      try (Stream<Path> threads = Files.list(process.resolve("task"))) {
        for (Path thread : threads.toList()) {
          // schedstat: time on the processor, time waiting for it, time slices
          String time = text(thread.resolve("schedstat")).split(" ")[0];
          if (!time.isEmpty()) {
            cpu.put(Long.parseLong(thread.getFileName().toString()), Long.parseLong(time));
          }
        }
      } catch (NoSuchFileException e) {
        // It has ended meanwhile.
      }
    }
    return new Reading(cpu);
  }

  /** Resident memory in bytes; pages that processes share count in each. */
  long residentMemory() throws IOException {
    long bytes = 0;
    for (Path process : tree()) {
      for (String line : text(process.resolve("status")).lines().toList()) {
        if (line.startsWith("VmRSS:")) {
          bytes += Long.parseLong(line.replaceAll("\\D", "")) * 1_024;
        }
      }
    }
    return bytes;
  }

  private List<Path> tree() {
    Stream<Long> pids =
        ProcessHandle.of(pid).stream()
            .flatMap(root -> Stream.concat(Stream.of(root), root.descendants()))
            .map(ProcessHandle::pid);
    return pids.map(process -> Path.of("/proc", process.toString())).toList();
  }

  /** A file of {@code /proc}; empty when its process has ended. */
  private static String text(Path file) throws IOException {
    try {
      return Files.readString(file).strip();
    } catch (NoSuchFileException e) {
      return "";
    } catch (IOException e) {
      if (Files.exists(file)) {
        throw e;
      }
      return "";
    }
  }
}
