package io.tinyfaas.manager.api.access;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.quarkus.runtime.configuration.ConfigurationException;
import io.tinyfaas.manager.problem.ProblemException;
import io.tinyfaas.manager.problem.ProblemType;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class AccessPolicyTest {

  @TempDir Path folder;

  private static AccessPolicy policy(
      String auth, Optional<String> token, Optional<Path> file, Optional<String> bind) {
    return new AccessPolicy(auth, token, file, bind);
  }

  @Test
  void shouldTakeTheTokenOfAFile() throws IOException {
    Path file = Files.writeString(folder.resolve("token"), "0123456789abcdef\n");
    AccessPolicy policy = policy("token", Optional.empty(), Optional.of(file), Optional.empty());
    policy.check("Bearer 0123456789abcdef", "box:8080", "https://elsewhere.example", "cross-site");
    ProblemException problem =
        catchThrowableOfType(
            ProblemException.class, () -> policy.check("Bearer 0123456789abcdee", "box", "", ""));
    assertThat(problem.type()).isEqualTo(ProblemType.UNAUTHORIZED);
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "short", "0123456789abcde", "0123456789 abcdef", "0123456789abcdeü"})
  void shouldRefuseAWeakTokenAndNotPrintIt(String token) {
    assertThatThrownBy(
            () -> policy("token", Optional.of(token), Optional.empty(), Optional.empty()))
        .isInstanceOf(ConfigurationException.class)
        .hasMessageContaining("openssl rand -hex 32")
        .hasMessageNotContaining("0123456789");
  }

  @Test
  void shouldRefuseToStartWithoutAToken() {
    assertThatThrownBy(() -> policy("token", Optional.empty(), Optional.empty(), Optional.empty()))
        .isInstanceOf(ConfigurationException.class)
        .hasMessageContaining("TINYFAAS_TOKEN_FILE");
    assertThatThrownBy(
            () ->
                policy(
                    "token",
                    Optional.empty(),
                    Optional.of(folder.resolve("none")),
                    Optional.empty()))
        .hasMessageContaining("TINYFAAS_TOKEN_FILE cannot be read");
  }

  @Test
  void shouldRefuseOpenAccessFromTheNetwork() {
    assertThatThrownBy(
            () -> policy("none", Optional.empty(), Optional.empty(), Optional.of("192.168.0.7")))
        .isInstanceOf(ConfigurationException.class)
        .hasMessageContaining("TINYFAAS_BIND=192.168.0.7");
    assertThatThrownBy(
            () -> policy("none", Optional.empty(), Optional.empty(), Optional.of("0.0.0.0")))
        .isInstanceOf(ConfigurationException.class);
    policy("none", Optional.empty(), Optional.empty(), Optional.of("127.0.0.1"))
        .check("", "localhost:8080", "", "");
  }

  @Test
  void shouldRefuseAnUnknownWay() {
    assertThatThrownBy(() -> policy("off", Optional.empty(), Optional.empty(), Optional.empty()))
        .hasMessageContaining("use token, or none");
  }
}
