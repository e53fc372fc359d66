package io.tinyfaas.gateway;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What the packaged gateway makes of its environment. */
@Timeout(60)
class SettingsIT {

  @TempDir Path folder;

  @ParameterizedTest
  @CsvSource({
    "TINYFAAS_MAX_IN_FLIGHT, 0",
    "TINYFAAS_HTTP_IDLE_TIMEOUT, -5s",
    "TINYFAAS_GRPC_MAX_CONNECTIONS, -1"
  })
  void shouldRefuseASettingThatCannotBeMeantBeforeItListens(String variable, String value) {
    try (TestBroker broker = new TestBroker().start();
        GatewayProcess gateway = new GatewayProcess(broker, folder, Map.of(variable, value))) {
      assertThat(gateway.awaitExit()).isEqualTo(1);
      await()
          .untilAsserted(
              () -> assertThat(gateway.log()).anyMatch(l -> l.contains(variable + " is " + value)));
      assertThat(gateway.log()).noneMatch(l -> l.contains("-started") || l.startsWith("\tat "));
    }
  }
}
