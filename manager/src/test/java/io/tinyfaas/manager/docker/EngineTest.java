package io.tinyfaas.manager.docker;

import static org.assertj.core.api.Assertions.assertThat;

import com.github.dockerjava.api.exception.InternalServerErrorException;
import io.tinyfaas.manager.problem.ProblemType;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.FileSystemException;
import org.junit.jupiter.api.Test;

class EngineTest {

  @Test
  void shouldKnowAFullDiskWhoeverSaysSo() {
    RuntimeException engine =
        new InternalServerErrorException("write /var/lib/docker/x: no space left on device");
    IOException full = new FileSystemException("/run/tinyfaas/f", null, "No space left on device");
    IOException quota = new FileSystemException("/run/tinyfaas/f", null, "Disk quota exceeded");

    assertThat(Engine.problem(engine).type()).isEqualTo(ProblemType.DISK_FULL);
    assertThat(Engine.problem(new UncheckedIOException(full)).type())
        .isEqualTo(ProblemType.DISK_FULL);
    assertThat(Engine.problem(new UncheckedIOException(quota)).type())
        .isEqualTo(ProblemType.DISK_FULL);
  }

  @Test
  void shouldKnowAnEngineThatFailed() {
    assertThat(Engine.problem(new InternalServerErrorException("ill")).type())
        .isEqualTo(ProblemType.ENGINE_UNAVAILABLE);
    assertThat(Engine.problem(new IllegalStateException("ill")).type())
        .isEqualTo(ProblemType.INTERNAL);
  }
}
