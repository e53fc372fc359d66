package io.tinyfaas.endtoend;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;

/** What Compose and the engine say of settings that cannot be right. */
@Timeout(60)
class WrongSettingsIT {

  @RegisterExtension private static final Installation SYSTEM = Installation.UNIX;

  @TempDir private Path folder;

  @Test
  void shouldNotMakeAFolderWhereTheEnginesSocketShouldBe()
      throws IOException, InterruptedException {
    Path socket = folder.resolve("docker.sock");
    ProcessBuilder command =
        SYSTEM
            .process("docker", "compose", "run", "--rm", "--no-deps", "manager")
            .redirectErrorStream(true);
    command.environment().put("DOCKER_SOCKET", socket.toString());

    Process process = command.start();
    String output = new String(process.getInputStream().readAllBytes(), UTF_8);

    assertThat(process.waitFor()).isNotZero();
    assertThat(output).contains(socket.toString()).contains("does not exist");
    assertThat(socket).doesNotExist();
  }
}
