package io.tinyfaas.gateway.ingress.http;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class TargetTest {

  @ParameterizedTest
  @CsvSource(
      nullValues = "null",
      value = {
        "/f, f, '', null",
        "/f/, f, /, null",
        "/f/a%20b/c, f, /a%20b/c, null",
        "/f?, f, '', ''",
        "/f/a?x=1&y=%2F?, f, /a, x=1&y=%2F?",
        "/f?a/b, f, '', a/b",
        "/f#part?x, f, '', null",
        "/%66%6f, fo, '', null",
        "/f+g, f+g, '', null",
        "/f%2Fg, f/g, '', null",
        "/f%zz, f%zz, '', null",
        "/, '', '', null",
        "//f, '', /f, null",
        "*, '', '', null",
        "'', '', '', null",
        "http://box:8000/f/a?b, f, /a, b",
        "http://box, '', '', null",
        "/f/http://box/, f, /http://box/, null",
        "/f/\u00e9 x, f, /%E9%20x, null",
      })
  void shouldTakeTheTargetApart(String uri, String function, String rest, String query) {
    assertThat(Target.of(uri)).isEqualTo(new Target(function, rest, query));
  }
}
