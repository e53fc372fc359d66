package io.tinyfaas.manager;

import static io.tinyfaas.harness.Docker.docker;
import static io.tinyfaas.harness.Eventually.eventually;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.quarkus.test.common.WithTestResource;
import io.quarkus.test.junit.QuarkusTest;
import io.quarkus.test.junit.QuarkusTestProfile;
import io.quarkus.test.junit.TestProfile;
import io.tinyfaas.manager.problem.ProblemException;
import io.tinyfaas.manager.problem.ProblemType;
import java.util.Map;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** A build that takes longer than a caller waits for it. */
@Tag("slow")
@QuarkusTest
@TestProfile(RuntimeWaitIT.ImpatientCallers.class)
@WithTestResource(RealParts.class)
class RuntimeWaitIT extends RuntimeOnAnEngine {

  public static class ImpatientCallers implements QuarkusTestProfile {
    @Override
    public Map<String, String> getConfigOverrides() {
      return Map.of("tinyfaas.runtime-wait", "1s");
    }
  }

  @Test
  void shouldTellToComeAgainWhileABuildGoesOn() throws Exception {
    folder("RUN echo patience && timeout 600 sh -c 'until [ -e /tmp/go ]; do sleep 0.1; done'");

    eventually()
        .untilAsserted(
            () -> {
              ProblemException unready =
                  catchThrowableOfType(ProblemException.class, () -> deploy("early"));
              assertThat(unready.type()).isEqualTo(ProblemType.RUNTIME_UNAVAILABLE);
              assertThat(unready).hasMessageContaining("try again in half a minute");
              assertThat(unready.output()).contains("patience");
            });
    assertThat(store.functions()).isEmpty();

    assertThat(isBuilt()).isFalse();
    docker("exec", step(), "touch", "/tmp/go");
    eventually().until(this::isBuilt);
    assertThat(deploy("early").created()).isTrue();
  }

  /** The container in which a step of the build goes on. */
  private static String step() {
    return docker("ps", "--quiet", "--filter", "label=" + MARK).getFirst();
  }
}
