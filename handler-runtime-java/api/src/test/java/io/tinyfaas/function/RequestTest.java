package io.tinyfaas.function;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Map;
import org.junit.jupiter.api.Test;

class RequestTest {

  @Test
  void shouldFindHeadersInAnyCase() {
    Request request = new Request("GET", "", "", Map.of("content-TYPE", "text/plain"), new byte[0]);
    assertThat(request.header("Content-Type")).contains("text/plain");
    assertThat(request.header("Accept")).isEmpty();
  }

  @Test
  void shouldDecodeParametersOfTheQuery() {
    Request request =
        withQuery("room=living%20room&on&sum=1+2&room=other&k%26=%C3%BC&plus=%2B&k+l=m");
    assertThat(request.parameter("room")).contains("living room");
    assertThat(request.parameter("on")).contains("");
    assertThat(request.parameter("sum")).contains("1 2");
    assertThat(request.parameter("plus")).contains("+");
    assertThat(request.parameter("k l")).contains("m");
    assertThat(request.parameter("k&")).contains("ü");
    assertThat(request.parameter("roo")).isEmpty();
  }

  @Test
  void shouldHaveNoParametersWithoutAQuery() {
    assertThat(withQuery("").parameter("a")).isEmpty();
  }

  @Test
  void shouldReadTheBodyAsUtf8() {
    assertThat(Request.of("Grüße").text()).isEqualTo("Grüße");
  }

  private static Request withQuery(String query) {
    return new Request("GET", "", query, Map.of(), new byte[0]);
  }
}
