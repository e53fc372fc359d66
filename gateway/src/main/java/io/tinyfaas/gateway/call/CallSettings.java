package io.tinyfaas.gateway.call;

import io.quarkus.runtime.Startup;
import io.quarkus.runtime.configuration.ConfigurationException;
import io.quarkus.runtime.configuration.MemorySize;
import io.smallrye.config.ConfigMapping;
import io.smallrye.config.WithDefault;
import io.tinyfaas.contract.setting.SettingsCheck;
import jakarta.inject.Singleton;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;

/** The settings of calls: {@code TINYFAAS_CALLS_…}. How many there may be is a part of the heap. */
@ConfigMapping(prefix = "tinyfaas.calls")
interface CallSettings {

  /** Where they are kept; without it none is accepted. */
  Optional<Path> folder();

  /** What the requests of all calls may take on disk that have not ended, or have failed. */
  @WithDefault("64M")
  MemorySize maxBytes();

  /** How long a call that was done is known, and what the function answered. */
  @WithDefault("1h")
  Duration keepResults();

  /** How long a call that failed is kept, unless somebody removes it or has it tried again. */
  @WithDefault("30d")
  Duration keepFailed();

  /** What these may be; looked at before anything starts. */
  @Startup(1)
  @Singleton
  final class Ranges {

    private static final Duration SHORTEST = Duration.ofSeconds(1);
    private static final Duration LONGEST = Duration.ofDays(365);

    Ranges(CallSettings settings) {
      new SettingsCheck()
          .size("TINYFAAS_CALLS_MAX_BYTES", settings.maxBytes().asBigInteger(), 1 << 20, 1L << 35)
          .time("TINYFAAS_CALLS_KEEP_RESULTS", settings.keepResults(), SHORTEST, LONGEST)
          .time("TINYFAAS_CALLS_KEEP_FAILED", settings.keepFailed(), SHORTEST, LONGEST)
          .orThrow(ConfigurationException::new);
    }
  }
}
