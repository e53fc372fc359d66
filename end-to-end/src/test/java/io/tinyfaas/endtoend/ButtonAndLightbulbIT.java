package io.tinyfaas.endtoend;

import static io.tinyfaas.harness.Eventually.within;
import static org.assertj.core.api.Assertions.assertThat;

import io.tinyfaas.harness.Command;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;

/**
 * The paper's introduction: a button invokes a function, the function decides, and light bulbs that
 * observe it are told, whosever clients they are.
 */
class ButtonAndLightbulbIT {

  static final String EXAMPLE = "button-and-lightbulb";

  @RegisterExtension private static final Installation SYSTEM = Installation.UNIX;

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

  private static void awaitLines(Command.Running observer, String... lines) {
    within(Duration.ofSeconds(30))
        .untilAsserted(() -> assertThat(told(observer)).containsExactly(lines));
  }

  private static List<String> told(Command.Running observer) {
    return observer.output().lines().toList();
  }

  @Test
  void shouldTellLibcoapAndAiocoap() {
    assertThat(Libcoap.ask(SYSTEM, SYSTEM.coapUri(".well-known/core?rt=la*"), "-m", "get"))
        .isEqualTo("</lamp>;obs;rt=\"lamp\"");

    Aiocoap client = new Aiocoap(SYSTEM, folder).build();
    try (Command.Running libcoap = Libcoap.observe(SYSTEM, SYSTEM.coapUri("lamp"));
        Command.Running aiocoap = client.observe("lamp")) {
      awaitLines(libcoap, "off");
      awaitLines(aiocoap, "off");
      assertThat(press()).isEqualTo("on");
      awaitLines(libcoap, "off", "on");
      awaitLines(aiocoap, "off", "on");
      assertThat(press("on")).isEqualTo("on");
      assertThat(press()).isEqualTo("off");
      awaitLines(libcoap, "off", "on", "off");
      awaitLines(aiocoap, "off", "on", "off");

      assertThat(functions.delete("lamp").statusCode()).isEqualTo(204);
      within(Duration.ofSeconds(30))
          .untilAsserted(() -> assertThat(told(aiocoap)).last().asString().contains("4.04"));
      libcoap.terminate();
      aiocoap.terminate();
      libcoap.awaitExit(Duration.ofSeconds(20));
      aiocoap.awaitExit(Duration.ofSeconds(20));
    }
  }
}
