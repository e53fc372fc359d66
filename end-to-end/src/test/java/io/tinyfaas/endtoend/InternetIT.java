package io.tinyfaas.endtoend;

import static io.tinyfaas.harness.Eventually.within;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.restassured.response.Response;
import io.tinyfaas.harness.Command;
import java.net.URI;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * What only somebody outside can show: who gets there, and who does not. Skipped where a plain
 * container does not get there either.
 */
@Tag("internet")
@ParameterizedClass(name = "{0}")
@MethodSource("systems")
class InternetIT {

  /** Where images have Debian's packages from. */
  private static final URI MIRROR =
      URI.create(
          printedBy(
              "manager", "apt-get update --print-uris | sed -n \"1s/^'\\([^']*\\).*/\\1/p\""));

  private static final String HOST = MIRROR.getHost();
  private static final int PORT =
      MIRROR.getPort() > 0 ? MIRROR.getPort() : MIRROR.getScheme().equals("https") ? 443 : 80;
  private static final String ATTEMPT = "tcp " + HOST + " " + PORT;
  private static final String REACHES = "timeout 10 bash -c '</dev/tcp/" + HOST + "/" + PORT + "'";

  /** Where functions have their dependencies from. */
  private static final String REGISTRY =
      printedBy("runtime-nodejs", "npm config get registry") + "is-number";

  private static final String REACHED = "^(answered|connected)";

  private final Installation system;

  @RegisterExtension private final Functions functions;

  private Device device;

  InternetIT(Installation system) {
    this.system = system;
    this.functions = new Functions(system);
  }

  static Stream<Installation> systems() {
    return Stream.of(Installation.UNIX, Installation.TCP);
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

  @Test
  void shouldReachTheOutsideOnlyWhenItMay() {
    assumeReached(HOST, "manager", "bash", REACHES);
    deploy("inward", false);
    deploy("outward", true);
    Intruder inward = new Intruder(device, "inward");
    Intruder outward = new Intruder(device, "outward");

    within(Duration.ofMinutes(1))
        .untilAsserted(() -> assertThat(outward.tries(ATTEMPT)).containsPattern(REACHED));
    assertThat(inward.tries(ATTEMPT)).doesNotContainPattern(REACHED);
    assertThat(inward.tries("resolve " + HOST)).doesNotContain(".", ":");
  }

  @Test
  void shouldReachTheOutsideWhileItIsBuilt() {
    assumeReached(HOST, "manager", "bash", REACHES);
    byte[] zip =
        Archives.of(
            Map.of(
                "index.js",
                Checkout.read("end-to-end/src/test/functions/intruder/index.js"),
                "try.js",
                """
                require('./index.js').attempts('%s').then((outcome) => {
                  console.log(outcome);
                  process.exit(1);
                });
                """
                    .formatted(ATTEMPT)
                    .getBytes(UTF_8),
                "package.json",
                "{\"scripts\": {\"preinstall\": \"node try.js\"}}".getBytes(UTF_8)));

    within(Duration.ofMinutes(1))
        .untilAsserted(
            () -> {
              Response refused = functions.put("builder", zip);
              assertThat(refused.statusCode()).as(refused.asString()).isEqualTo(422);
              List<String> output = refused.jsonPath().getList("output", String.class);
              assertThat(Intruder.parse(output).get(ATTEMPT)).isNotNull().containsPattern(REACHED);
            });
  }

  @Test
  void shouldInstallWhatARegistryHas() {
    assumeReached(
        REGISTRY,
        "runtime-nodejs",
        "node",
        "fetch('%s', { signal: AbortSignal.timeout(20000) }).then((answer) => process.exit(answer.ok ? 0 : 1))"
            .formatted(REGISTRY));

    functions.deploy(
        "installed",
        Code.of(
            Map.of(
                "package.json",
                "{\"dependencies\":{\"is-number\":\"7.0.0\"}}",
                "index.js",
                "const isNumber = require('is-number');"
                    + " module.exports = (req, res) => res.send(String(isNumber(req.body)));")));

    assertThat(device.post("installed", "42".getBytes(UTF_8)).getResponseText()).isEqualTo("true");
    assertThat(device.post("installed", "x".getBytes(UTF_8)).getResponseText()).isEqualTo("false");
  }

  private void deploy(String name, boolean networkAccess) {
    functions.deploy(
        name, Map.of("runtime", "nodejs", "networkAccess", networkAccess), Intruder.ZIP);
  }

  /**
   * @param image of ours, by what follows {@code tinyfaas/}
   */
  private static String printedBy(String image, String script) {
    return Command.of(
            "bash",
            "-c",
            "docker run --rm --entrypoint sh \"tinyfaas/$0:${TINYFAAS_TAG:-latest}\" -c \"$1\"",
            image,
            script)
        .lines()
        .getFirst();
  }

  /**
   * @param image of ours, by what follows {@code tinyfaas/}
   * @param script for that interpreter, which ends with 0 if it gets there
   */
  private void assumeReached(String host, String image, String interpreter, String script) {
    List<String> outcome =
        system.run(
            Duration.ofMinutes(2),
            "bash",
            "-c",
            "docker run --rm --entrypoint \"$1\" \"tinyfaas/$0:${TINYFAAS_TAG:-latest}\" \"$2\" \"$3\""
                + " >/dev/null 2>&1 && echo reached || echo not reached",
            image,
            interpreter,
            interpreter.equals("node") ? "-e" : "-c",
            script);
    assumeTrue(
        outcome.contains("reached"), host + " is not reached from a plain container on this box");
  }
}
