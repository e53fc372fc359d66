package io.tinyfaas.endtoend;

import static io.restassured.RestAssured.get;
import static io.tinyfaas.harness.Eventually.eventually;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.hamcrest.Matchers.equalTo;
import static org.hamcrest.Matchers.everyItem;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import org.eclipse.californium.core.CoapResponse;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What monitoring sees of both services. */
class MetricsIT {

  @RegisterExtension private static final Installation SYSTEM = Installation.UNIX;

  @RegisterExtension private final Functions functions = new Functions(SYSTEM);

  @RegisterExtension private final Device device = new Device(SYSTEM);

  private static String gateway() {
    return get(SYSTEM.gatewayUri("/q/metrics")).then().statusCode(200).extract().asString();
  }

  private static String manager() {
    return SYSTEM.rest().get("/q/metrics").then().statusCode(200).extract().asString();
  }

  /**
   * @param labels in any order
   * @return 0 if there is no such line
   */
  private static double value(String metrics, String name, String... labels) {
    return metrics
        .lines()
        .filter(line -> line.matches(name + "[ {].*"))
        .filter(line -> Arrays.stream(labels).allMatch(line::contains))
        .mapToDouble(line -> Double.parseDouble(line.substring(line.lastIndexOf(' ') + 1)))
        .sum();
  }

  private static double invocations(String function, String outcome) {
    return value(
        gateway(),
        "tinyfaas_invocations_total",
        "function=\"" + function + "\"",
        "protocol=\"coap\"",
        "outcome=\"" + outcome + "\"");
  }

  @Test
  void shouldCountInvocationsByFunctionAndOutcome() {
    functions.deploy(
        "counted",
        Map.of("runtime", "nodejs", "timeout", "1m"),
        Code.node(
            """
            module.exports = (req, res) => {
              if (req.body === 'fail') throw new Error('failed');
              if (req.body === 'refuse') return res.sendStatus(404);
              if (req.body !== 'hang') res.send('ok');
            };
            """));
    String function = "function=\"counted\"";
    List<Double> measured = new ArrayList<>();
    for (String body : List.of("", "", "", "fail", "fail", "refuse", "hang")) {
      if (body.equals("hang")) {
        functions.patch("counted", "{\"timeout\":\"200ms\"}").then().statusCode(200);
      }
      long start = System.nanoTime();
      assertThat(device.post("counted", body.getBytes(UTF_8))).isNotNull();
      // The gateway counts what it has answered.
      int count = measured.size() + 1;
      eventually()
          .until(() -> value(gateway(), "tinyfaas_invocation_seconds_count", function) >= count);
      measured.add((System.nanoTime() - start) / 1e9);
    }

    assertThat(invocations("counted", "ok")).isEqualTo(3);
    assertThat(invocations("counted", "function_error")).isEqualTo(2);
    assertThat(invocations("counted", "client_error")).isEqualTo(1);
    assertThat(invocations("counted", "timeout")).isEqualTo(1);
    String metrics = gateway();
    assertThat(value(metrics, "tinyfaas_invocation_seconds_count", function)).isEqualTo(7);
    // The one that hung took 0.2 s at least, and none took longer at the gateway than it did here.
    long quick = measured.stream().filter(seconds -> seconds <= 0.1).count();
    assertThat(value(metrics, "tinyfaas_invocation_seconds_bucket", function, "le=\"0.1\""))
        .isBetween((double) quick, 6.0);
    assertThat(value(metrics, "tinyfaas_invocation_seconds_bucket", function, "le=\"+Inf\""))
        .isEqualTo(7);
    assertThat(value(metrics, "tinyfaas_invocation_seconds_sum", function))
        .isBetween(0.2, measured.stream().mapToDouble(seconds -> seconds).sum());
  }

  /** What devices write into a path never grows the metrics; a deleted function leaves them. */
  @Test
  void shouldLabelNothingWithANameThatIsNoFunctions() {
    double before = invocations("", "unknown_function");

    for (int n = 0; n < 5; n++) {
      device.get("nobody-" + n);
    }

    assertThat(invocations("", "unknown_function")).isEqualTo(before + 5);
    assertThat(gateway()).doesNotContain("nobody");

    functions.deploy("gone", Code.answering("x"));
    device.get("gone");
    eventually().untilAsserted(() -> assertThat(gateway()).contains("\"gone\""));
    functions.delete("gone").then().statusCode(204);
    assertThat(gateway()).doesNotContain("\"gone\"");
  }

  @Test
  void shouldTellWhatIsInFlight() {
    functions.deploy("flying", Map.of("runtime", "nodejs", "timeout", "5m"), Gate.IN_A_FUNCTION);
    CompletableFuture<CoapResponse> answer =
        CompletableFuture.supplyAsync(() -> device.post("flying", "x".getBytes(UTF_8)));
    Gate.awaitAsked(SYSTEM, "flying", "x");

    assertThat(value(gateway(), "tinyfaas_in_flight")).isEqualTo(1);
    Gate.open(device, "flying");
    assertThat(answer.join().getResponseText()).isEqualTo("x");
    eventually().until(() -> value(gateway(), "tinyfaas_in_flight") == 0);
  }

  @Test
  void shouldTellTheRoutesRevision() {
    double before = value(gateway(), "tinyfaas_route_revision");

    functions.deploy("routed", Code.answering("x"));

    assertThat(value(gateway(), "tinyfaas_route_revision")).isGreaterThan(before);
    assertThat(value(gateway(), "tinyfaas_route_epoch")).isPositive();
  }

  private static double deploys(String operation, String outcome) {
    return value(
        manager(),
        "tinyfaas_deploy_seconds_count",
        "operation=\"" + operation + "\"",
        "outcome=\"" + outcome + "\"");
  }

  @Test
  void shouldCountAndTimeDeploysByOutcome() {
    double deployed = deploys("deploy", "ok");
    double refused = deploys("deploy", "start_failed");
    double updated = deploys("update", "ok");
    double deleted = deploys("delete", "ok");
    double seconds = value(manager(), "tinyfaas_deploy_seconds_sum", "operation=\"deploy\"");

    long start = System.nanoTime();
    functions.deploy("timed", Code.loading(500, "x"));
    functions.patch("timed", "{\"handlers\": 2}").then().statusCode(200);
    functions.put("timed", Code.node("throw new Error('no');")).then().statusCode(422);
    double measured = (System.nanoTime() - start) / 1e9;
    functions.delete("timed").then().statusCode(204);

    assertThat(deploys("deploy", "ok")).isEqualTo(deployed + 1);
    assertThat(deploys("deploy", "start_failed")).isEqualTo(refused + 1);
    assertThat(deploys("update", "ok")).isEqualTo(updated + 1);
    assertThat(deploys("delete", "ok")).isEqualTo(deleted + 1);
    assertThat(value(manager(), "tinyfaas_deploy_seconds_sum", "operation=\"deploy\""))
        .isBetween(seconds + 0.5, seconds + measured);
  }

  @ParameterizedTest
  @ValueSource(strings = {"/q/health", "/q/health/live", "/q/health/ready"})
  void shouldBeHealthy(String path) {
    get(SYSTEM.gatewayUri(path))
        .then()
        .statusCode(200)
        .body("status", equalTo("UP"))
        .body("checks.status", everyItem(equalTo("UP")));
    SYSTEM
        .rest()
        .get(path)
        .then()
        .statusCode(200)
        .body("status", equalTo("UP"))
        .body("checks.status", everyItem(equalTo("UP")));
  }
}
