package io.tinyfaas.endtoend;

import static io.tinyfaas.harness.Eventually.within;
import static org.assertj.core.api.Assertions.assertThat;

import io.tinyfaas.harness.Command;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** One function that is a hundred lamps, each with its state, for libcoap and for curl. */
class ObservePathsIT {

  private static final int LAMPS = 100;
  private static final Pattern ID = Pattern.compile("id: \"([0-9a-f]+)\"");
  private static final Pattern ETAG = Pattern.compile("ETag:0x([0-9a-f]+)");

  @RegisterExtension private static final Installation SYSTEM = Installation.UNIX;

  @RegisterExtension private final Functions functions = new Functions(SYSTEM);

  @BeforeEach
  void deploy() {
    functions.deploy(
        "lamp",
        Map.of("runtime", "nodejs", "observable", "path"),
        Archives.of(
            Map.of(
                "index.js",
                "module.exports = (req, res) => res.send(req.body || 'off');"
                    .getBytes(StandardCharsets.UTF_8))));
  }

  private static void switchTo(int lamp, String state) {
    assertThat(Libcoap.ask(SYSTEM, SYSTEM.coapUri("lamp/" + lamp), "-m", "post", "-e", state))
        .isEqualTo(state);
  }

  private static void awaitLast(Command.Running client, String line) {
    within(Duration.ofSeconds(30))
        .untilAsserted(() -> assertThat(client.output().lines()).contains(line));
  }

  @Test
  void shouldHaveAStateOfEachLampForAllSubscriptions() {
    for (int lamp = 0; lamp < LAMPS; lamp++) {
      switchTo(lamp, "state-" + lamp);
    }
    try (Command.Running seven = Libcoap.observe(SYSTEM, SYSTEM.coapUri("lamp/7"));
        Command.Running eight = Libcoap.observe(SYSTEM, SYSTEM.coapUri("lamp/8"));
        Command.Running curl =
            SYSTEM
                .command("curl", "-sN", "-H", "Accept: text/event-stream", SYSTEM.httpUri("lamp/7"))
                .start()) {
      awaitLast(seven, "state-7");
      awaitLast(eight, "state-8");
      awaitLast(curl, "data: state-7");

      switchTo(7, "bright");
      switchTo(99, "dark");
      awaitLast(seven, "bright");
      awaitLast(curl, "data: bright");
      assertThat(eight.output().lines()).containsExactly("state-8");

      String shown =
          Libcoap.ask(SYSTEM, SYSTEM.coapUri("lamp/7"), "-v", "6", "-s", "1", "-w", "-m", "get");
      Matcher etag = ETAG.matcher(shown);
      assertThat(etag.find()).describedAs(shown).isTrue();
      assertThat(ID.matcher(curl.output()).results().map(id -> id.group(1)).toList())
          .hasSize(2)
          .last()
          .isEqualTo(etag.group(1));

      assertThat(functions.delete("lamp").statusCode()).isEqualTo(204);
      awaitLast(curl, "event: end");
    }
  }
}
