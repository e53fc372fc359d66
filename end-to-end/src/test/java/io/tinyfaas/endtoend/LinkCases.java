package io.tinyfaas.endtoend;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import org.eclipse.californium.core.WebLink;
import org.eclipse.californium.core.coap.CoAP.ResponseCode;
import org.eclipse.californium.core.coap.LinkFormat;
import org.eclipse.californium.core.coap.Response;
import org.junit.jupiter.api.function.Executable;

/** TD_COAP_LINK of the ETSI CoAP test descriptions (CoAP#4). */
final class LinkCases {

  private static final int LINK_FORMAT = 40;

  private final PlugtestServer server;

  LinkCases(PlugtestServer server) {
    this.server = server;
  }

  List<ConformanceCase> all() {
    server.offer("link1", Map.of("link", List.of("rt=Type1 Type2", "if=If1", "sz=32")));
    server.offer("link2", Map.of("link", List.of("rt=Type2 Type3", "if=If2")));
    server.offer("link3", Map.of("link", List.of("rt=Type1 Type3", "if=foo")));
    server.offer("path", Map.of("link", List.of("ct=40")));
    return List.of(
        of(1, "/.well-known/core lists all resources", this::everything),
        of(2, "filter by a type", () -> finds("rt=Type3", "link2", "link3")),
        of(3, "filter by an empty prefix", () -> finds("rt=*", "link1", "link2", "link3")),
        of(4, "filter by one of several types", () -> finds("rt=Type2", "link1", "link2")),
        of(5, "filter by a prefix of an interface", () -> finds("if=If*", "link1", "link2")),
        of(6, "filter by an attribute that is there", () -> finds("sz=*", "link1")),
        of(7, "filter by a whole href", () -> finds("href=/link1", "link1")),
        of(
            8,
            "filter by a prefix of an href",
            () -> finds("href=/link*", "link1", "link2", "link3")),
        of(9, "a resource that lists its own", this::hierarchy));
  }

  private static ConformanceCase of(int number, String objective, Executable check) {
    return new ConformanceCase("TD_COAP_LINK_%02d".formatted(number), objective, "libcoap", check);
  }

  private void everything() {
    assertThat(hrefs(discover("")))
        .contains("/test", "/separate", "/link1", "/link2", "/link3", "/path");
  }

  private void finds(String filter, String... resources) {
    assertThat(hrefs(discover("?" + filter)))
        .containsExactlyInAnyOrderElementsOf(
            List.of(resources).stream().map(resource -> "/" + resource).toList());
  }

  private void hierarchy() {
    WebLink path =
        discover("?href=/path").stream()
            .filter(link -> link.getURI().equals("/path"))
            .findFirst()
            .orElseThrow();
    assertThat(path.getAttributes().getContentTypes()).containsExactly("40");
    Exchange list = server.ask("path");
    assertThat(list.options().getContentFormat()).isEqualTo(LINK_FORMAT);
    list.shows("</path/sub1>,</path/sub2>");
    server.askAtOnce("path/sub1").isPiggybacked(ResponseCode.CONTENT).shows("/path/sub1");
  }

  private Set<WebLink> discover(String query) {
    Exchange exchange = server.ask(".well-known/core" + query);
    assertThat(exchange.responses()).isNotEmpty();
    for (Response response : exchange.responses()) {
      assertThat(response.getCode()).isEqualTo(ResponseCode.CONTENT);
      assertThat(response.getOptions().getContentFormat()).isEqualTo(LINK_FORMAT);
    }
    return LinkFormat.parse(exchange.displayed());
  }

  private static Set<String> hrefs(Set<WebLink> links) {
    return links.stream().map(WebLink::getURI).collect(Collectors.toSet());
  }
}
