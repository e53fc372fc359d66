package io.tinyfaas.gateway.ingress.coap.observe;

import static org.assertj.core.api.Assertions.assertThat;

import io.tinyfaas.gateway.invoke.InvocationResult.Answered;
import io.vertx.core.http.HttpHeaders;
import java.util.Set;
import org.junit.jupiter.api.Test;

class LastResultsTest {

  private final LastResults results = new LastResults(5_000);

  private boolean put(String function, int bytes, String... observed) {
    Representation result =
        Representation.of(new Answered(200, HttpHeaders.headers(), new byte[bytes]), 1)
            .orElseThrow();
    return results.put(function, result, Set.of(observed)::contains);
  }

  @Test
  void shouldForgetTheOldestThatNobodyObserves() {
    assertThat(put("a", 1_000)).isTrue();
    assertThat(put("b", 1_000)).isTrue();
    assertThat(put("c", 1_000)).isTrue();
    assertThat(put("b", 1_000)).isTrue();
    assertThat(put("d", 1_000, "a")).isTrue();
    assertThat(results.get("a")).isPresent();
    assertThat(results.get("b")).isPresent();
    assertThat(results.get("c")).isEmpty();
    assertThat(results.get("d")).isPresent();
  }

  @Test
  void shouldRefuseWhatHasNoRoom() {
    assertThat(put("a", 4_000)).isTrue();
    assertThat(put("b", 4_000, "a")).isFalse();
    assertThat(results.get("a")).isPresent();
    assertThat(put("a", 5_000, "a")).isFalse();
    assertThat(results.get("a")).isEmpty();
    assertThat(put("b", 4_000)).isTrue();
  }

  @Test
  void shouldGiveTheRoomBack() {
    put("a", 4_000);
    results.keepOnly("b"::equals);
    assertThat(results.get("a")).isEmpty();
    assertThat(put("b", 4_000, "b")).isTrue();
    results.remove("b");
    assertThat(put("c", 4_000, "b")).isTrue();
  }
}
