package io.tinyfaas.gateway.ingress.coap.dtls;

import static io.tinyfaas.harness.Eventually.eventually;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.eclipse.californium.elements.AddressEndpointContext;
import org.eclipse.californium.elements.RawData;
import org.eclipse.californium.elements.config.Configuration;
import org.eclipse.californium.scandium.DTLSConnector;
import org.eclipse.californium.scandium.config.DtlsConfig;
import org.eclipse.californium.scandium.config.DtlsConfig.DtlsRole;
import org.eclipse.californium.scandium.config.DtlsConnectorConfig;
import org.eclipse.californium.scandium.dtls.Connection;
import org.eclipse.californium.scandium.dtls.pskstore.AdvancedMultiPskStore;
import org.eclipse.californium.scandium.dtls.pskstore.AdvancedSinglePskStore;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class BoundedHandshakesTest {

  private static final int PLACES = 8;
  private static final byte[] KEY = "sixteen-and-more".getBytes(UTF_8);
  private static final InetSocketAddress ANY_PORT =
      new InetSocketAddress(InetAddress.getLoopbackAddress(), 0);

  private final BoundedHandshakes sessions = new BoundedHandshakes(PLACES, 300, true);
  private final Set<String> heard = ConcurrentHashMap.newKeySet();
  private final List<DTLSConnector> open = new ArrayList<>();
  private DTLSConnector server;

  @BeforeEach
  void start() throws IOException {
    DtlsConfig.register();
    AdvancedMultiPskStore devices = new AdvancedMultiPskStore();
    devices.setKey("greedy", KEY);
    devices.setKey("modest", KEY);
    server =
        new DTLSConnector(
            DtlsConnectorConfig.builder(settings(DtlsRole.SERVER_ONLY))
                .setAddress(ANY_PORT)
                .setAdvancedPskStore(devices)
                .build(),
            sessions) {};
    server.setRawDataReceiver(message -> heard.add(new String(message.getBytes(), UTF_8)));
    server.start();
    open.add(server);
  }

  @AfterEach
  void stop() {
    open.forEach(DTLSConnector::destroy);
  }

  private static Configuration settings(DtlsRole role) {
    return Configuration.createStandardWithoutFile()
        .set(DtlsConfig.DTLS_ROLE, role)
        .set(DtlsConfig.DTLS_RECEIVER_THREAD_COUNT, 1)
        .set(DtlsConfig.DTLS_CONNECTOR_THREAD_COUNT, 1);
  }

  /** In a session of its own, which is there when what it says has been heard. */
  private void say(String device, String text) throws IOException {
    DTLSConnector client =
        new DTLSConnector(
            DtlsConnectorConfig.builder(settings(DtlsRole.CLIENT_ONLY))
                .setAddress(ANY_PORT)
                .setAdvancedPskStore(new AdvancedSinglePskStore(device, KEY))
                .build());
    client.setRawDataReceiver(message -> {});
    client.start();
    open.add(client);
    client.send(
        RawData.outbound(
            text.getBytes(UTF_8), new AddressEndpointContext(server.getAddress()), null, false));
    eventually().until(() -> heard.contains(text));
  }

  private long sessions(String device) {
    List<Connection> all = new ArrayList<>();
    sessions.iterator().forEachRemaining(all::add);
    return all.stream()
        .filter(Connection::hasEstablishedDtlsContext)
        .filter(one -> one.getEstablishedSession().getPeerIdentity().getName().contains(device))
        .count();
  }

  /** None of them is silent for long enough to make room for another. */
  @Test
  void shouldLeavePlacesToOtherDevices() throws IOException {
    for (int i = 0; i < PLACES + 2; i++) {
      say("greedy", "greedy " + i);
    }
    eventually().until(() -> sessions("greedy"), count -> count <= PLACES - 2);
    say("modest", "modest");
    assertThat(sessions("modest")).isEqualTo(1);
    assertThat(sessions("greedy")).isGreaterThanOrEqualTo(PLACES / 2);
  }
}
