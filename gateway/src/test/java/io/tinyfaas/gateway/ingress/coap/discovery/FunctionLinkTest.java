package io.tinyfaas.gateway.ingress.coap.discovery;

import static org.assertj.core.api.Assertions.assertThat;

import io.tinyfaas.contract.route.CallPolicy;
import io.tinyfaas.contract.route.Exposure;
import io.tinyfaas.contract.route.Exposure.Access;
import io.tinyfaas.contract.route.Exposure.Observable;
import io.tinyfaas.contract.route.FunctionName;
import io.tinyfaas.contract.route.Route;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class FunctionLinkTest {

  private static final FunctionLink LAMP =
      link(
          true,
          Map.of(
              "title",
              "A lamp",
              "rt",
              "light.dimmable light",
              "ct",
              "0 50",
              "sz",
              "40",
              "if",
              "a"));

  private static FunctionLink link(boolean observable, Map<String, String> attributes) {
    return new FunctionLink(
        new Route(
            new FunctionName("lamp"),
            1,
            1_000,
            new Exposure(Access.ANY, observable ? Observable.FUNCTION : Observable.NO, attributes),
            CallPolicy.DEFAULT,
            List.of(),
            List.of()));
  }

  @Test
  void shouldBeNothingButItsPlaceWithoutAttributes() {
    assertThat(link(false, Map.of())).hasToString("</lamp>");
  }

  @Test
  void shouldQuoteWhatTheGrammarWantsQuoted() {
    assertThat(LAMP)
        .hasToString(
            "</lamp>;ct=\"0 50\";if=\"a\";obs;rt=\"light.dimmable light\";sz=40;title=\"A lamp\"");
    assertThat(link(false, Map.of("ct", "50", "title", "7", "rt", "7", "x", "007")))
        .hasToString("</lamp>;ct=50;rt=\"7\";title=\"7\";x=\"007\"");
  }

  @Test
  void shouldEscapeQuotesAndBackslashes() {
    assertThat(link(false, Map.of("title", "5\" of \\ and ü")))
        .hasToString("</lamp>;title=\"5\\\" of \\\\ and ü\"");
  }

  @Test
  void shouldWriteAnAttributeWithoutAValueAsAFlag() {
    assertThat(link(false, Map.of("osc", "", "title", ""))).hasToString("</lamp>;osc;title=\"\"");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "href=/lamp",
        "href=/l*",
        "href=*",
        "rt=light",
        "rt=light.dim*",
        "rt=light.dimmable light",
        "rt=*",
        "rt",
        "if=a",
        "ct=50",
        "ct=0",
        "sz=40",
        "title=A lamp",
        "title=A*",
        "obs",
        "obs="
      })
  void shouldPassAFilter(String filter) {
    assertThat(LAMP.matches(filter)).isTrue();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "href=/lam",
        "href=lamp",
        "href=/*/x",
        "rt=ligh",
        "rt=dimmable",
        "rt=",
        "rt=*light",
        "title=lamp",
        "title=a lamp",
        "title=A",
        "ct=5",
        "ct=41",
        "d=x",
        "d",
        "d=*",
        "",
        "=",
        "*"
      })
  void shouldNotPassAFilter(String filter) {
    assertThat(LAMP.matches(filter)).isFalse();
  }
}
