package io.tinyfaas.benchmark;

import java.io.IOException;
import java.io.PrintStream;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * The experiment: every target under every load, several times. Targets take turns within each
 * repetition, so that a drift of the machine hits all of them.
 */
final class Benchmark {

  /** The name of the echo among the results. */
  static final String CEILING = "ceiling";

  private static final int WARM_UP_CLIENTS = 16;

  /** How long a target may go on working on what timed out, before the next one's turn. */
  private static final Duration SETTLE = Duration.ofSeconds(3);

  private static final Duration SETTLE_STEP = Duration.ofMillis(100);

  private final Options options;
  private final PrintStream out;
  private final List<Run> runs = new ArrayList<>();

  private Benchmark(Options options, PrintStream out) {
    this.options = options;
    this.out = out;
  }

  /** Arguments as {@link Options#USAGE} says; 2 for wrong ones, 1 when a target does not answer. */
  public static void main(String[] arguments) throws Exception {
    Locale.setDefault(Locale.ROOT);
    try {
      new Benchmark(Options.parse(arguments), System.out).run();
    } catch (IllegalArgumentException e) {
      System.err.println(e.getMessage());
      System.err.println(Options.USAGE);
      System.exit(2);
    } catch (UnansweredException e) {
      System.err.println(e.getMessage());
      System.exit(1);
    }
  }

  private void run() throws Exception {
    try (UdpEcho echo = new UdpEcho()) {
      List<Target> targets = new ArrayList<>();
      if (options.rules().payload().isEmpty()) {
        targets.add(new Target(CEILING, echo.uri(), List.of()));
      }
      targets.addAll(options.targets());
      Map<Target, Load> loads = new LinkedHashMap<>();
      for (Target target : targets) {
        loads.put(target, Load.of(target.uri(), options.rules()));
      }
      Report report = Report.begin(options);
      warmUp(loads);
      for (int clients : options.clients()) {
        long begin = System.nanoTime();
        for (int repetition = 1;
            repetition <= options.repetitions()
                || System.nanoTime() - begin < options.repeatFor().toNanos();
            repetition++) {
          for (Map.Entry<Target, Load> load : loads.entrySet()) {
            Run run = measure(load.getKey(), load.getValue(), clients, repetition);
            runs.add(run);
            out.println(Report.progress(run));
          }
        }
      }
      out.print(report.write(runs));
    }
  }

  private void warmUp(Map<Target, Load> loads) throws Exception {
    for (Map.Entry<Target, Load> load : loads.entrySet()) {
      Outcome first = load.getValue().run(1, 1);
      if (first.failed() > 0) {
        throw new UnansweredException(load.getKey());
      }
      if (options.warmUp() > 0) {
        load.getValue().run(WARM_UP_CLIENTS, options.warmUp());
      }
    }
  }

  private Run measure(Target target, Load load, int clients, int repetition) throws Exception {
    Map<WatchedProcess, WatchedProcess.Reading> before = read(target);
    Outcome outcome = load.run(clients, options.operations());
    Map<String, Run.Usage> usage = new LinkedHashMap<>();
    Map<WatchedProcess, WatchedProcess.Reading> after = read(target);
    for (WatchedProcess process : target.processes()) {
      Duration cpu = after.get(process).since(before.get(process));
      usage.merge(
          process.role(),
          new Run.Usage(
              cpu.toNanos() / 1_000.0 / Math.max(1, outcome.succeeded()), process.residentMemory()),
          Run.Usage::plus);
    }
    settle(target, outcome);
    return new Run(target.name(), clients, repetition, outcome, usage);
  }

  private static Map<WatchedProcess, WatchedProcess.Reading> read(Target target)
      throws IOException {
    Map<WatchedProcess, WatchedProcess.Reading> readings = new LinkedHashMap<>();
    for (WatchedProcess process : target.processes()) {
      readings.put(process, process.read());
    }
    return readings;
  }

  /** Waits until the target has stopped working, which matters after failed operations only. */
  private void settle(Target target, Outcome outcome) throws IOException, InterruptedException {
    if (outcome.failed() == 0) {
      return;
    }
    Thread.sleep(options.rules().timeout());
    Duration waited = Duration.ZERO;
    Duration busy = SETTLE_STEP;
    while (waited.compareTo(SETTLE) < 0 && busy.compareTo(SETTLE_STEP.dividedBy(10)) > 0) {
      Map<WatchedProcess, WatchedProcess.Reading> before = read(target);
      Thread.sleep(SETTLE_STEP);
      waited = waited.plus(SETTLE_STEP);
      busy = Duration.ZERO;
      for (Map.Entry<WatchedProcess, WatchedProcess.Reading> process : read(target).entrySet()) {
        busy = busy.plus(process.getValue().since(before.get(process.getKey())));
      }
    }
  }

  private static final class UnansweredException extends Exception {
    private static final long serialVersionUID = 1L;

    UnansweredException(Target target) {
      super(
          "%s does not answer a GET of %s in time and with success: is it deployed and started?"
              .formatted(target.name(), target.uri()));
    }
  }
}
