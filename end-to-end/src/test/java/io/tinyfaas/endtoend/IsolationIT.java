package io.tinyfaas.endtoend;

import static io.tinyfaas.harness.Eventually.eventually;
import static io.tinyfaas.harness.Eventually.patient;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.restassured.response.Response;
import java.io.IOException;
import java.net.Inet6Address;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.NetworkInterface;
import java.net.Proxy;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Code in a function tries to reach what it must not: another function, the broker, the manager,
 * the gateway, the engine, this box. All of it is really there: each target is reached from where
 * it may be.
 */
@ParameterizedClass(name = "{0}")
@MethodSource("systems")
class IsolationIT {

  private static final String HEALTH = "\"checks\"";
  private static final String HOST_SERVICE = "tinyfaas-host";

  /**
   * By which those who answer are known: a handler, another function, a service of this box, the
   * health of manager and gateway, the broker's CONNACK, the gateway's reset of a CoAP ping.
   */
  private static final List<String> MARKS =
      List.of(
          "A handler answers",
          "tinyfaas-victim",
          HOST_SERVICE,
          HEALTH,
          "answered connack",
          "answered coap");

  /** What the function in the container itself listens on, also while it is built. */
  private static final String ITSELF = "tcp 127.0.0.1 9000";

  private static ServerSocket hostService;

  private final Installation system;

  @RegisterExtension private final Functions functions;

  private Device device;

  IsolationIT(Installation system) {
    this.system = system;
    this.functions = new Functions(system);
  }

  static Stream<Installation> systems() {
    return Stream.of(Installation.UNIX, Installation.TCP);
  }

  @BeforeAll
  static void listen() throws IOException {
    hostService = new ServerSocket(0);
    Thread.ofVirtual()
        .start(
            () -> {
              while (!hostService.isClosed()) {
                try (Socket accepted = hostService.accept()) {
                  accepted.getOutputStream().write(HOST_SERVICE.getBytes(UTF_8));
                } catch (IOException e) {
                  // Closed, or the peer has gone.
                }
              }
            });
  }

  @AfterAll
  static void close() throws IOException {
    hostService.close();
  }

  @BeforeEach
  void start() {
    system.start();
    device = new Device(system);
  }

  @AfterEach
  void switchOff() {
    device.switchOff();
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void shouldReachNothingOfOurs(boolean networkAccess) {
    deploy("intruder", networkAccess);
    deploy("victim", true);
    Intruder intruder = new Intruder(device, "intruder");
    shouldBeThere();

    Map<String, String> outcomes =
        intruder.tries(attempts(List.of(intruder.tries("list /sys/class/net").split(" "))));

    assertThat(outcomes).hasSizeGreaterThan(50);
    assertThat(outcomes.entrySet()).filteredOn(IsolationIT::isReached).isEmpty();
  }

  /** {@link InternetIT} shows where the ways lead. */
  @Test
  void shouldHaveAWayOutOnlyWhenItMay() {
    deploy("inward", false);
    deploy("outward", true);

    assertThat(waysOut("outward")).hasSize(1);
    assertThat(waysOut("inward")).isEmpty();
    if (system == Installation.UNIX) {
      Intruder inward = new Intruder(device, "inward");
      assertThat(inward.tries("list /sys/class/net")).isEqualTo("lo");
    }
  }

  /** The networks of its handler that lead out of this box, as the engine has them. */
  private List<String> waysOut(String function) {
    return system
        .docker(
            "inspect",
            "--format",
            "{{range $name, $_ := .NetworkSettings.Networks}}{{println $name}}{{end}}",
            system.handlers(function).getFirst())
        .stream()
        .filter(network -> !network.isBlank())
        .filter(
            network ->
                system
                    .docker("network", "inspect", "--format", "{{.Driver}} {{.Internal}}", network)
                    .contains("bridge false"))
        .toList();
  }

  @Test
  void shouldReachNothingOfOursWhileItIsBuilt() {
    deploy("victim", true);
    shouldBeThere();
    Set<String> attempts = attempts(List.of("eth0"));
    String code =
        """
        const { attempts } = require('./index.js');
        attempts(%s).then((text) => {
          const outcomes = text.split('\\n');
          console.log(`tried ${outcomes.length}`);
          outcomes.filter((line) => / -> (answered|connected)/.test(line)).forEach((line) => console.log(line));
          process.exit(1);
        });
        """
            .formatted("'" + String.join("\\n", attempts) + "\\n" + ITSELF + "'");
    byte[] zip =
        Archives.of(
            Map.of(
                "index.js",
                Checkout.read("end-to-end/src/test/functions/intruder/index.js"),
                "try.js",
                code.getBytes(UTF_8),
                "package.json",
                "{\"scripts\": {\"preinstall\": \"node try.js\"}}".getBytes(UTF_8)));

    Response refused = functions.put("builder", zip);

    assertThat(refused.statusCode()).as(refused.asString()).isEqualTo(422);
    List<String> output = refused.jsonPath().getList("output", String.class);
    Map<String, String> outcomes = Intruder.parse(output);
    assertThat(output).contains("tried " + (attempts.size() + 1));
    assertThat(outcomes.remove(ITSELF)).as("what may be reached").startsWith("answered");
    assertThat(outcomes.entrySet()).filteredOn(IsolationIT::isReached).isEmpty();
  }

  private void deploy(String name, boolean networkAccess) {
    functions.deploy(
        name,
        Map.of("runtime", "nodejs", "networkAccess", networkAccess, "timeout", "2m"),
        Intruder.ZIP);
  }

  /** What an attempt told to have reached is really there, where it may be reached from. */
  private void shouldBeThere() {
    Intruder victim = new Intruder(device, "victim");
    List<String> attempts = addresses("victim").stream().map(a -> "tcp " + a + " 9000").toList();
    eventually()
        .untilAsserted(
            () ->
                assertThat(victim.tries(attempts))
                    .isNotEmpty()
                    .allSatisfy(
                        (attempt, outcome) ->
                            assertThat(outcome).isEqualTo("answered tinyfaas-victim")));
    assertThat(system.rest().get("/q/health").asString()).contains(HEALTH);
    assertThat(hostAddresses()).hasSizeGreaterThan(1);
    assertThat(isReached(InetAddress.getLoopbackAddress(), system.managerPort())).isTrue();
    assertThat(isReached(InetAddress.getLoopbackAddress(), system.brokerPort())).isTrue();
  }

  /**
   * @param interfaces of the function, for addresses that are only valid on a link
   */
  private Set<String> attempts(List<String> interfaces) {
    Set<String> attempts = new LinkedHashSet<>();
    attempts.addAll(toOtherFunction());
    attempts.addAll(toServices());
    attempts.addAll(toHost(interfaces));
    attempts.add("unix /var/run/docker.sock");
    attempts.add("unix /run/docker.sock");
    attempts.add("unix /run/containerd/containerd.sock");
    return attempts;
  }

  /**
   * Any connection to a name or a socket is one too many. Packets to an address of ours that has no
   * route here leave the box, where somebody may answer for anybody: there the mark decides.
   */
  private static boolean isReached(Map.Entry<String, String> attempt) {
    String outcome = attempt.getValue();
    return MARKS.stream().anyMatch(outcome::contains)
        || attempt.getKey().startsWith("unix ") && outcome.matches("(answered|connected).*");
  }

  /** Its addresses on all of its networks, and its socket. */
  private List<String> toOtherFunction() {
    List<String> attempts = new ArrayList<>();
    for (String address : addresses("victim")) {
      attempts.add("tcp " + address + " 8000");
      attempts.add("tcp " + address + " 9000");
    }
    for (String id : functions.handlers("victim")) {
      attempts.add("unix /run/tinyfaas/victim/" + id + "/http.sock");
      attempts.add("unix /run/tinyfaas/../victim/" + id + "/http.sock");
      attempts.add("unix " + system.socket("victim", id));
      attempts.add("tcp " + system.project() + "-victim-" + id + " 9000");
    }
    attempts.add("tcp victim 9000");
    return attempts;
  }

  private List<String> toServices() {
    List<String> attempts = new ArrayList<>();
    for (String service : List.of("broker", "manager", "gateway")) {
      for (String host : addressesOf(system.container(service))) {
        for (int port : List.of(8080, 8081, 8000)) {
          attempts.add("tcp " + host + " " + port);
        }
        attempts.add("mqtt " + host + " 1883");
        attempts.add("mqtt " + host + " 1885");
        attempts.add("udp " + host + " 5683");
      }
      attempts.add("tcp " + system.container(service) + " 8080");
      attempts.add("mqtt " + service + " 1883");
    }
    return attempts;
  }

  /**
   * @param interfaces of the function, for addresses that are only valid on a link
   */
  private List<String> toHost(List<String> interfaces) {
    List<String> attempts = new ArrayList<>();
    for (InetAddress address : hostAddresses()) {
      for (String host : hosts(address, interfaces)) {
        attempts.add("tcp " + host + " " + hostService.getLocalPort());
        attempts.add("tcp " + host + " " + system.managerPort());
        attempts.add("mqtt " + host + " " + system.brokerPort());
        attempts.add("udp " + host + " " + system.coapPort());
      }
    }
    return attempts;
  }

  private static List<String> hosts(InetAddress address, List<String> interfaces) {
    String text = address.getHostAddress().replaceAll("%.*", "");
    return address instanceof Inet6Address && address.isLinkLocalAddress()
        ? interfaces.stream().map(name -> text + "%" + name).toList()
        : List.of(text);
  }

  /** Those on which this process reaches the service that it is itself. */
  private static List<InetAddress> hostAddresses() {
    // Others make networks on this box and remove them, perhaps while they are being listed.
    List<InetAddress> all =
        eventually()
            .ignoreException(SocketException.class)
            .until(
                () ->
                    NetworkInterface.networkInterfaces()
                        .flatMap(NetworkInterface::inetAddresses)
                        .toList(),
                found -> true);
    Map<InetAddress, Future<Boolean>> reached = new LinkedHashMap<>();
    // One that leads nowhere takes all of its time; the others are not to wait for it.
    try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
      for (InetAddress address : all) {
        if (!address.isLoopbackAddress()) {
          reached.put(
              address, threads.submit(() -> isReached(address, hostService.getLocalPort())));
        }
      }
    }
    return reached.keySet().stream().filter(address -> reached.get(address).resultNow()).toList();
  }

  private static boolean isReached(InetAddress address, int port) {
    try (Socket socket = new Socket(Proxy.NO_PROXY)) {
      socket.connect(
          new InetSocketAddress(address, port), (int) patient(Duration.ofSeconds(2)).toMillis());
      return true;
    } catch (IOException e) {
      return false;
    }
  }

  private List<String> addresses(String function) {
    return system.handlers(function).stream().flatMap(c -> addressesOf(c).stream()).toList();
  }

  private List<String> addressesOf(String container) {
    return system
        .docker(
            "inspect",
            "--format",
            "{{range .NetworkSettings.Networks}}{{println .IPAddress}}{{end}}",
            container)
        .stream()
        .filter(address -> !address.isBlank())
        .toList();
  }
}
