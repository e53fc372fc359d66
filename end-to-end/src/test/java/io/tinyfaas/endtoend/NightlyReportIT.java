package io.tinyfaas.endtoend;

import static io.tinyfaas.harness.Eventually.eventually;
import static io.tinyfaas.harness.Eventually.within;
import static org.assertj.core.api.Assertions.assertThat;

import io.restassured.path.json.JsonPath;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/** A function that is called by the clock, on the composed system. */
@Timeout(value = 5, unit = TimeUnit.MINUTES)
class NightlyReportIT {

  static final String EXAMPLE = "nightly-report";

  @RegisterExtension private static final Installation SYSTEM = Installation.UNIX;

  @RegisterExtension private final Functions functions = new Functions(SYSTEM);

  @RegisterExtension private final Device device = new Device(SYSTEM);

  private static String specification() {
    return new String(Checkout.read("examples/" + EXAMPLE + "/spec.json"), StandardCharsets.UTF_8);
  }

  @Test
  void shouldReportWhenItIsTime() {
    functions.deploy(
        EXAMPLE, Map.of("runtime", "python3"), Archives.ofFolder("examples/" + EXAMPLE));
    assertThat(functions.patch(EXAMPLE, specification()).statusCode()).isEqualTo(200);
    JsonPath before = functions.get(EXAMPLE).jsonPath();
    assertThat(before.getString("schedules[0].state")).isEqualTo("waiting");
    assertThat(Instant.parse(before.getString("schedules[0].next"))).isAfter(Instant.now());
    assertThat(device.post(EXAMPLE, "21.5".getBytes(StandardCharsets.UTF_8)).getResponseText())
        .isEqualTo("1 readings");
    assertThat(device.post(EXAMPLE, "20.5".getBytes(StandardCharsets.UTF_8)).getResponseText())
        .isEqualTo("2 readings");

    // Changed schedules leave the handler, and what it remembers, alone.
    functions.patch(EXAMPLE, "{\"schedules\": [{\"every\": \"1s\"}]}");
    eventually()
        .untilAsserted(
            () ->
                assertThat(SYSTEM.rest().get("/functions/" + EXAMPLE + "/logs").asString())
                    .contains("2 readings, mean 21.0, from 20.5 to 21.5"));
    assertThat(functions.get(EXAMPLE).jsonPath().getList("handlers.id"))
        .isEqualTo(before.getList("handlers.id"));
    within(Duration.ofSeconds(10))
        .untilAsserted(
            () ->
                assertThat(functions.get(EXAMPLE).jsonPath().getString("schedules[0].last"))
                    .isNotNull());
  }
}
