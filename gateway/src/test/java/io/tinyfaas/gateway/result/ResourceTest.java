package io.tinyfaas.gateway.result;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class ResourceTest {

  private static Resource of(String path) {
    return Resource.of("lamp", path).orElseThrow();
  }

  @ParameterizedTest
  @CsvSource({
    "/7, /7, /7",
    "/%37, /7, /7",
    "/a/b/, /a/b/, /a/b/",
    "/a%2fb, /a%2Fb, /a%2Fb",
    "/a+b, /a+b, /a%2Bb",
    "/%2B, /+, /%2B",
    "/%23, /%23, /%23",
    "/%00%0a, /%00%0A, /%00%0A",
    "/k%C3%BCche, /k%C3%BCche, /k%C3%BCche",
    "/, /, /",
  })
  void shouldHaveOneNameAndATopicWithoutWildcards(String path, String name, String topic) {
    assertThat(of(path).path()).isEqualTo(name);
    assertThat(of(path).topic()).isEqualTo("functions/lamp/result" + topic);
    assertThat(of(path).topic()).matches("[!-~&&[^+#]]+");
  }

  @Test
  void shouldBeTheFunctionWithoutAPath() {
    assertThat(Resource.of("lamp", null)).contains(Resource.of("lamp"));
    assertThat(of("")).isEqualTo(Resource.of("lamp"));
    assertThat(Resource.of("lamp").topic()).isEqualTo("functions/lamp/result");
  }

  @ParameterizedTest
  @ValueSource(strings = {"/%", "/%4", "/%zz", "/%4z", "/%C3", "/%ff", "/\u4e00"})
  void shouldNotBeWhatIsNoPath(String path) {
    assertThat(Resource.of("lamp", path)).isEmpty();
  }

  @Test
  void shouldNotHaveALongPath() {
    assertThat(of("/" + "x".repeat(Resource.MAX_PATH_BYTES - 1)).path()).hasSize(512);
    assertThat(Resource.of("lamp", "/" + "x".repeat(Resource.MAX_PATH_BYTES))).isEmpty();
  }
}
