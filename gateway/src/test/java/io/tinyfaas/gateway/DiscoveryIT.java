package io.tinyfaas.gateway;

import static io.tinyfaas.harness.Eventually.patient;
import static org.assertj.core.api.Assertions.assertThat;

import io.tinyfaas.contract.route.Exposure;
import io.tinyfaas.contract.route.Exposure.Access;
import io.tinyfaas.contract.route.Exposure.Observable;
import io.tinyfaas.contract.route.Route;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.Set;
import java.util.stream.IntStream;
import org.eclipse.californium.core.CoapClient;
import org.eclipse.californium.core.CoapResponse;
import org.eclipse.californium.core.WebLink;
import org.eclipse.californium.core.coap.CoAP.Type;
import org.eclipse.californium.core.coap.Request;
import org.eclipse.californium.core.coap.Response;
import org.eclipse.californium.core.config.CoapConfig;
import org.eclipse.californium.core.network.CoapEndpoint;
import org.eclipse.californium.elements.config.Configuration;
import org.eclipse.californium.elements.config.UdpConfig;
import org.eclipse.californium.elements.exception.ConnectorException;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Devices that ask the packaged gateway for its functions (RFC 6690). */
class DiscoveryIT {

  private static final int FUNCTIONS = 200;

  @TempDir static Path folder;
  private static ServedGateway system;
  private static CoapEndpoint device;
  private static int revision;

  @BeforeAll
  static void start() throws IOException {
    CoapConfig.register();
    UdpConfig.register();
    Configuration.setStandard(Configuration.createStandardWithoutFile());
    system = new ServedGateway(folder, Map.of(), PlayedFunction::answer);
    Configuration settings =
        Configuration.createStandardWithoutFile().set(CoapConfig.MAX_RESOURCE_BODY_SIZE, 100_000);
    device = CoapEndpoint.builder().setConfiguration(settings).setPort(0).build();
    device.start();
  }

  @AfterAll
  static void stop() {
    device.destroy();
    system.close();
  }

  private static void route(String title) {
    Route[] routes =
        IntStream.range(0, FUNCTIONS)
            .mapToObj(
                i ->
                    PlayedManager.route(
                        "f%03d".formatted(i),
                        1_000,
                        new Exposure(
                            Access.ANY,
                            i == 7 ? Observable.FUNCTION : Observable.NO,
                            Map.of("title", title, "rt", "x y" + i, "ct", "0"))))
            .toArray(Route[]::new);
    system.manager().apply(1, ++revision, routes);
  }

  private static CoapClient client(String query) {
    CoapClient client =
        new CoapClient(
            "coap://127.0.0.1:" + system.process().coapPort() + "/.well-known/core" + query);
    client.setEndpoint(device);
    client.setTimeout(patient(Duration.ofSeconds(30)).toMillis());
    return client;
  }

  @Test
  void shouldBeReadWholeByAClientThatKnowsBlocks() throws ConnectorException, IOException {
    route("A \"quoted\" title");
    CoapResponse whole = client("").get();
    assertThat(whole.getOptions().getContentFormat()).isEqualTo(40);
    assertThat(whole.getResponseText().split(",<"))
        .hasSize(FUNCTIONS)
        .contains(
            "/f007>;ct=0;obs;rt=\"x y7\";title=\"A \\\"quoted\\\" title\"",
            "/f199>;ct=0;rt=\"x y199\";title=\"A \\\"quoted\\\" title\"");
  }

  @Test
  void shouldBeDiscoveredByAClientWithAFilter() throws ConnectorException, IOException {
    route("title");
    Set<WebLink> found = client("").discover("rt=y7*");
    assertThat(found).hasSize(11); // 7, and 70 to 79
    WebLink observable = WebLink.findByUri(found, "/f007");
    assertThat(observable.getAttributes().hasObservable()).isTrue();
    assertThat(observable.getAttributes().getContentTypes()).containsExactly("0");
    assertThat(client("?obs").get().getResponseText()).startsWith("</f007>").doesNotContain(",");
    assertThat(client("?href=/f00*&rt=y7").get().getResponseText()).startsWith("</f007>");
    assertThat(client("?rt=none").get().getResponseText()).isEmpty();
  }

  @Test
  void shouldShowByItsEntityTagThatTheTableHasChangedInBetween() throws IOException {
    route("one");
    try (ObservingDevice slow = new ObservingDevice(system.process().coapPort())) {
      Response first = slow.ask(block(0));
      Response second = slow.ask(block(1));
      assertThat(second.getOptions().getETags().getFirst())
          .isEqualTo(first.getOptions().getETags().getFirst());
      route("two");
      Response third = slow.ask(block(2));
      assertThat(third.getOptions().getETags().getFirst())
          .isNotEqualTo(first.getOptions().getETags().getFirst());
    }
  }

  private static Request block(int number) {
    Request request = ObservingDevice.get(Type.CON, number, ".well-known/core");
    request.getOptions().setBlock2(5, false, number);
    return request;
  }
}
