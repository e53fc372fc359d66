package io.tinyfaas.gateway;

import io.smallrye.config.SmallRyeConfigBuilder;

/** Settings as Quarkus makes them, all but one with their defaults. */
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
}
