package io.tinyfaas.manager.archive;

import io.quarkus.runtime.Startup;
import io.quarkus.runtime.configuration.ConfigurationException;
import io.quarkus.runtime.configuration.MemorySize;
import io.tinyfaas.contract.setting.SettingsCheck;
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

    @Startup(1)
    @Produces
    @Singleton
    static ArchiveLimits limits(@ConfigProperty(name = "tinyfaas.max-archive") MemorySize size) {
      new SettingsCheck()
          .size("TINYFAAS_MAX_ARCHIVE", size.asBigInteger(), MIN_UPLOAD_BYTES, MAX_UPLOAD_BYTES)
          .orThrow(ConfigurationException::new);
      return new ArchiveLimits(size.asLongValue(), UNPACKED_BYTES, ENTRIES);
    }
  }
}
