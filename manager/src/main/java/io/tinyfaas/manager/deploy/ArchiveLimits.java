package io.tinyfaas.manager.deploy;

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

  private static final long UNPACKED_BYTES = 256L << 20;
  private static final int ENTRIES = 10_000;

  public ArchiveLimits {
    // Offsets within a zip without the 64-bit extension end at 4 GiB.
    if (uploadBytes < 1024 || uploadBytes > 1L << 30) {
      throw new IllegalArgumentException(
          "TINYFAAS_MAX_ARCHIVE is " + uploadBytes + " bytes: use a size from 1K to 1G.");
    }
  }

  /** From {@code TINYFAAS_MAX_ARCHIVE}; a record cannot hold its own producer. */
  static final class Configured {

    @Produces
    @Singleton
    static ArchiveLimits limits(@ConfigProperty(name = "tinyfaas.max-archive") MemorySize size) {
      return new ArchiveLimits(size.asLongValue(), UNPACKED_BYTES, ENTRIES);
    }
  }
}
