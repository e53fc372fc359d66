package io.tinyfaas.contract.route;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class FunctionNameTest {

  @ParameterizedTest
  @ValueSource(strings = {"a", "7", "sieve", "button-and-lightbulb", "Sieve2", "ABC"})
  void shouldAccept(String name) {
    assertThat(FunctionName.isValid(name)).isTrue();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "-a",
        "a-",
        "A-b",
        "a_b",
        "a.b",
        "a/b",
        "..",
        "ä",
        "a b",
        "a\n",
        ".well-known"
      })
  void shouldRefuse(String name) {
    assertThat(FunctionName.isValid(name)).isFalse();
  }

  @Test
  void shouldAllow63CharactersAndNoMore() {
    assertThat(FunctionName.isValid("a".repeat(63))).isTrue();
    assertThat(FunctionName.isValid("a".repeat(64))).isFalse();
  }
}
