package io.tinyfaas.gateway;

import static io.tinyfaas.harness.Eventually.within;

import io.tinyfaas.harness.Broker;
import io.tinyfaas.harness.Command;
import io.tinyfaas.harness.FailureLogs;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** The packaged gateway, in a JVM of its own with the flags that it has in its container. */
final class GatewayProcess implements AutoCloseable {

  private static final Pattern COAP = Pattern.compile("event=started .*coap=(\\d+)");
  private static final Pattern COAPS = Pattern.compile("event=coaps-started address=.*:(\\d+)");
  private static final Pattern HTTP = Pattern.compile("event=started .*http=(\\d+)");
  private static final Pattern GRPC = Pattern.compile("event=started .*grpc=(\\d+)");
  private static final Pattern MQTT = Pattern.compile("event=mqtt-started address=.*:(\\d+)");
  private static final Pattern MQTTS = Pattern.compile("event=mqtts-started address=.*:(\\d+)");
  private static final Pattern HEALTH = Pattern.compile("Listening on: http://127.0.0.1:(\\d+)");

  /** Of a generation of the heap, as jcmd tells it. */
  private static final Pattern USED = Pattern.compile("total \\d+K, used (\\d+)K");

  /** A JVM starts and ends in two seconds on a quiet machine. */
  private static final Duration START_OR_END = Duration.ofMinutes(1);

  private static final Path JARS = Path.of("target/quarkus-app");

  /** As in its image, but for the largest heap; what trims memory now and then is left out. */
  private static final List<String> FLAGS =
      List.of(
          "-Xmn12m",
          "-XX:SurvivorRatio=4",
          "-XX:TargetSurvivorRatio=90",
          "-XX:+UseSerialGC",
          "-XX:TieredStopAtLevel=1",
          "-XX:MaxMetaspaceSize=96m",
          "-XX:+ExitOnOutOfMemoryError");

  private static final ClassArchive CLASSES =
      new ClassArchive(Path.of("target/class-archive"), GatewayProcess::archiveClasses);

  private final HttpClient http = HttpClient.newHttpClient();
  private final Command.Running process;

  GatewayProcess(Broker broker, Path sockets, Map<String, String> environment) {
    this(broker, sockets, environment, "90m");
  }

  /**
   * @param heap as in {@code -Xmx}
   */
  GatewayProcess(Broker broker, Path sockets, Map<String, String> environment, String heap) {
    this(heap, CLASSES.use(JARS, FLAGS), environment(broker, sockets, environment));
    FailureLogs.open(this, "gateway", this::log);
  }

  private GatewayProcess(String heap, List<String> flags, Map<String, String> environment) {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.add("-Xmx" + heap);
    command.addAll(FLAGS);
    command.addAll(flags);
    // That a thread did not run for 2 s is said of the machine, with a stack trace.
    command.add("-Dquarkus.log.category.\"io.vertx.core.impl.BlockedThreadChecker\".level=OFF");
    command.addAll(List.of("-jar", JARS.resolve("quarkus-run.jar").toString()));
    process = Command.of(command).with(environment).start();
  }

  private static Map<String, String> environment(
      Broker broker, Path sockets, Map<String, String> environment) {
    Map<String, String> all = new HashMap<>(freePorts());
    all.put("TINYFAAS_SOCKETS", sockets.toString());
    all.put("TINYFAAS_CALL_SOCKETS", sockets.resolve("s").toString());
    all.put("TINYFAAS_CALLS_FOLDER", sockets.resolve("calls").toString());
    all.put("TINYFAAS_BROKER_PORT", Integer.toString(broker.port()));
    all.put("TINYFAAS_BROKER_PASSWORD", Broker.GATEWAY_PASSWORD);
    all.putAll(environment);
    return all;
  }

  /** Of a gateway without broker and functions, after the first requests to each port of it. */
  private static void archiveClasses(Path archive) {
    Map<String, String> alone = new HashMap<>(freePorts());
    alone.put("TINYFAAS_BROKER_PASSWORD", "none");
    alone.put("TINYFAAS_BROKER_PORT", "1"); // where no box has a broker
    try (GatewayProcess gateway =
        new GatewayProcess("128m", List.of("-XX:ArchiveClassesAtExit=" + archive), alone)) {
      AskingDevice.get(gateway, "none");
      gateway.get("/q/health/ready");
      gateway.get("/q/metrics");
      gateway.terminate();
      gateway.awaitExit();
    }
  }

  private static Map<String, String> freePorts() {
    return Map.ofEntries(
        Map.entry("COAP_PORT", "0"),
        Map.entry("COAPS_PORT", "0"),
        Map.entry("HTTP_PORT", "0"),
        Map.entry("GRPC_PORT", "0"),
        Map.entry("MQTTS_PORT", "0"),
        Map.entry("MQTT_PORT", "0"),
        Map.entry("TINYFAAS_GATEWAY_HTTP_PORT", "0"),
        Map.entry("TINYFAAS_COAP_HOST", "127.0.0.1"),
        Map.entry("TINYFAAS_HTTP_HOST", "127.0.0.1"),
        Map.entry("TINYFAAS_GRPC_HOST", "127.0.0.1"),
        Map.entry("TINYFAAS_MQTT_HOST", "127.0.0.1"));
  }

  int coapPort() {
    return number(COAP);
  }

  /** Of DTLS, once it is there. */
  int coapsPort() {
    return number(COAPS);
  }

  int httpPort() {
    return number(HTTP);
  }

  int grpcPort() {
    return number(GRPC);
  }

  /** Of MQTT without encryption. */
  int mqttPort() {
    return number(MQTT);
  }

  /** Of MQTT by TLS. */
  int mqttsPort() {
    return number(MQTTS);
  }

  /** Of health and metrics. */
  int healthPort() {
    return number(HEALTH);
  }

  /** The processor time that it has taken, to 10 ms. */
  Duration cpuTime() {
    return ProcessHandle.of(process.pid())
        .flatMap(handle -> handle.info().totalCpuDuration())
        .orElseThrow();
  }

  private int number(Pattern pattern) {
    Optional<Integer> known = find(pattern);
    if (known.isPresent()) {
      return known.get();
    }
    return within(START_OR_END)
        .alias("gateway log " + pattern)
        .conditionEvaluationListener(
            evaluation -> {
              if (!process.isAlive()) {
                throw new AssertionError("the gateway ended: " + log());
              }
            })
        .until(() -> find(pattern), Optional::isPresent)
        .orElseThrow();
  }

  private Optional<Integer> find(Pattern pattern) {
    return log().stream()
        .map(pattern::matcher)
        .filter(Matcher::find)
        .map(found -> Integer.parseInt(found.group(1)))
        .findFirst();
  }

  /** The lines that are whole. */
  List<String> log() {
    String output = process.output();
    return output.substring(0, output.lastIndexOf('\n') + 1).lines().toList();
  }

  /** Of health or metrics. */
  HttpResponse<String> get(String path) {
    try {
      return http.send(
          HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + healthPort() + path)).build(),
          HttpResponse.BodyHandlers.ofString());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new AssertionError(e);
    }
  }

  /** What of its heap is used by what lives, in bytes. */
  long liveHeap() {
    jcmd("GC.run");
    return jcmd("GC.heap_info").stream()
        .map(USED::matcher)
        .filter(Matcher::find)
        .mapToLong(found -> 1_024 * Long.parseLong(found.group(1)))
        .sum();
  }

  private List<String> jcmd(String... arguments) {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "jcmd").toString());
    command.add(Long.toString(process.pid()));
    command.addAll(List.of(arguments));
    return Command.of(command).lines();
  }

  /** Those whose names begin like this. */
  List<String> loadedClasses(String prefix) {
    return jcmd("VM.class_hierarchy", "-i").stream()
        .map(line -> line.replaceAll("^[|\\s-]*", ""))
        .filter(line -> line.startsWith(prefix))
        .toList();
  }

  /** SIGTERM. */
  void terminate() {
    process.terminate();
  }

  boolean isAlive() {
    return process.isAlive();
  }

  void kill() {
    process.close();
  }

  int awaitExit() {
    return process.awaitExit(START_OR_END);
  }

  @Override
  public void close() {
    FailureLogs.close(this);
    process.close();
    awaitExit();
  }
}
