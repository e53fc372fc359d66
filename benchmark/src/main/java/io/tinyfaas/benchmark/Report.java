package io.tinyfaas.benchmark;

import java.io.IOException;
import java.io.Writer;
import java.nio.file.Files;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.Set;
import java.util.stream.Collectors;

/** What a user gets to see and to keep: tables, raw data, charts. */
final class Report {

  private static final double MEGABYTE = 1024 * 1024;

  private final Options options;
  private final Map<String, String> notes;
  private final Map<String, Long> idle;

  private Report(Options options, Map<String, String> notes, Map<String, Long> idle) {
    this.options = options;
    this.notes = notes;
    this.idle = idle;
  }

  /** Notes the machine, its load and the memory of all processes before the first request. */
  static Report begin(Options options) throws IOException {
    Map<String, String> notes = new LinkedHashMap<>(Machine.describe());
    notes.putAll(options.notes());
    notes.put("load before", Machine.load());
    return new Report(options, notes, memory(options));
  }

  private static Map<String, Long> memory(Options options) throws IOException {
    Map<String, Long> memory = new LinkedHashMap<>();
    Set<Long> seen = new LinkedHashSet<>();
    for (Target target : options.targets()) {
      for (WatchedProcess process : target.processes()) {
        // A gateway serves several targets and is one process.
        boolean shared =
            options.targets().stream().filter(other -> other.processes().contains(process)).count()
                > 1;
        if (seen.add(process.pid())) {
          memory.put(
              shared ? process.role() : process.role() + " of " + target.name(),
              process.residentMemory());
        }
      }
    }
    for (WatchedProcess process : options.watched()) {
      memory.put(process.role(), process.residentMemory());
    }
    return memory;
  }

  /** One line for a run that has ended. */
  static String progress(Run run) {
    Outcome outcome = run.outcome();
    StringBuilder memory = new StringBuilder();
    run.usage()
        .forEach(
            (role, usage) ->
                memory.append(", %s %.0f MB".formatted(role, usage.residentMemory() / MEGABYTE)));
    return "%4d clients, repetition %d: %-14s %8.0f/s, p50 %s ms, p99 %s ms, %d failed%s"
        .formatted(
            run.clients(),
            run.repetition(),
            run.target(),
            outcome.throughput(),
            millis(outcome.percentile(50)),
            millis(outcome.percentile(99)),
            outcome.failed(),
            memory);
  }

  /**
   * Writes all files.
   *
   * @return the summary, which is one of them
   */
  String write(List<Run> runs) throws IOException {
    Files.createDirectories(options.results());
    List<Run> medians = medians(runs);
    String summary = summary(runs, medians);
    Files.writeString(options.results().resolve("summary.md"), summary);
    Files.writeString(options.results().resolve("runs.csv"), RawData.runs(runs));
    try (Writer csv = Files.newBufferedWriter(options.results().resolve("latencies.csv"))) {
      RawData.latencies(runs, csv);
    }
    for (int clients : options.clients()) {
      List<Run> level =
          medians.stream()
              .filter(run -> run.clients() == clients && !run.target().equals(Benchmark.CEILING))
              .toList();
      Files.writeString(
          options.results().resolve("latency-" + clients + ".svg"),
          LatencyChart.svg(clients, level, options.rules().timeout()));
    }
    return summary;
  }

  /** Of each target and level the run with the median throughput. */
  private List<Run> medians(List<Run> runs) {
    Map<List<Object>, List<Run>> repetitions =
        runs.stream()
            .collect(
                Collectors.groupingBy(
                    run -> List.of(run.clients(), run.target()),
                    LinkedHashMap::new,
                    Collectors.toList()));
    return repetitions.values().stream()
        .map(
            same -> {
              List<Run> sorted =
                  same.stream()
                      .sorted(Comparator.comparingDouble(run -> run.outcome().throughput()))
                      .toList();
              return sorted.get(sorted.size() / 2);
            })
        .toList();
  }

  private String summary(List<Run> runs, List<Run> medians) throws IOException {
    StringBuilder text = new StringBuilder("\n");
    text.append(results(medians)).append('\n');
    table(text, comparison(medians));
    if (options.rules().payload().isEmpty()) {
      text.append(ceiling(medians)).append('\n');
    }
    table(text, memoryTable());
    notes.put("load after", Machine.load());
    notes.put("clients", options.operations() + " operations each, one request under way");
    notes.put(
        "failed operations",
        "without a success within "
            + options.rules().timeout().toMillis()
            + " ms; percentiles are of all operations, and a – is one that failed");
    options
        .rules()
        .payload()
        .ifPresent(bytes -> notes.put("payload", bytes + " bytes there and back, by POST"));
    notes.put(
        "runs",
        "the median by throughput of "
            + runs.stream().mapToInt(Run::repetition).max().orElse(options.repetitions()));
    List<List<String>> rows = new ArrayList<>(List.of(List.of("", "")));
    notes.forEach((name, note) -> rows.add(List.of(name, note)));
    table(text, rows);
    long failed = runs.stream().mapToLong(run -> run.outcome().failed()).sum();
    return text.append(
            "%d operations in %d runs, %d failed.%n"
                .formatted(
                    runs.stream().mapToLong(run -> run.outcome().operations()).sum(),
                    runs.size(),
                    failed))
        .toString();
  }

  private String results(List<Run> medians) {
    Set<String> roles = new LinkedHashSet<>();
    options.targets().forEach(t -> t.processes().forEach(process -> roles.add(process.role())));
    List<List<String>> rows = new ArrayList<>();
    List<String> head =
        new ArrayList<>(
            List.of(
                "clients",
                "target",
                "operations/s",
                "p50 ms",
                "p90 ms",
                "p99 ms",
                "p99.9 ms",
                "failed"));
    for (String role : roles) {
      head.add(role + " µs");
      head.add(role + " MB");
    }
    rows.add(head);
    for (Run run : medians) {
      Outcome outcome = run.outcome();
      List<String> row = new ArrayList<>();
      row.add(Integer.toString(run.clients()));
      row.add(run.target());
      row.add("%.0f".formatted(outcome.throughput()));
      for (double percent : new double[] {50, 90, 99, 99.9}) {
        row.add(millis(outcome.percentile(percent)));
      }
      row.add(
          outcome.failed() == 0
              ? "0"
              : "%d (%.2f %%)"
                  .formatted(outcome.failed(), 100.0 * outcome.failed() / outcome.operations()));
      for (String role : roles) {
        Run.Usage usage = run.usage().get(role);
        row.add(usage == null ? "" : "%.0f".formatted(usage.cpuMicros()));
        row.add(usage == null ? "" : "%.0f".formatted(usage.residentMemory() / MEGABYTE));
      }
      rows.add(row);
    }
    StringBuilder text = new StringBuilder();
    table(text, rows);
    return text.toString().stripTrailing()
        + "\n\nµs: processor time per operation. MB: resident memory at the end of the run.\n";
  }

  /** Empty when the baseline is none of the targets. */
  private List<List<String>> comparison(List<Run> medians) {
    List<List<String>> rows = new ArrayList<>();
    rows.add(List.of("clients", "against " + options.baseline(), "throughput ×", "p50 ×", "p99 ×"));
    for (Run run : medians) {
      if (run.target().equals(options.baseline()) || run.target().equals(Benchmark.CEILING)) {
        continue;
      }
      find(medians, options.baseline(), run.clients())
          .forEach(
              baseline ->
                  rows.add(
                      List.of(
                          Integer.toString(run.clients()),
                          run.target(),
                          "%.2f"
                              .formatted(
                                  run.outcome().throughput() / baseline.outcome().throughput()),
                          ratio(run, baseline, 50),
                          ratio(run, baseline, 99))));
    }
    return rows.size() == 1 ? List.of() : rows;
  }

  private static List<Run> find(List<Run> medians, String target, int clients) {
    return medians.stream()
        .filter(run -> run.target().equals(target) && run.clients() == clients)
        .toList();
  }

  private static String ratio(Run run, Run baseline, double percent) {
    OptionalDouble mine = run.outcome().percentile(percent);
    OptionalDouble theirs = baseline.outcome().percentile(percent);
    return mine.isEmpty() || theirs.isEmpty()
        ? "–"
        : "%.2f".formatted(mine.getAsDouble() / theirs.getAsDouble());
  }

  /** Whether the generator was the bottleneck anywhere. */
  private String ceiling(List<Run> medians) {
    StringBuilder text = new StringBuilder("The generator's ceiling (bare UDP echo), and how near");
    text.append(" the fastest target came:");
    for (int clients : options.clients()) {
      double ceiling = find(medians, Benchmark.CEILING, clients).getFirst().outcome().throughput();
      double fastest =
          medians.stream()
              .filter(run -> run.clients() == clients && !run.target().equals(Benchmark.CEILING))
              .mapToDouble(run -> run.outcome().throughput())
              .max()
              .orElse(0);
      text.append(
          " %d clients %.0f/s, %.0f %%;".formatted(clients, ceiling, 100 * fastest / ceiling));
    }
    text.setCharAt(text.length() - 1, '.');
    return text.append('\n').toString();
  }

  private List<List<String>> memoryTable() throws IOException {
    Map<String, Long> now = memory(options);
    List<List<String>> rows = new ArrayList<>();
    rows.add(List.of("resident memory", "before, MB", "after, MB"));
    idle.forEach(
        (process, before) ->
            rows.add(
                List.of(
                    process,
                    "%.0f".formatted(before / MEGABYTE),
                    "%.0f".formatted(now.get(process) / MEGABYTE))));
    return rows.size() == 1 ? List.of() : rows;
  }

  private static String millis(OptionalDouble value) {
    if (value.isEmpty()) {
      return "–";
    }
    double millis = value.getAsDouble();
    return (millis < 10 ? "%.2f" : millis < 100 ? "%.1f" : "%.0f").formatted(millis);
  }

  /** A Markdown table that reads well as plain text, too. The first row is its head. */
  private static void table(StringBuilder to, List<List<String>> rows) {
    if (rows.isEmpty()) {
      return;
    }
    int columns = rows.getFirst().size();
    int[] widths = new int[columns];
    for (List<String> row : rows) {
      for (int i = 0; i < columns; i++) {
        widths[i] = Math.max(Math.max(widths[i], 3), row.get(i).length());
      }
    }
    for (List<String> row : rows) {
      to.append('|');
      for (int i = 0; i < columns; i++) {
        to.append(' ').append(row.get(i)).repeat(' ', widths[i] - row.get(i).length()).append(" |");
      }
      to.append('\n');
      if (row == rows.getFirst()) {
        for (int width : widths) {
          to.append("| ").repeat('-', width).append(' ');
        }
        to.append("|\n");
      }
    }
    to.append('\n');
  }
}
