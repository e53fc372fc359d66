package io.tinyfaas.endtoend;

import static io.restassured.RestAssured.given;
import static io.tinyfaas.harness.Eventually.patient;
import static io.tinyfaas.harness.Eventually.within;

import io.restassured.specification.RequestSpecification;
import io.tinyfaas.harness.Command;
import io.tinyfaas.harness.FailureLogs;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.extension.BeforeAllCallback;
import org.junit.jupiter.api.extension.ExtensionContext;

/**
 * The composed system as an operator runs it: containers, ports, networks and volumes of its own,
 * beside whatever else the engine holds. Started once for all tests that use it, by the first in
 * which it is registered, and removed with everything it made when they have ended.
 */
final class Installation implements BeforeAllCallback {

  /**
   * Moves names, ports and addresses, so that several runs of these tests can share a box: 1 to 9
   * by Failsafe, one for each JVM that runs them at the same time.
   */
  static final int LANE = Integer.getInteger("tinyfaas.lane", 0);

  /** Of a function, until it is healthy: the default, which is enough on a slow box, too. */
  static final Duration START_TIMEOUT = Duration.ofSeconds(30);

  /** The one with handlers on Unix sockets, the default. */
  static final Installation UNIX = new Installation("unix", 20_000, 201, 198);

  /** The one with handlers on networks of their own. All ports are below the ephemeral ones. */
  static final Installation TCP = new Installation("tcp", 10_000, 211, 188);

  /** One whose limits are reached soon: a disk of 8 MiB, bodies of 2 MiB, uploads of 20 s. */
  static final Installation SMALL =
      new Installation(
          "small",
          "unix",
          5_000,
          221,
          178,
          Map.of(
              "COMPOSE_FILE",
              "compose/compose.yaml:end-to-end/src/test/small-box.yaml",
              "TINYFAAS_MAX_BODY",
              "2M"));

  /** One that hundreds of clients ask for all at once. */
  static final Installation CROWDED =
      new Installation("crowded", "unix", 15_000, 161, 158, Map.of());

  /** One whose state is on a {@link LosingDisk} of this name. */
  static final Installation POWERLESS = powerless("power");

  private static final String TOKEN = "a-token-for-end-to-end-tests";
  private static final Map<Installation, Boolean> STARTED = new ConcurrentHashMap<>();
  private static final Set<Installation> REMOVED_AT_THE_END = ConcurrentHashMap.newKeySet();

  /** Whose logs tell why a test failed. */
  private static final List<String> SERVICES = List.of("gateway", "manager");

  private static final String LOOPBACK = "127.0.0.1";

  private final String project;
  private final int ports;
  private final String host;
  private final Map<String, String> environment;

  private Installation(String transport, int ports, int pool, int control) {
    this(transport, transport, ports, pool, control, Map.of());
  }

  private Installation(
      String name,
      String transport,
      int ports,
      int pool,
      int control,
      Map<String, String> settings) {
    this.project = named(name);
    this.ports = ports + 100 * LANE;
    this.host = LOOPBACK;
    this.environment = new HashMap<>(settings);
    environment.put("COMPOSE_PROJECT_NAME", project);
    environment.put("TINYFAAS_HANDLER_TRANSPORT", transport);
    environment.put("TINYFAAS_TOKEN", TOKEN);
    environment.put("TINYFAAS_AUTH", "token");
    environment.put("TINYFAAS_BIND", LOOPBACK);
    environment.put("TINYFAAS_MANAGER_PORT", Integer.toString(managerPort()));
    environment.put("TINYFAAS_GATEWAY_HTTP_PORT", Integer.toString(this.ports + 8081));
    environment.put("TINYFAAS_BROKER_PORT", Integer.toString(brokerPort()));
    environment.put("COAP_PORT", Integer.toString(coapPort()));
    environment.put("COAPS_PORT", Integer.toString(coapsPort()));
    environment.put("HTTP_PORT", Integer.toString(httpPort()));
    environment.put("GRPC_PORT", Integer.toString(grpcPort()));
    environment.put("MQTTS_PORT", Integer.toString(mqttsPort()));
    environment.put("MQTT_PORT", Integer.toString(mqttPort()));
    environment.put("TINYFAAS_ADDRESS_POOL", "10." + (pool + LANE) + ".0.0/16");
    environment.put("TINYFAAS_CONTROL_PREFIX", "10." + (control - LANE) + ".0");
    environment.put("TINYFAAS_FETCH_ALLOW", bridge());
    environment.put("TINYFAAS_START_TIMEOUT", START_TIMEOUT.toSeconds() + "s");
  }

  private static Installation powerless(String name) {
    return new Installation(
        name,
        "unix",
        2_000,
        231,
        148,
        Map.of(
            "COMPOSE_FILE",
            "compose/compose.yaml:end-to-end/src/test/power-loss.yaml",
            "TINYFAAS_LOSING_DISK",
            LosingDisk.path(named(name)).toString()));
  }

  /** What this lane calls something on the engine that is its own. */
  static String named(String what) {
    return "tinyfaas-e2e-" + what + (LANE == 0 ? "" : LANE);
  }

  private Installation(Installation like, String host, Map<String, String> settings) {
    this.project = like.project;
    this.ports = like.ports;
    this.host = host;
    this.environment = new HashMap<>(like.environment);
    this.environment.putAll(settings);
  }

  /**
   * The same on the engine of another box. Starting and removing it is the caller's.
   *
   * @param host the box's address
   * @param engine where this process reaches the engine's socket
   * @param socket where that socket is in the box
   */
  Installation on(String host, Path engine, Path socket) {
    return new Installation(
        this,
        host,
        Map.of(
            "DOCKER_HOST",
            "unix://" + engine,
            "DOCKER_SOCKET",
            socket.toString(),
            "TINYFAAS_BIND",
            host));
  }

  @Override
  public void beforeAll(ExtensionContext context) {
    start();
  }

  /** Starts it if no test has, from images that `make images` has built. */
  void start() {
    STARTED.computeIfAbsent(
        this,
        first -> {
          down();
          if (REMOVED_AT_THE_END.add(this)) {
            Runtime.getRuntime().addShutdownHook(new Thread(this::down));
          }
          up();
          return true;
        });
  }

  /** Stops it and removes all that it made, before the tests have ended. */
  void remove() {
    closeLogs();
    down();
    STARTED.remove(this);
  }

  private void down() {
    run(Duration.ofMinutes(2), "compose/down", "--volumes");
  }

  /**
   * `docker compose up`, returning when all services are healthy. From then on a test that fails
   * shows what they logged.
   */
  void up(String... more) {
    String atMost = Long.toString(patient(Duration.ofMinutes(2)).toSeconds());
    List<String> arguments =
        new ArrayList<>(
            List.of("up", "--detach", "--no-build", "--wait", "--wait-timeout", atMost));
    arguments.addAll(List.of(more));
    try {
      compose(arguments.toArray(String[]::new));
    } catch (AssertionError e) {
      String logs = String.join("\n", compose("logs", "--no-color", "--tail", "50"));
      throw new AssertionError(
          project + " does not start (are the images built? make images)\n" + logs, e);
    }
    for (String service : SERVICES) {
      FailureLogs.open(
          List.of(this, service),
          container(service) + (host.equals(LOOPBACK) ? "" : " at " + host),
          () ->
              command("docker", "logs", "--tail", "200", container(service))
                  .within(Duration.ofSeconds(20))
                  .lines());
    }
  }

  /** A test that fails later does not ask for its logs. */
  void closeLogs() {
    SERVICES.forEach(service -> FailureLogs.close(List.of(this, service)));
  }

  List<String> compose(String... arguments) {
    return run(Duration.ofMinutes(3), concat(List.of("docker", "compose"), arguments));
  }

  /** The engine's own client: what the system did is seen with other eyes. */
  List<String> docker(String... arguments) {
    return run(Duration.ofMinutes(2), concat(List.of("docker"), arguments));
  }

  /** The container of a service, such as {@code gateway}. */
  String container(String service) {
    return project + "-" + service + "-1";
  }

  /** Containers of a function's handlers, also those that do not run. */
  List<String> handlers(String function) {
    return listed(
        List.of("ps", "--all", "--quiet"), labelOf(function), "label=tinyfaas.role=handler");
  }

  /** Containers of a function that run: of its handlers and of its builds. */
  List<String> running(String function) {
    return listed(List.of("ps", "--quiet"), labelOf(function));
  }

  /** All that run of it: its services, and what the manager has started. */
  List<String> runningContainers() {
    return Stream.concat(
            listed(List.of("ps", "--quiet")).stream(),
            docker("ps", "--quiet", "--filter", "label=com.docker.compose.project=" + project)
                .stream())
        .distinct()
        .toList();
  }

  /** Everything on the engine that belongs to a function: containers, networks, images. */
  List<String> traces(String function) {
    String its = labelOf(function);
    return Stream.of(
            listed(List.of("ps", "--all", "--format", "container {{.Names}}"), its),
            listed(List.of("network", "ls", "--format", "network {{.Name}}"), its),
            listed(List.of("image", "ls", "--format", "image {{.Repository}}:{{.Tag}}"), its))
        .flatMap(List::stream)
        .toList();
  }

  private static String labelOf(String function) {
    return "label=tinyfaas.function=" + function;
  }

  /** What the engine lists of this installation, as far as it passes these filters. */
  private List<String> listed(List<String> command, String... filters) {
    List<String> arguments = new ArrayList<>(command);
    arguments.addAll(List.of("--filter", "label=tinyfaas.instance=" + project));
    for (String filter : filters) {
      arguments.addAll(List.of("--filter", filter));
    }
    return docker(arguments.toArray(String[]::new));
  }

  /** Folders of a function in the manager's store and among the sockets. */
  List<String> files(String function) {
    return docker(
        "exec",
        container("manager"),
        "find",
        "/var/lib/tinyfaas",
        "/run/tinyfaas",
        "/run/tinyfaas-calls",
        "-path",
        "*/" + function,
        "-prune",
        "-print");
  }

  /** All that the manager made: containers, networks, images, files. */
  List<String> inventory() {
    return Stream.of(
            listed(List.of("ps", "--all", "--no-trunc", "--quiet")),
            listed(List.of("network", "ls", "--no-trunc", "--quiet")),
            listed(List.of("image", "ls", "--no-trunc", "--quiet")),
            docker(
                "exec",
                container("manager"),
                "find",
                "/var/lib/tinyfaas",
                "/run/tinyfaas",
                "/run/tinyfaas-calls"))
        .flatMap(List::stream)
        .filter(found -> !found.endsWith("/etc.hosts")) // made with the first handler, for all
        .sorted()
        .toList();
  }

  /** Where this process reaches the Unix socket of a handler. */
  Path socket(String function, String handler) {
    return volume("sockets").resolve(Path.of(function, handler, "http.sock"));
  }

  /** The folder of a volume, such as {@code store}, as the engine's box has it. */
  Path volume(String name) {
    return Path.of(
        docker("volume", "inspect", "--format", "{{.Mountpoint}}", project + "_" + name)
            .getFirst());
  }

  /**
   * A request to the manager, with the token, on a connection of its own: there are places for 128.
   */
  RequestSpecification rest() {
    return given()
        .baseUri("http://" + host)
        .port(ports + 8080)
        .header("Connection", "close")
        .header("Authorization", "Bearer " + TOKEN);
  }

  /** Waits until the manager takes deployments. */
  void awaitManager() {
    within(Duration.ofSeconds(60))
        .ignoreExceptions()
        .until(() -> rest().get("/q/health/ready").statusCode() == 200);
  }

  int managerPort() {
    return ports + 8080;
  }

  String token() {
    return TOKEN;
  }

  /** Health and metrics of the gateway. */
  String gatewayUri(String path) {
    return "http://127.0.0.1:" + (ports + 8081) + path;
  }

  int brokerPort() {
    return ports + 1883;
  }

  int coapPort() {
    return ports + 5683;
  }

  int coapsPort() {
    return ports + 5684;
  }

  int httpPort() {
    return ports + 8000;
  }

  int grpcPort() {
    return ports + 9000;
  }

  int mqttPort() {
    return ports + 1884;
  }

  int mqttsPort() {
    return ports + 8883;
  }

  /** Where a function is invoked by HTTP. */
  String httpUri(String pathAndQuery) {
    return "http://" + host + ":" + httpPort() + "/" + pathAndQuery;
  }

  /** What a gRPC client connects to. */
  String grpcTarget() {
    return host + ":" + grpcPort();
  }

  String coapsUri(String pathAndQuery) {
    return "coaps://" + host + ":" + coapsPort() + "/" + pathAndQuery;
  }

  String coapUri(String pathAndQuery) {
    return "coap://" + host + ":" + coapPort() + "/" + pathAndQuery;
  }

  /** The address by which the manager reaches this box, and may fetch archives from. */
  String bridge() {
    return environment.get("TINYFAAS_CONTROL_PREFIX") + ".8";
  }

  String project() {
    return project;
  }

  /**
   * Runs a command in the checkout with this installation's settings.
   *
   * @param quiet how long it may take on a quiet machine
   * @return the lines that it printed
   * @throws AssertionError if it fails or takes too long, with what it printed
   */
  List<String> run(Duration quiet, String... command) {
    return command(command).within(quiet).lines();
  }

  /** A command in the checkout with this installation's settings, to be run or started. */
  Command command(String... words) {
    return Command.of(words).in(Checkout.path()).with(environment);
  }

  /** The same for what is started and has input, or output, of its own. */
  ProcessBuilder process(String... command) {
    ProcessBuilder builder = new ProcessBuilder(command).directory(Checkout.path().toFile());
    builder.environment().putAll(environment);
    return builder;
  }

  /** For the names of tests. */
  @Override
  public String toString() {
    return environment.get("TINYFAAS_HANDLER_TRANSPORT");
  }

  private static String[] concat(List<String> first, String[] more) {
    return Stream.concat(first.stream(), Arrays.stream(more)).toArray(String[]::new);
  }
}
