package io.tinyfaas.manager.archive;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.tinyfaas.manager.problem.ProblemException;
import io.tinyfaas.manager.problem.ProblemType;
import java.io.ByteArrayInputStream;
import java.io.InputStream;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.io.TempDir;

/** Archives as a deploy receives them. Whatever becomes of one, nothing of it is left. */
abstract class ReceivedArchives {

  static final ArchiveLimits LIMITS = new ArchiveLimits(64 << 20, 256 << 20, 10_000);

  @TempDir Path folder;

  FunctionArchive receive(byte[] zip) {
    return FunctionArchive.receive(new ByteArrayInputStream(zip), folder, LIMITS);
  }

  ProblemException refusal(ProblemType type, byte[] zip) {
    return refusal(type, new ByteArrayInputStream(zip));
  }

  ProblemException refusal(ProblemType type, InputStream upload) {
    ProblemException problem =
        catchThrowableOfType(
            ProblemException.class, () -> FunctionArchive.receive(upload, folder, LIMITS));
    assertThat(problem).isNotNull();
    assertThat(problem.type()).as(problem.getMessage()).isEqualTo(type);
    return problem;
  }

  @AfterEach
  void shouldLeaveNothingBehind() {
    assertThat(folder).isEmptyDirectory();
  }
}
