package io.tinyfaas.endtoend;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;

/**
 * The paper's introduction: a button invokes a function, the function decides, and light bulbs that
 * observe it are told, whosever clients they are.
 */
@Timeout(180)
class ButtonAndLightbulbIT {

  static final String EXAMPLE = "button-and-lightbulb";

  @RegisterExtension private static final Installation SYSTEM = Installation.UNIX;
  private static final Duration AT_MOST = Duration.ofSeconds(60);

  @RegisterExtension private final Functions functions = new Functions(SYSTEM);

  @TempDir private Path folder;

  /** As the example's README says. */
  @BeforeEach
  void deploy() {
    functions.deploy(
        "lamp",
        Map.of("runtime", "nodejs", "observable", "true", "link", "rt=lamp"),
        Archives.ofFolder("examples/" + EXAMPLE));
  }

  private static String press() {
    return Libcoap.ask(SYSTEM, SYSTEM.coapUri("lamp"), "-m", "post");
  }

  private static String press(String wanted) {
    return Libcoap.ask(SYSTEM, SYSTEM.coapUri("lamp"), "-m", "post", "-e", wanted);
  }

  private void awaitLines(Path output, String... lines) {
    await()
        .atMost(Duration.ofSeconds(30))
        .untilAsserted(() -> assertThat(told(output)).containsExactly(lines));
  }

  private static List<String> told(Path output) throws IOException {
    return Files.exists(output) ? Files.readAllLines(output) : List.of();
  }

  @Test
  void shouldTellLibcoapAndAiocoap() throws Exception {
    assertThat(Libcoap.ask(SYSTEM, SYSTEM.coapUri(".well-known/core?rt=la*"), "-m", "get"))
        .isEqualTo("</lamp>;obs;rt=\"lamp\"");

    Path bulb = folder.resolve("libcoap");
    Path other = folder.resolve("aiocoap");
    Process libcoap = Libcoap.observe(SYSTEM, SYSTEM.coapUri("lamp"), AT_MOST, bulb);
    Process aiocoap = new Aiocoap(SYSTEM, folder).build().observe("lamp", other);
    try {
      awaitLines(bulb, "off");
      awaitLines(other, "off");
      assertThat(press()).isEqualTo("on");
      awaitLines(bulb, "off", "on");
      awaitLines(other, "off", "on");
      assertThat(press("on")).isEqualTo("on");
      assertThat(press()).isEqualTo("off");
      awaitLines(bulb, "off", "on", "off");
      awaitLines(other, "off", "on", "off");

      assertThat(functions.delete("lamp").statusCode()).isEqualTo(204);
      await().untilAsserted(() -> assertThat(told(other)).last().asString().contains("4.04"));
    } finally {
      libcoap.destroy();
      aiocoap.destroy();
    }
    assertThat(libcoap.waitFor(Duration.ofSeconds(10))).isTrue();
    assertThat(aiocoap.waitFor(Duration.ofSeconds(10))).isTrue();
  }
}
