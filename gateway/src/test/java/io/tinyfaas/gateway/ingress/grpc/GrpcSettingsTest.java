package io.tinyfaas.gateway.ingress.grpc;

import static org.assertj.core.api.Assertions.assertThatCode;

import io.tinyfaas.gateway.Settings;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class GrpcSettingsTest {

  @Test
  void shouldTakeItsDefaultsAndTheEndsOfARange() {
    assertThatCode(
            () ->
                new GrpcSettings.Ranges(
                    Settings.with(GrpcSettings.class, "tinyfaas.grpc.port", "-1")))
        .doesNotThrowAnyException();
  }

  @ParameterizedTest
  @CsvSource({
    "tinyfaas.grpc.port, -7, GRPC_PORT",
    "tinyfaas.grpc.handshake-timeout, 0s, TINYFAAS_GRPC_HANDSHAKE_TIMEOUT",
    "tinyfaas.grpc.idle-timeout, -5s, TINYFAAS_GRPC_IDLE_TIMEOUT",
    "tinyfaas.grpc.receive-timeout, 100h, TINYFAAS_GRPC_RECEIVE_TIMEOUT",
    "tinyfaas.grpc.send-timeout, 0s, TINYFAAS_GRPC_SEND_TIMEOUT"
  })
  void shouldRefuseWhatCannotBeMeant(String property, String value, String variable) {
    Settings.assertRefused(GrpcSettings.class, GrpcSettings.Ranges::new, property, value, variable);
  }
}
