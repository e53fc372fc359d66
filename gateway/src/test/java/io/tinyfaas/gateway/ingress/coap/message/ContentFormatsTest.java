package io.tinyfaas.gateway.ingress.coap.message;

import static org.assertj.core.api.Assertions.assertThat;

import io.tinyfaas.gateway.ingress.coap.message.ContentFormats.MediaType;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class ContentFormatsTest {

  @ParameterizedTest
  @CsvSource({
    "0, text/plain; charset=utf-8",
    "40, application/link-format",
    "41, application/xml",
    "42, application/octet-stream",
    "47, application/exi",
    "50, application/json",
    "60, application/cbor",
    "110, application/senml+json",
    "112, application/senml+cbor",
    "18, application/cose; cose-type=cose-sign1",
  })
  void shouldMapBothWays(int number, String type) {
    assertThat(ContentFormats.mediaType(number)).isEqualTo(new MediaType(type, ""));
    assertThat(ContentFormats.number(type, "")).hasValue(number);
  }

  @ParameterizedTest
  @CsvSource({
    "text/plain, 0",
    "TEXT/PLAIN;charset=UTF-8, 0",
    "text/plain ; charset=\"utf-8\", 0",
    "application/json; charset=utf-8, 50",
    "'application/cose; cose-type=\"cose-mac0\"', 17",
  })
  void shouldKnowATypeHoweverItIsWritten(String type, int number) {
    assertThat(ContentFormats.number(type, "")).hasValue(number);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "text/html",
        "text/plain; charset=iso-8859-1",
        "application/json; profile=x",
        "65536",
        "999999",
        "application/coap-payload;cf=",
        "application/coap-payload;cf=-1",
        ""
      })
  void shouldHaveNoNumberForOthers(String type) {
    assertThat(ContentFormats.number(type, "")).isEmpty();
  }

  @Test
  void shouldPassAnUnregisteredNumberOnAsANumber() {
    assertThat(ContentFormats.mediaType(65_000))
        .isEqualTo(new MediaType("application/coap-payload;cf=65000", ""));
    assertThat(ContentFormats.number("application/coap-payload; cf=65000", "")).hasValue(65_000);
    assertThat(ContentFormats.number("65000", "")).hasValue(65_000);
  }

  @Test
  void shouldMapAContentCoding() {
    assertThat(ContentFormats.mediaType(11_050))
        .isEqualTo(new MediaType("application/json", "deflate"));
    assertThat(ContentFormats.number("application/json", "deflate")).hasValue(11_050);
    assertThat(ContentFormats.number("application/json", "gzip")).isEmpty();
  }
}
