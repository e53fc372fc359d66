package io.tinyfaas.gateway;

import static org.awaitility.Awaitility.await;

import io.tinyfaas.harness.Broker;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** The packaged gateway, in a JVM of its own with the flags that it has in its container. */
final class GatewayProcess implements AutoCloseable {

  private static final Pattern COAP = Pattern.compile("event=started .*coap=(\\d+)");
  private static final Pattern COAPS = Pattern.compile("event=coaps-started address=.*:(\\d+)");
  private static final Pattern HTTP = Pattern.compile("event=started .*http=(\\d+)");
  private static final Pattern GRPC = Pattern.compile("event=started .*grpc=(\\d+)");
  private static final Pattern HEALTH = Pattern.compile("Listening on: http://127.0.0.1:(\\d+)");

  private final List<String> log = new CopyOnWriteArrayList<>();
  private final HttpClient http = HttpClient.newHttpClient();
  private final Process process;

  GatewayProcess(Broker broker, Path sockets, Map<String, String> environment) {
    this(broker, sockets, environment, "35m");
  }

  /**
   * @param heap as in {@code -Xmx}
   */
  GatewayProcess(Broker broker, Path sockets, Map<String, String> environment, String heap) {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(List.of("-Xmx" + heap, "-Xmn12m", "-XX:SurvivorRatio=4"));
    command.addAll(List.of("-XX:TargetSurvivorRatio=90", "-XX:+UseSerialGC"));
    command.addAll(List.of("-XX:TieredStopAtLevel=1", "-XX:MaxMetaspaceSize=96m"));
    command.add("-XX:+ExitOnOutOfMemoryError");
    command.addAll(List.of("-jar", Path.of("target/quarkus-app/quarkus-run.jar").toString()));
    ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true);
    builder.environment().putAll(freePorts());
    builder.environment().put("TINYFAAS_SOCKETS", sockets.toString());
    builder.environment().put("TINYFAAS_BROKER_PORT", Integer.toString(broker.port()));
    builder.environment().put("TINYFAAS_BROKER_PASSWORD", Broker.GATEWAY_PASSWORD);
    builder.environment().putAll(environment);
    try {
      process = builder.start();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    Thread.ofVirtual().start(this::read);
  }

  private static Map<String, String> freePorts() {
    return Map.of(
        "COAP_PORT", "0",
        "COAPS_PORT", "0",
        "HTTP_PORT", "0",
        "GRPC_PORT", "0",
        "TINYFAAS_GATEWAY_HTTP_PORT", "0",
        "TINYFAAS_COAP_HOST", "127.0.0.1",
        "TINYFAAS_HTTP_HOST", "127.0.0.1",
        "TINYFAAS_GRPC_HOST", "127.0.0.1");
  }

  private void read() {
    try (BufferedReader lines =
        new BufferedReader(
            new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8))) {
      lines.lines().forEach(log::add);
    } catch (IOException | UncheckedIOException e) {
      log.add("(end of log: " + e.getMessage() + ")");
    }
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

  /** Of health and metrics. */
  int healthPort() {
    return number(HEALTH);
  }

  private int number(Pattern pattern) {
    Optional<Integer> known = find(pattern);
    if (known.isPresent()) {
      return known.get();
    }
    return await("gateway log " + pattern)
        .atMost(20, TimeUnit.SECONDS)
        .conditionEvaluationListener(
            evaluation -> {
              if (!process.isAlive()) {
                throw new AssertionError("the gateway ended: " + log);
              }
            })
        .until(() -> find(pattern), Optional::isPresent)
        .orElseThrow();
  }

  private Optional<Integer> find(Pattern pattern) {
    return log.stream()
        .map(pattern::matcher)
        .filter(Matcher::find)
        .map(found -> Integer.parseInt(found.group(1)))
        .findFirst();
  }

  List<String> log() {
    return List.copyOf(log);
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

  /** Those whose names begin like this. */
  List<String> loadedClasses(String prefix) {
    String jcmd = Path.of(System.getProperty("java.home"), "bin", "jcmd").toString();
    try {
      Process histogram =
          new ProcessBuilder(jcmd, Long.toString(process.pid()), "VM.class_hierarchy", "-i")
              .redirectErrorStream(true)
              .start();
      try (BufferedReader lines = histogram.inputReader()) {
        return lines
            .lines()
            .map(line -> line.replaceAll("^[|\\s-]*", ""))
            .filter(line -> line.startsWith(prefix))
            .toList();
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** SIGTERM. The handle, unlike the process, leaves the log open. */
  void terminate() {
    process.toHandle().destroy();
  }

  boolean isAlive() {
    return process.isAlive();
  }

  void kill() {
    process.destroyForcibly();
  }

  int awaitExit() {
    await().atMost(20, TimeUnit.SECONDS).until(() -> !process.isAlive());
    return process.exitValue();
  }

  @Override
  public void close() {
    process.destroyForcibly();
    awaitExit();
  }
}
