package io.tinyfaas.endtoend;

import static io.tinyfaas.harness.Eventually.within;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.restassured.response.Response;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.eclipse.californium.core.CoapResponse;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** What a function can do to its own container, and to the little of this box that it sees. */
class ConfinementIT {

  @RegisterExtension private static final Installation SYSTEM = Installation.UNIX;
  private static final String SOCKET = "/run/tinyfaas/http.sock";

  @RegisterExtension private final Functions functions = new Functions(SYSTEM);

  @RegisterExtension private final Device device = new Device(SYSTEM);
  private final Intruder intruder = new Intruder(device, "intruder");

  @Test
  void shouldRunWithoutRights() {
    deploy(Map.of());

    assertThat(intruder.tries("read /proc/self/status").lines())
        .contains("NoNewPrivs:\t1")
        .contains("CapEff:\t0000000000000000", "CapBnd:\t0000000000000000")
        .contains("Uid:\t65534\t65534\t65534\t65534", "Gid:\t65534\t65534\t65534\t65534");
  }

  @Test
  void shouldNotWriteOutsideTmp() {
    deploy(Map.of());

    assertThat(
            intruder.tries(
                Stream.of(
                        "/etc/x",
                        "/function/index.js",
                        "/function/x",
                        "/home/x",
                        "/run/x",
                        "/run/tinyfaas/x",
                        "/var/tmp/x",
                        "/x",
                        "/proc/sys/kernel/core_pattern",
                        "/sys/fs/cgroup/memory/memory.limit_in_bytes",
                        "/sys/fs/cgroup/memory.max")
                    .map(path -> "write " + path)
                    .toList()))
        .allSatisfy((path, outcome) -> assertThat(outcome).matches("E[A-Z]+"));
  }

  @Test
  void shouldWriteAFewMegabytesToTmp() {
    deploy(Map.of());

    assertThat(intruder.tries("write /tmp/x")).isEqualTo("written");
    assertThat(intruder.tries("fill /tmp/y")).matches("ENOSPC after 1[0-6]");
    assertThat(intruder.tries("write /tmp/z")).isEqualTo("written");
  }

  @Test
  void shouldStartFewProcesses() {
    deploy(Map.of("memory", "256M", "timeout", "2m"));

    String[] started = intruder.tries("fork 400").split(" ");

    assertThat(Integer.parseInt(started[0])).isBetween(10, 256);
    assertThat(started[1]).isEqualTo("EAGAIN");
    assertThat(intruder.tries("write /tmp/x")).isEqualTo("written");
  }

  @Test
  void shouldEndWhenItOutgrowsItsMemoryAndComeBack() {
    deploy(Map.of("memory", "64M"));

    CoapResponse response = device.post("intruder", "grow".getBytes(UTF_8));

    assertThat(response.getCode().text).isEqualTo("5.02");
    within(Duration.ofMinutes(1))
        .until(
            () -> device.post("intruder", "write /tmp/x".getBytes(UTF_8)),
            answer -> answer != null && answer.isSuccess());
  }

  @Test
  void shouldNotPutALinkInThePlaceOfItsSocketWhenItIsHealthy() {
    deploy(Map.of());

    assertThat(intruder.tries("link " + SOCKET + " ../../victim/http.sock")).isEqualTo("EACCES");
    assertThat(intruder.tries("list /run/tinyfaas")).isEqualTo("http.sock");
  }

  /** In which it may write until it is healthy, and to an open file for as long as it likes. */
  @Test
  void shouldTakeNoDiskThroughTheFolderOfItsSocket() {
    deploy(Map.of());

    assertThat(intruder.tries("spill")).matches("ENOSPC after ([0-9]|1[0-6])");

    functions.deploy("neighbour", Code.node("module.exports = (req, res) => res.send('here');"));
    assertThat(device.get("neighbour").getResponseText()).isEqualTo("here");
  }

  @Test
  void shouldNotStartWithALinkInThePlaceOfItsSocket() {
    functions.deploy("victim", Code.node("module.exports = (req, res) => res.send('v');"));
    String victim = functions.handlers("victim").getFirst();
    // When it is asked for its health, and before it answers.
    String code =
        """
        const fs = require('node:fs');
        const net = require('node:net');
        const { emit } = net.Server.prototype;
        net.Server.prototype.emit = function (event, ...rest) {
          if (event === 'connection' && fs.lstatSync('%1$s').isSocket()) {
            fs.unlinkSync('%1$s');
            fs.symlinkSync('../../victim/%2$s/http.sock', '%1$s');
          }
          return emit.call(this, event, ...rest);
        };
        module.exports = (req, res) => res.send('not me');
        """
            .formatted(SOCKET, victim);

    Response refused = functions.put("intruder", Code.node(code));

    assertThat(refused.statusCode()).as(refused.asString()).isEqualTo(422);
    assertThat(refused.jsonPath().getString("type")).endsWith("start-failed");
    assertThat(refused.jsonPath().getString("detail")).contains("folder of its socket");
    assertThat(device.get("intruder").getCode().text).isEqualTo("4.04");
  }

  /** The rule by which functions with network access are kept off the host. */
  @Test
  void shouldSetTheRuleOfTheFirewallAgainThatWasFlushed() {
    deploy(Map.of("networkAccess", true));
    assertThat(rules()).hasSize(1);
    String rule = rules().getFirst();

    // Fails unless it was there. There is only one, so that there is none any more, even if the
    // guard comes before anybody could look.
    iptables(rule.replaceFirst("^-A", "-D"));

    within(Duration.ofMinutes(2))
        .pollInterval(Duration.ofSeconds(2))
        .untilAsserted(() -> assertThat(rules()).containsExactly(rule));
  }

  private void deploy(Map<String, Object> spec) {
    Map<String, Object> all = new HashMap<>(spec);
    all.put("runtime", "nodejs");
    functions.deploy("intruder", all, Intruder.ZIP);
  }

  private static List<String> rules() {
    return iptables("-S INPUT").stream()
        .filter(rule -> rule.contains("tinyfaas:" + SYSTEM.project() + "\""))
        .toList();
  }

  /** As the host has it: these tests may run in a container. */
  private static List<String> iptables(String arguments) {
    return SYSTEM.run(
        Duration.ofMinutes(2),
        "bash",
        "-c",
        "docker run --rm --network host --user 0 --cap-drop ALL --cap-add NET_ADMIN --cap-add NET_RAW"
            + " --entrypoint bash tinyfaas/manager:${TINYFAAS_TAG:-latest} -c \"$0\"",
        "iptables=iptables; iptables -w 60 -S INPUT >/dev/null 2>&1 || iptables=iptables-legacy;"
            + " $iptables -w 60 "
            + arguments);
  }
}
