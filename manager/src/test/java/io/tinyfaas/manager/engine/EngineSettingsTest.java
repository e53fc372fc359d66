package io.tinyfaas.manager.engine;

import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.quarkus.runtime.configuration.ConfigurationException;
import io.smallrye.config.SmallRyeConfigBuilder;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class EngineSettingsTest {

  @Test
  void shouldTakeItsDefaultsAndTheEndsOfARange() {
    assertThatCode(() -> new EngineSettings.Ranges(with("tinyfaas.max-body", "64M")))
        .doesNotThrowAnyException();
  }

  @ParameterizedTest
  @CsvSource({
    "tinyfaas.engine-timeout, 0s, TINYFAAS_ENGINE_TIMEOUT",
    "tinyfaas.runtime-build-timeout, 0s, TINYFAAS_RUNTIME_BUILD_TIMEOUT",
    "tinyfaas.runtime-wait, -1s, TINYFAAS_RUNTIME_WAIT",
    "tinyfaas.max-body, 100M, TINYFAAS_MAX_BODY",
    "tinyfaas.start-timeout, -30s, TINYFAAS_START_TIMEOUT",
    "tinyfaas.build-timeout, 99999h, TINYFAAS_BUILD_TIMEOUT"
  })
  void shouldRefuseWhatCannotBeMeant(String property, String value, String variable) {
    assertThatThrownBy(() -> new EngineSettings.Ranges(with(property, value)))
        .isInstanceOf(ConfigurationException.class)
        .hasMessageStartingWith(variable + " is ");
  }

  private static EngineSettings with(String property, String value) {
    return new SmallRyeConfigBuilder()
        .addDiscoveredConverters()
        .withMapping(EngineSettings.class)
        .withDefaultValue(property, value)
        .build()
        .getConfigMapping(EngineSettings.class);
  }
}
