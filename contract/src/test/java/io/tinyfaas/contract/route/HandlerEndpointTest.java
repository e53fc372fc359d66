package io.tinyfaas.contract.route;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class HandlerEndpointTest {

  @ParameterizedTest
  @ValueSource(strings = {"unix:sieve/0a1b2c3d/http.sock", "tcp:10.200.0.4:8000"})
  void shouldReadWhatItWrites(String text) {
    assertThat(HandlerEndpoint.parse(text).text()).isEqualTo(text);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "unix:/etc/passwd",
        "unix:../http.sock",
        "unix:a/../b",
        "unix:a//b",
        "unix:http.sock",
        "unix:",
        "tcp:10.200.0.4",
        "tcp:10.200.0.4:0",
        "tcp:10.200.0.4:65536",
        "tcp:10.200.0.4:http",
        "tcp:host:8000",
        "tcp::8000",
        "http://10.200.0.4:8000",
        ""
      })
  void shouldRefuse(String text) {
    assertThatIllegalArgumentException().isThrownBy(() -> HandlerEndpoint.parse(text));
  }

  @Test
  void shouldHaveRoomForTheLongestName() {
    String path = "a".repeat(63) + "/0a1b2c3d/http.sock";

    assertThat(new HandlerEndpoint.Unix(path).path()).hasSizeLessThan(90);
  }
}
