package io.tinyfaas.gateway.result;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.HexFormat;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class EntityTagsTest {

  @ParameterizedTest
  @CsvSource({"\"v1\",7631", "\"12345678\",3132333435363738", "\"00ff00ff00\",00ff00ff00"})
  void shouldComeBackTheSame(String http, String coap) {
    byte[] bytes = HexFormat.of().parseHex(coap);
    assertThat(EntityTags.toCoap(http)).hasValueSatisfying(tag -> assertThat(tag).isEqualTo(bytes));
    assertThat(EntityTags.toHttp(bytes)).isEqualTo(http);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "\"\"",
        "\"v1", // half of the quotes
        "\"",
        "\"123456789\"",
        "\"33a64df551425fcc55e4d42a148795d9f25f89d4\"",
        "\"4142434445\"", // would come back as "ABCDE"
        "\"00FF00FF00\"", // would come back in lower case
      })
  void shouldLeaveOutWhatWouldNotComeBackTheSame(String http) {
    assertThat(EntityTags.toCoap(http)).isEmpty();
  }

  @ParameterizedTest
  @ValueSource(strings = {"W/\"v1\"", " \"v1\" ", "v1", "W/v1"})
  void shouldTakeWeakTagsAndThoseWithoutQuotesToo(String http) {
    assertThat(EntityTags.toCoap(http))
        .hasValueSatisfying(tag -> assertThat(EntityTags.toHttp(tag)).isEqualTo("\"v1\""));
  }

  @Test
  void shouldHaveOneOfTheGatewaysOwnForEachRepresentation() {
    byte[] tag = EntityTags.of(new byte[] {1}, 50);
    assertThat(tag).hasSize(8).isEqualTo(EntityTags.of(new byte[] {1}, 50));
    assertThat(EntityTags.of(new byte[] {2}, 50)).isNotEqualTo(tag);
    assertThat(EntityTags.of(new byte[] {1}, 60)).isNotEqualTo(tag);
    assertThat(EntityTags.of(new byte[] {1}, -1)).isNotEqualTo(tag);
  }
}
