package io.tinyfaas.endtoend;

import static io.tinyfaas.harness.Eventually.eventually;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Map;
import org.eclipse.californium.core.coap.CoAP.ResponseCode;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** What a process for each invocation asks of the whole system. */
class BinaryRuntimeIT {

  @RegisterExtension private static final Installation SYSTEM = Installation.UNIX;

  @RegisterExtension private final Functions functions = new Functions(SYSTEM);

  @RegisterExtension private final Device device = new Device(SYSTEM);

  private static List<String> processes(String function) {
    return SYSTEM.docker("top", SYSTEM.handlers(function).getFirst(), "-o", "pid,args");
  }

  private static String logs(String function) {
    return SYSTEM.rest().get("/functions/{name}/logs", function).asString();
  }

  /** The runtime is not told the timeout: it kills what the gateway has given up. */
  @Test
  void shouldKillAProcessWithItsChildrenAtTheTimeout() {
    functions.deploy(
        "sleeper",
        Map.of("runtime", "binary", "timeout", "1s"),
        Code.of(Map.of("fn.sh", "sleep 601 & sleep 602 & echo '2 children' >&2; wait; true")));

    // Longer, should the box have been too slow to start them within the timeout.
    int seconds = 1;
    assertThat(device.get("sleeper").getCode()).isEqualTo(ResponseCode.GATEWAY_TIMEOUT);
    while (!logs("sleeper").contains("2 children")) {
      seconds *= 2;
      assertThat(seconds).isLessThan(20);
      functions.patch("sleeper", "{\"timeout\":\"%ds\"}".formatted(seconds)).then().statusCode(200);
      assertThat(device.get("sleeper").getCode()).isEqualTo(ResponseCode.GATEWAY_TIMEOUT);
    }

    eventually()
        .untilAsserted(
            () ->
                assertThat(processes("sleeper"))
                    .noneMatch(process -> process.matches(".*(sleep 60|fn\\.sh).*")));
    eventually()
        .untilAsserted(
            () ->
                assertThat(logs("sleeper"))
                    .contains("Killed: nobody waits for the answer any more"));
  }

  @Test
  void shouldRunTheEntryWithTheFunctionsVariables() {
    functions.deploy(
        "named",
        Map.of("runtime", "binary", "entry", "bin/greet", "env", "GREETING=Good morning"),
        Code.of(
            Map.of(
                "fn.sh", "exit 1",
                "bin/greet", "#!/bin/sh\nprintf '%s, %s' \"$GREETING\" \"$REQUEST_METHOD\"")));

    assertThat(device.get("named").getResponseText()).isEqualTo("Good morning, GET");
  }
}
