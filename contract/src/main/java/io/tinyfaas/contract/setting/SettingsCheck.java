package io.tinyfaas.contract.setting;

import java.math.BigInteger;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.function.Function;
import java.util.function.Supplier;

/**
 * Refuses settings outside their ranges, all at once, in words that say how to mend them. Settings
 * go by the environment variable that people set. Both ends of a range are in it.
 */
public final class SettingsCheck {

  /** What {@code -1} means as the port of a protocol. */
  private static final int OFF = -1;

  private static final int HIGHEST_PORT = 65_535;

  private final List<String> refused = new ArrayList<>();

  public SettingsCheck number(String variable, long value, long from, long to) {
    if (value < from || value > to) {
      refused.add(variable + " is " + value + ": use a number from " + from + " to " + to + ".");
    }
    return this;
  }

  public SettingsCheck time(String variable, Duration value, Duration from, Duration to) {
    if (value.compareTo(from) < 0 || value.compareTo(to) > 0) {
      refused.add(
          variable
              + " is "
              + text(value)
              + ": use a time from "
              + text(from)
              + " to "
              + text(to)
              + ".");
    }
    return this;
  }

  /** In bytes. */
  public SettingsCheck size(String variable, BigInteger value, long from, long to) {
    if (value.compareTo(BigInteger.valueOf(from)) < 0
        || value.compareTo(BigInteger.valueOf(to)) > 0) {
      refused.add(
          variable
              + " is "
              + value
              + " bytes: use a size from "
              + size(from)
              + " to "
              + size(to)
              + ".");
    }
    return this;
  }

  /** A port to listen on: 0 is any free one, -1 switches the protocol off. */
  public SettingsCheck port(String variable, int value) {
    if (value < OFF || value > HIGHEST_PORT) {
      refused.add(
          variable
              + " is "
              + value
              + ": use a port from 0 to "
              + HIGHEST_PORT
              + ", or "
              + OFF
              + " to switch the protocol off.");
    }
    return this;
  }

  /**
   * What concerns more than one setting.
   *
   * @param otherwise which setting is how, and how to mend it
   */
  public SettingsCheck require(boolean met, Supplier<String> otherwise) {
    if (!met) {
      refused.add(otherwise.get());
    }
    return this;
  }

  /**
   * @throws E made of all that was refused, if anything was
   */
  public <E extends RuntimeException> void orThrow(Function<String, E> exception) {
    if (!refused.isEmpty()) {
      throw exception.apply(String.join(" ", refused));
    }
  }

  /** The way settings are written: 10s, 1h30m. */
  private static String text(Duration time) {
    return time.toString().substring("PT".length()).toLowerCase(Locale.ROOT);
  }

  private static String size(long bytes) {
    String[] units = {"", "K", "M", "G"};
    int unit = 0;
    long rest = bytes;
    while (unit < units.length - 1 && rest >= 1024 && rest % 1024 == 0) {
      rest /= 1024;
      unit++;
    }
    return rest + units[unit];
  }
}
