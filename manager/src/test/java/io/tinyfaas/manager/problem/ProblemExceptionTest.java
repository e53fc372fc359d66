package io.tinyfaas.manager.problem;

import static org.assertj.core.api.Assertions.assertThat;

import com.github.dockerjava.api.exception.InternalServerErrorException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.FileSystemException;
import org.junit.jupiter.api.Test;

class ProblemExceptionTest {

  @Test
  void shouldKnowAFullDiskWhoeverSaysSo() {
    RuntimeException engine =
        new InternalServerErrorException("write /var/lib/docker/x: no space left on device");
    IOException full = new FileSystemException("/run/tinyfaas/f", null, "No space left on device");
    IOException quota = new FileSystemException("/run/tinyfaas/f", null, "Disk quota exceeded");

    assertThat(ProblemException.ofFailure(engine).type()).isEqualTo(ProblemType.DISK_FULL);
    assertThat(ProblemException.ofFailure(new UncheckedIOException(full)).type())
        .isEqualTo(ProblemType.DISK_FULL);
    assertThat(ProblemException.ofFailure(new UncheckedIOException(quota)).type())
        .isEqualTo(ProblemType.DISK_FULL);
  }

  @Test
  void shouldKnowAnEngineThatFailed() {
    assertThat(ProblemException.ofFailure(new InternalServerErrorException("ill")).type())
        .isEqualTo(ProblemType.ENGINE_UNAVAILABLE);
    assertThat(ProblemException.ofFailure(new IllegalStateException("ill")).type())
        .isEqualTo(ProblemType.INTERNAL);
  }
}
