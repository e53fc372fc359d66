package io.tinyfaas.endtoend;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;

/** What Compose and the engine say of settings that cannot be right. */
class WrongSettingsIT {

  @RegisterExtension private static final Installation SYSTEM = Installation.UNIX;

  @TempDir private Path folder;

  @Test
  void shouldNotMakeAFolderWhereTheEnginesSocketShouldBe() {
    Path socket = folder.resolve("docker.sock");

    List<String> output =
        SYSTEM.run(
            Duration.ofMinutes(2),
            "sh",
            "-c",
            "DOCKER_SOCKET=\"$0\" docker compose run --rm --no-deps manager; echo \"ended: $?\"",
            socket.toString());

    assertThat(output.getLast()).startsWith("ended: ").isNotEqualTo("ended: 0");
    assertThat(String.join("\n", output)).contains(socket.toString()).contains("does not exist");
    assertThat(socket).doesNotExist();
  }
}
