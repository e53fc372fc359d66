package io.tinyfaas.function;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class ResponseTest {

  @Test
  void shouldBeBuiltStepByStep() {
    Response response = Response.json("{}").withStatus(201).withHeader("content-type", "a/b");
    assertThat(response.status()).isEqualTo(201);
    assertThat(response.headers()).hasSize(1).containsEntry("Content-Type", "a/b");
    assertThat(response.body()).isEqualTo(new byte[] {'{', '}'});
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 100, 199, 600, -1})
  void shouldRefuseAStatusThatEndsNoExchange(int status) {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> Response.empty(status))
        .withMessageContaining("between 200 and 599");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"", "a b", "a:", "ü", "Content-Length", "transfer-encoding", "Connection"})
  void shouldRefuseAHeaderNameThatBreaksTheMessage(String name) {
    assertThatIllegalArgumentException().isThrownBy(() -> Response.text("").withHeader(name, "v"));
  }

  @ParameterizedTest
  @CsvSource({"'a\r\nb: c'", "'\u0000'", "世界"})
  void shouldRefuseAHeaderValueThatBreaksTheMessage(String value) {
    assertThatIllegalArgumentException().isThrownBy(() -> Response.text("").withHeader("X", value));
  }

  @Test
  void shouldRefuseMoreThanReasonable() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> Response.text("").withHeader("X", "v".repeat(4096)));
    Response most = Response.empty(200);
    for (int i = 0; i < 64; i++) {
      most = most.withHeader("X-" + i, "v");
    }
    Response full = most;
    assertThatIllegalArgumentException().isThrownBy(() -> full.withHeader("X-64", "v"));
  }
}
