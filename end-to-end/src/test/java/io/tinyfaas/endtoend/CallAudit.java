package io.tinyfaas.endtoend;

import static io.tinyfaas.harness.Eventually.eventually;
import static java.util.stream.Collectors.groupingBy;
import static java.util.stream.Collectors.mapping;
import static java.util.stream.Collectors.toCollection;
import static java.util.stream.Collectors.toSet;
import static org.assertj.core.api.Assertions.assertThat;

import io.restassured.path.json.JsonPath;
import io.restassured.response.Response;
import io.tinyfaas.endtoend.CallLedger.Accepted;
import io.tinyfaas.endtoend.CallLedger.End;
import io.tinyfaas.endtoend.CallLedger.Run;
import io.tinyfaas.endtoend.CallLedger.Way;
import io.tinyfaas.harness.Command;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.stream.Stream;

/** Compares what the ledger says with what the box says. */
final class CallAudit {

  private static final Duration PATIENCE = Duration.ofSeconds(10);
  private static final int PAGE = 1_000;
  private static final int ASKERS = 4;

  private final Installation system;
  private final CallLedger ledger;
  private final List<String> functions;
  private final Random random;
  private final HttpClient http = HttpClient.newBuilder().connectTimeout(PATIENCE).build();

  CallAudit(Installation system, CallLedger ledger, List<String> functions, Random random) {
    this.random = random;
    this.system = system;
    this.ledger = ledger;
    this.functions = functions;
  }

  /** For so long, notes which calls are seen to end. */
  void watch(Duration time) {
    long end = System.nanoTime() + time.toNanos();
    while (System.nanoTime() < end) {
      for (Accepted call : notEnded()) {
        try {
          note(call, ask(call));
        } catch (IOException e) {
          // The box is starting.
        }
        if (System.nanoTime() >= end) {
          return;
        }
      }
    }
  }

  private List<Accepted> notEnded() {
    return ledger.accepted().stream()
        .filter(call -> ledger.endOf(call.id()) == null)
        .collect(toCollection(ArrayList::new));
  }

  private HttpResponse<String> ask(Accepted call) throws IOException {
    URI uri = URI.create(system.httpUri("calls/" + call.id()));
    try {
      return http.send(
          HttpRequest.newBuilder(uri).timeout(PATIENCE).build(), BodyHandlers.ofString());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new InterruptedIOException();
    }
  }

  private void note(Accepted call, HttpResponse<String> answer) {
    if (answer.statusCode() == 200) {
      JsonPath document = JsonPath.from(answer.body());
      String state = document.getString("state");
      if (state.equals("done") || state.equals("failed")) {
        ledger.end(call.id(), state, document.getInt("attempts"));
      }
    }
  }

  /**
   * Of what was accepted, the box knows; and what has ended, has ended as it was.
   *
   * @param atMost of those that have ended, as many are asked for, by chance; all others are
   */
  void expectAllKnown(int atMost) {
    List<Accepted> asked = notEnded();
    List<Accepted> ended =
        new ArrayList<>(
            ledger.accepted().stream().filter(call -> ledger.endOf(call.id()) != null).toList());
    Collections.shuffle(ended, random);
    asked.addAll(ended.subList(0, Math.min(atMost, ended.size())));
    Queue<Accepted> toAsk = new ConcurrentLinkedQueue<>(asked);
    Queue<String> wrong = new ConcurrentLinkedQueue<>();
    List<CompletableFuture<Void>> askers =
        Stream.generate(() -> CompletableFuture.runAsync(() -> expectKnown(toAsk, wrong)))
            .limit(ASKERS)
            .toList();
    askers.forEach(CompletableFuture::join);
    assertThat(wrong).as("of %d calls, of which it knew", asked.size()).isEmpty();
  }

  private void expectKnown(Queue<Accepted> calls, Queue<String> wrong) {
    for (Accepted call = calls.poll(); call != null; call = calls.poll()) {
      End before = ledger.endOf(call.id());
      try {
        HttpResponse<String> answer = ask(call);
        note(call, answer);
        if (answer.statusCode() != 200
            || before != null
                && !JsonPath.from(answer.body()).getString("state").equals(before.state())) {
          wrong.add(call + ", " + before + ": " + answer.statusCode() + ' ' + answer.body());
        }
      } catch (IOException e) {
        wrong.add(call + ", " + before + ": " + e);
      }
    }
  }

  /** Nothing waits, and nothing runs. */
  boolean isIdle() {
    return functions.stream()
        .allMatch(function -> calls(function, "calls?state=waiting&state=running&").isEmpty());
  }

  /** As operators see them. */
  private List<String> calls(String function, String which) {
    List<String> found = new ArrayList<>();
    String after = "";
    while (after != null) {
      String path = "/functions/" + function + '/' + which + "limit=" + PAGE + after;
      Response answer =
          eventually().until(() -> system.rest().get(path), page -> page.statusCode() == 200);
      found.addAll(answer.jsonPath().getList("calls.id"));
      String next = answer.jsonPath().getString("next");
      after = next == null ? null : "&after=" + next;
    }
    return found;
  }

  /** What handlers have printed of their runs, also those that have been killed. */
  void readRuns() {
    for (String function : functions) {
      for (String handler : system.handlers(function)) {
        Command.Result log = system.command("docker", "logs", handler).run();
        log.output()
            .lines()
            .filter(line -> line.startsWith("ran "))
            .forEach(line -> ledger.ran(Run.parse(function, line)));
      }
    }
  }

  /** When nothing comes any more, and nothing waits or runs. */
  void expectAllAccountedFor() {
    readRuns();
    expectAllKnown(Integer.MAX_VALUE);
    assertThat(notEnded()).as("neither done nor failed").isEmpty();
    Set<String> deadLetters = new HashSet<>();
    functions.forEach(function -> deadLetters.addAll(calls(function, "failed?")));
    assertThat(deadLetters).as("what operators see").containsAll(ended("failed"));
    Map<String, List<Run>> runs = ledger.runsByCall();
    assertThat(runs.keySet()).as("what has run").containsAll(ended("done"));
    assertThat(runs.values().stream().flatMap(List::stream).filter(this::isAfterItsEnd))
        .as("runs of calls that had ended")
        .isEmpty();
    assertThat(runs.values().stream().filter(this::isRepeatedWithoutReason))
        .as("attempts that ran again while the box had power")
        .isEmpty();
    expectWhatFollows();
    expectEachTimeOnce();
  }

  private List<String> ended(String state) {
    return ledger.accepted().stream()
        .map(Accepted::id)
        .filter(id -> ledger.endOf(id).state().equals(state))
        .toList();
  }

  private boolean isAfterItsEnd(Run run) {
    End end = ledger.endOf(run.call());
    return end != null && run.at().isAfter(end.seen());
  }

  /** The same attempt is made again only if its end was not on the disk when the power went. */
  private boolean isRepeatedWithoutReason(List<Run> runs) {
    for (int i = 1; i < runs.size(); i++) {
      Run before = runs.get(i - 1);
      Run run = runs.get(i);
      if (run.attempt() <= before.attempt() && !ledger.wasCutBetween(before.at(), run.at())) {
        return true;
      }
    }
    return false;
  }

  /** The end of a call makes one call for each who is told, however often that runs. */
  private void expectWhatFollows() {
    Map<String, Set<String>> told =
        ledger.runs().stream()
            .filter(run -> !run.resultOf().isEmpty())
            .collect(groupingBy(Run::resultOf, mapping(Run::call, toSet())));
    for (Accepted call : ledger.accepted()) {
      boolean failed =
          call.function().equals(MixedLoad.MOODY)
              && ledger.endOf(call.id()).state().equals("failed");
      int expected = (call.callback() ? 1 : 0) + (failed ? 1 : 0);
      assertThat(told.getOrDefault(call.id(), Set.of()))
          .as("who was told of %s, %s", call, ledger.endOf(call.id()))
          .hasSize(expected);
    }
  }

  /** Of a schedule for each second, all times have made one call each. */
  private void expectEachTimeOnce() {
    Map<Instant, Set<String>> times = times();
    assertThat(times).as("times of the schedule").isNotEmpty();
    assertThat(times.values()).allSatisfy(calls -> assertThat(calls).hasSize(1));
    List<Instant> all = List.copyOf(times.keySet());
    List<String> gaps = new ArrayList<>();
    for (int i = 1; i < all.size(); i++) {
      if (!all.get(i).equals(all.get(i - 1).plusSeconds(1))) {
        gaps.add(all.get(i - 1) + " to " + all.get(i));
      }
    }
    assertThat(gaps).as("times without a call, of %d", all.size()).isEmpty();
  }

  /** The calls that were made for each time. */
  private Map<Instant, Set<String>> times() {
    return ledger.runs().stream()
        .filter(run -> !run.scheduledFor().isEmpty())
        .collect(
            groupingBy(
                run -> Instant.parse(run.scheduledFor()),
                TreeMap::new,
                mapping(Run::call, toSet())));
  }

  /** What has become of all that was accepted, as a table. */
  String figures(int losses) {
    StringBuilder table = new StringBuilder("power lost " + losses + " times\n");
    row(table, "", "accepted", "done", "dead letters", "missing", "ran again");
    for (Way way : Way.values()) {
      List<Accepted> calls = ledger.accepted().stream().filter(call -> call.way() == way).toList();
      long done = count(calls, "done");
      long failed = count(calls, "failed");
      Set<String> ids = calls.stream().map(Accepted::id).collect(toSet());
      row(table, way, calls.size(), done, failed, calls.size() - done - failed, repeated(ids));
    }
    Set<String> scheduled = times().values().stream().flatMap(Set::stream).collect(toSet());
    row(table, "SCHEDULE", times().size(), scheduled.size(), 0, 0, repeated(scheduled));
    Set<String> following =
        ledger.runs().stream()
            .filter(run -> !run.resultOf().isEmpty())
            .map(Run::call)
            .collect(toSet());
    row(table, "what follows", following.size(), following.size(), 0, 0, repeated(following));
    return table.toString();
  }

  private long count(Collection<Accepted> calls, String state) {
    return calls.stream().filter(call -> ledger.endOf(call.id()).state().equals(state)).count();
  }

  private long repeated(Set<String> calls) {
    return ledger.runsByCall().entrySet().stream()
        .filter(call -> calls.contains(call.getKey()) && isRepeated(call.getValue()))
        .count();
  }

  private static boolean isRepeated(List<Run> runs) {
    return runs.stream().map(Run::attempt).distinct().count() < runs.size();
  }

  private static void row(StringBuilder table, Object... cells) {
    for (Object cell : cells) {
      table.append(String.format("%-20s", cell));
    }
    table.append('\n');
  }
}
