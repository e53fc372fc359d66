package io.tinyfaas.benchmark;

import java.io.IOException;
import java.util.List;
import java.util.OptionalDouble;
import org.HdrHistogram.HistogramIterationValue;

/** All runs as CSV, for whoever wants to look at them in other ways. */
final class RawData {

  private RawData() {}

  static String runs(List<Run> runs) {
    StringBuilder csv =
        new StringBuilder(
            "clients,target,repetition,operations,succeeded,timeouts,wrong_answers,seconds,"
                + "operations_per_second,p50_ms,p90_ms,p99_ms,p999_ms,max_ms,generator_cpu_us,"
                + "role,cpu_us,rss_bytes\n");
    for (Run run : runs) {
      Outcome outcome = run.outcome();
      String common =
          "%d,%s,%d,%d,%d,%d,%d,%.6f,%.1f,%s,%s,%s,%s,%.4f,%.2f"
              .formatted(
                  run.clients(),
                  run.target(),
                  run.repetition(),
                  outcome.operations(),
                  outcome.succeeded(),
                  outcome.timeouts(),
                  outcome.wrongAnswers(),
                  outcome.elapsed().toNanos() / 1e9,
                  outcome.throughput(),
                  csv(outcome.percentile(50)),
                  csv(outcome.percentile(90)),
                  csv(outcome.percentile(99)),
                  csv(outcome.percentile(99.9)),
                  outcome.latencies().getMaxValue() / 1e6,
                  outcome.generatorCpu().toNanos() / 1e3 / outcome.operations());
      if (run.usage().isEmpty()) {
        csv.append(common).append(",,,\n");
      }
      run.usage()
          .forEach(
              (role, usage) ->
                  csv.append(common)
                      .append(
                          ",%s,%.2f,%d%n"
                              .formatted(role, usage.cpuMicros(), usage.residentMemory())));
    }
    return csv.toString();
  }

  /** Each latency that occurred, to three digits, and how often. */
  static void latencies(List<Run> runs, Appendable csv) throws IOException {
    csv.append("clients,target,repetition,latency_us,count\n");
    for (Run run : runs) {
      for (HistogramIterationValue value : run.outcome().latencies().recordedValues()) {
        csv.append(
            "%d,%s,%d,%.1f,%d%n"
                .formatted(
                    run.clients(),
                    run.target(),
                    run.repetition(),
                    value.getValueIteratedTo() / 1e3,
                    value.getCountAddedInThisIterationStep()));
      }
    }
  }

  private static String csv(OptionalDouble value) {
    return value.isEmpty() ? "" : "%.4f".formatted(value.getAsDouble());
  }
}
