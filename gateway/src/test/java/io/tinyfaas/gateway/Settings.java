package io.tinyfaas.gateway;

import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.quarkus.runtime.configuration.ConfigurationException;
import io.smallrye.config.SmallRyeConfigBuilder;
import java.util.function.Consumer;

/** Settings as Quarkus makes them, all but one with their defaults, and what is said of them. */
public final class Settings {

  private Settings() {}

  public static <T> T with(Class<T> mapping, String property, String value) {
    return new SmallRyeConfigBuilder()
        .addDiscoveredConverters()
        .withMapping(mapping)
        .withDefaultValue(property, value)
        .build()
        .getConfigMapping(mapping);
  }

  /**
   * By the name of the environment variable, which is what the operator has set.
   *
   * @param check what is done with settings at the start
   */
  public static <T> void assertRefused(
      Class<T> mapping, Consumer<T> check, String property, String value, String variable) {
    T settings = with(mapping, property, value);
    assertThatThrownBy(() -> check.accept(settings))
        .isInstanceOf(ConfigurationException.class)
        .hasMessageStartingWith(variable + " is ");
  }
}
