package io.tinyfaas.endtoend;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.util.Map;
import java.util.concurrent.CompletableFuture;
import org.eclipse.californium.core.CoapResponse;
import org.eclipse.californium.core.coap.CoAP.ResponseCode;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/** What a process for each invocation asks of the whole system. */
@Timeout(60)
class BinaryRuntimeIT {

  @RegisterExtension private static final Installation SYSTEM = Installation.UNIX;

  @RegisterExtension private final Functions functions = new Functions(SYSTEM);

  @RegisterExtension private final Device device = new Device(SYSTEM);

  private static long sleeping(String function) {
    return SYSTEM.docker("top", SYSTEM.handlers(function).getFirst(), "-o", "pid,args").stream()
        .filter(process -> process.contains("sleep 60"))
        .count();
  }

  /** The runtime is not told the timeout: it kills what the gateway has given up. */
  @Test
  void shouldKillAProcessWithItsChildrenAtTheTimeout() {
    functions.deploy(
        "sleeper",
        Map.of("runtime", "binary", "timeout", "2s"),
        Code.of(Map.of("fn.sh", "sleep 601 & sleep 602; true")));

    CompletableFuture<CoapResponse> answer =
        CompletableFuture.supplyAsync(() -> device.get("sleeper"));
    await().until(() -> sleeping("sleeper") == 2);
    assertThat(answer.join().getCode()).isEqualTo(ResponseCode.GATEWAY_TIMEOUT);

    await().until(() -> sleeping("sleeper") == 0);
    assertThat(SYSTEM.rest().get("/functions/sleeper/logs").asString())
        .contains("Killed: nobody waits for the answer any more");
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
