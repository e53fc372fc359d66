package io.tinyfaas.manager.deploy;

import io.quarkus.runtime.Startup;
import io.quarkus.runtime.configuration.ConfigurationException;
import io.quarkus.runtime.configuration.MemorySize;
import jakarta.enterprise.inject.Produces;
import jakarta.inject.Singleton;
import org.eclipse.microprofile.config.inject.ConfigProperty;

/**
 * How large an archive may be.
 *
 * @param uploadBytes of the archive as sent
 * @param unpackedBytes of all files together
 * @param entries files and folders together
 */
public record ArchiveLimits(long uploadBytes, long unpackedBytes, int entries) {

  private static final long MIN_UPLOAD_BYTES = 1L << 10;
  private static final long MAX_UPLOAD_BYTES = 1L << 30;
  private static final long UNPACKED_BYTES = 256L << 20;
  private static final int ENTRIES = 10_000;

  /** From {@code TINYFAAS_MAX_ARCHIVE}; a record cannot hold its own producer. */
  static final class Configured {

    @Startup
    @Produces
    @Singleton
    static ArchiveLimits limits(@ConfigProperty(name = "tinyfaas.max-archive") MemorySize size) {
      if (size.asLongValue() < MIN_UPLOAD_BYTES || size.asLongValue() > MAX_UPLOAD_BYTES) {
        throw new ConfigurationException(
            "TINYFAAS_MAX_ARCHIVE is "
                + size.asLongValue()
                + " bytes: use a size from 1K to 1G, such as 64M.");
      }
      return new ArchiveLimits(size.asLongValue(), UNPACKED_BYTES, ENTRIES);
    }
  }
}
