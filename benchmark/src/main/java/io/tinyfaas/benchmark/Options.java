package io.tinyfaas.benchmark;

import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;

/**
 * What to measure, from the command line.
 *
 * @param clients load levels
 * @param operations of each client in a run
 * @param repeatFor how long repetitions go on, if that makes more of them
 * @param warmUp operations of each of 16 clients before the first run, not counted
 * @param baseline name of the target that others are compared with; may be none of them
 * @param watched processes that serve no single target; their memory is noted
 * @param notes about machine and versions, copied to the results
 */
record Options(
    List<Target> targets,
    List<Integer> clients,
    int operations,
    int repetitions,
    Duration repeatFor,
    int warmUp,
    Load.Rules rules,
    String baseline,
    List<WatchedProcess> watched,
    Map<String, String> notes,
    Path results) {

  static final String USAGE =
      """
      java -jar tinyfaas-benchmark.jar [OPTION]... NAME=coap://HOST[:PORT]/PATH|NAME=http://HOST[:PORT]/PATH...
        --clients 1,4,16,64,256,1024  load levels, each so many closed-loop clients
        --operations 500              of each client
        --repetitions 3               the median by throughput is reported
        --repeat-for 0                seconds for which repetitions of a load level go on, if that makes more
        --warm-up 500                 operations of each of 16 clients before the first run
        --timeout 1000                milliseconds after which an operation has failed
        --retransmit 0                milliseconds to the first retransmission, doubled each time; 0: none
        --payload -1                  bytes that a POST brings and its answer brings back; -1: a GET
        --calls false                 whether a POST has done it when it is accepted as a call: 2.01, 202
        --baseline native-node        the target that others are compared with
        --process TARGET:ROLE=PID     a process that works for a target: its processor time and memory
        --process ROLE=PID            one that works for none: its memory
        --note NAME=TEXT              about the machine, for the results
        --results DIRECTORY           where results go (results)""";

  Options {
    targets = List.copyOf(targets);
    clients = List.copyOf(clients);
    watched = List.copyOf(watched);
    if (clients.isEmpty() || clients.stream().anyMatch(n -> n < 1 || n > 16_384)) {
      throw new IllegalArgumentException("--clients wants numbers from 1 to 16384");
    }
    if (operations < 1 || repetitions < 1 || warmUp < 0) {
      throw new IllegalArgumentException("--operations and --repetitions are at least 1");
    }
    if (rules.timeout().isZero()) {
      throw new IllegalArgumentException("--timeout is at least 1");
    }
  }

  static Options parse(String... arguments) {
    Map<String, String> settings = new LinkedHashMap<>();
    settings.put("--clients", "1,4,16,64,256,1024");
    settings.put("--operations", "500");
    settings.put("--repetitions", "3");
    settings.put("--repeat-for", "0");
    settings.put("--warm-up", "500");
    settings.put("--payload", "-1");
    settings.put("--calls", "false");
    settings.put("--timeout", "1000");
    settings.put("--retransmit", "0");
    settings.put("--baseline", "native-node");
    settings.put("--results", "results");
    Map<String, URI> uris = new LinkedHashMap<>();
    Map<String, List<WatchedProcess>> processes = new LinkedHashMap<>();
    Map<String, String> notes = new LinkedHashMap<>();
    for (int i = 0; i < arguments.length; i++) {
      String argument = arguments[i];
      if (!argument.startsWith("--")) {
        String[] target = pair(argument);
        uris.put(target[0], URI.create(target[1]));
        continue;
      }
      if (++i == arguments.length) {
        throw new IllegalArgumentException(argument + " wants a value");
      }
      String value = arguments[i];
      if (argument.equals("--process")) {
        String[] process = pair(value);
        int colon = process[0].indexOf(':');
        processes
            .computeIfAbsent(process[0].substring(0, Math.max(colon, 0)), any -> new ArrayList<>())
            .add(new WatchedProcess(process[0].substring(colon + 1), Long.parseLong(process[1])));
      } else if (argument.equals("--note")) {
        String[] note = pair(value);
        notes.put(note[0], note[1]);
      } else if (settings.replace(argument, value) == null) {
        throw new IllegalArgumentException("there is no option " + argument);
      }
    }
    List<Target> targets = new ArrayList<>();
    uris.forEach(
        (name, uri) -> targets.add(new Target(name, uri, processes.getOrDefault(name, List.of()))));
    return new Options(
        targets,
        List.of(settings.get("--clients").split(",")).stream().map(Integer::valueOf).toList(),
        Integer.parseInt(settings.get("--operations")),
        Integer.parseInt(settings.get("--repetitions")),
        Duration.ofSeconds(Integer.parseInt(settings.get("--repeat-for"))),
        Integer.parseInt(settings.get("--warm-up")),
        new Load.Rules(
            Duration.ofMillis(Integer.parseInt(settings.get("--timeout"))),
            Duration.ofMillis(Integer.parseInt(settings.get("--retransmit"))),
            payload(settings.get("--payload")),
            Boolean.parseBoolean(settings.get("--calls"))),
        settings.get("--baseline"),
        processes.getOrDefault("", List.of()),
        notes,
        Path.of(settings.get("--results")));
  }

  private static OptionalInt payload(String bytes) {
    int length = Integer.parseInt(bytes);
    return length < 0 ? OptionalInt.empty() : OptionalInt.of(length);
  }

  private static String[] pair(String argument) {
    String[] pair = argument.split("=", 2);
    if (pair.length < 2 || pair[0].isEmpty()) {
      throw new IllegalArgumentException(argument + " is not NAME=VALUE");
    }
    return pair;
  }
}
