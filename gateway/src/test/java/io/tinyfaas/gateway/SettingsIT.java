package io.tinyfaas.gateway;

import static org.assertj.core.api.Assertions.assertThat;

import io.tinyfaas.harness.Broker;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What the packaged gateway makes of its environment. */
@Tag("slow")
class SettingsIT {

  private static Broker broker;

  @TempDir Path folder;

  @BeforeAll
  static void start() {
    broker = new Broker().start();
  }

  @AfterAll
  static void stop() {
    broker.close();
  }

  @ParameterizedTest
  @CsvSource({
    "TINYFAAS_MAX_IN_FLIGHT, 0",
    "TINYFAAS_HTTP_IDLE_TIMEOUT, -5s",
    "TINYFAAS_GRPC_MAX_CONNECTIONS, -1",
    "TINYFAAS_MAX_BODY, 8388608",
    "TINYFAAS_GATEWAY_HTTP_PORT, 70000"
  })
  void shouldRefuseASettingThatCannotBeMeantBeforeItListens(String variable, String value) {
    List<String> log = refused(variable, value, l -> l.contains(variable + " is " + value));
    assertThat(log).noneMatch(l -> l.contains("-started") || l.startsWith("\tat "));
  }

  @ParameterizedTest
  @CsvSource({
    // Which no resolver asks for: it cannot be a name.
    "TINYFAAS_COAP_HOST, tinyfaas..lan",
    "TINYFAAS_COAP_HOST, 192.0.2.1",
    "TINYFAAS_HTTP_HOST, 192.0.2.1",
    "TINYFAAS_GRPC_HOST, 192.0.2.1"
  })
  void shouldSayWhichAddressIsNotThisBox(String variable, String value) {
    refused(
        variable,
        value,
        l ->
            l.startsWith("cannot listen for ")
                && l.contains("set " + variable + " to an address of this box"));
  }

  /** As by the gateway of another installation on the box. */
  @Test
  void shouldSayWhatToDoWhenThePortOfHealthAndMetricsIsTaken() throws IOException {
    try (ServerSocket taken = new ServerSocket(0, 1, InetAddress.getByName("127.0.0.1"))) {
      List<String> log =
          refused(
              "TINYFAAS_GATEWAY_HTTP_PORT",
              Integer.toString(taken.getLocalPort()),
              l ->
                  l.startsWith("cannot listen for health and metrics on TCP 127.0.0.1:")
                      && l.endsWith("another TINYFAAS_GATEWAY_HTTP_PORT"));
      assertThat(log).noneMatch(l -> l.contains("-started") || l.startsWith("\tat "));
    }
  }

  /** What it has printed, a line of which says why it has ended. */
  private List<String> refused(String variable, String value, Predicate<String> why) {
    try (GatewayProcess gateway = new GatewayProcess(broker, folder, Map.of(variable, value))) {
      assertThat(gateway.awaitExit()).isEqualTo(1);
      assertThat(gateway.log()).anyMatch(why);
      return gateway.log();
    }
  }
}
