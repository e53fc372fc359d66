package io.tinyfaas.gateway.schedule;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.time.Instant;
import java.util.Properties;

/** When the gateway was built: it is later than that. */
final class BuildTime {

  private static final String FILE = "/tinyfaas-built.properties";

  private BuildTime() {}

  /** In milliseconds since 1970. */
  static long millis() {
    try (InputStream in = BuildTime.class.getResourceAsStream(FILE)) {
      Properties properties = new Properties();
      properties.load(in);
      return Instant.parse(properties.getProperty("built")).toEpochMilli();
    } catch (IOException e) {
      throw new UncheckedIOException(e); // it is in the same jar
    }
  }
}
