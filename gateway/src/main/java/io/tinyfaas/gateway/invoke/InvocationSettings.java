package io.tinyfaas.gateway.invoke;

import io.quarkus.runtime.Startup;
import io.quarkus.runtime.configuration.ConfigurationException;
import io.smallrye.config.ConfigMapping;
import io.smallrye.config.WithDefault;
import io.tinyfaas.contract.setting.SettingsCheck;
import jakarta.inject.Singleton;

/** How many invocations may run, and on how many connections. */
@ConfigMapping(prefix = "tinyfaas")
public interface InvocationSettings {

  /** How many invocations may run at once; beyond it devices are told to come back. */
  @WithDefault("4096")
  int maxInFlight();

  /**
   * The same for one function, so that a slow one cannot starve the others. Well above the devices
   * that use it: those who give up and ask again have two running.
   */
  @WithDefault("2048")
  int maxInFlightPerFunction();

  /**
   * The same for one address, whatever protocols it uses: fewer than one function may have, so that
   * one address cannot take them all. All that comes by one proxy, or from behind one NAT, is one
   * address.
   */
  @WithDefault("1536")
  int maxInFlightPerPeer();

  /** The most connections to one handler; further invocations wait for one. */
  @WithDefault("64")
  int maxConnectionsPerHandler();

  /** What these may be; looked at before anything starts. */
  @Startup(1)
  @Singleton
  final class Ranges {

    private static final int MAX_COUNT = 65_536;

    Ranges(InvocationSettings settings) {
      new SettingsCheck()
          .number("TINYFAAS_MAX_IN_FLIGHT", settings.maxInFlight(), 1, MAX_COUNT)
          .number(
              "TINYFAAS_MAX_IN_FLIGHT_PER_FUNCTION",
              settings.maxInFlightPerFunction(),
              1,
              MAX_COUNT)
          .number("TINYFAAS_MAX_IN_FLIGHT_PER_PEER", settings.maxInFlightPerPeer(), 1, MAX_COUNT)
          .number(
              "TINYFAAS_MAX_CONNECTIONS_PER_HANDLER", settings.maxConnectionsPerHandler(), 1, 4_096)
          .orThrow(ConfigurationException::new);
    }
  }
}
