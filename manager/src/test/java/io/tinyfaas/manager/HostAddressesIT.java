package io.tinyfaas.manager;

import static org.assertj.core.api.Assertions.assertThat;

import io.quarkus.test.common.WithTestResource;
import io.quarkus.test.junit.QuarkusTest;
import io.tinyfaas.manager.engine.HostAddresses;
import jakarta.inject.Inject;
import java.io.IOException;
import java.net.DatagramSocket;
import java.net.InetSocketAddress;
import org.junit.jupiter.api.Test;

/** The addresses of a real box, as a container of its engine sees them. */
@QuarkusTest
@WithTestResource(RealParts.class)
class HostAddressesIT {

  @Inject HostAddresses host;

  @Test
  void shouldKnowTheBoxsAddresses() throws IOException {
    try (DatagramSocket outward = new DatagramSocket()) {
      // Sends nothing: only has the system choose the address that it would send from.
      outward.connect(new InetSocketAddress("192.0.2.1", 9));
      assertThat(host.list()).contains(outward.getLocalAddress().getHostAddress());
    }
  }
}
