package io.tinyfaas.runtime.load;

import java.util.function.Function;

/**
 * The function, ready to be called by any number of threads at once.
 *
 * @param function answers a {@code String}, {@code byte[]}, {@link io.tinyfaas.function.Response}
 *     or null
 * @param input what it takes
 */
public record LoadedFunction(Function<Object, Object> function, Input input) {
  public enum Input {
    TEXT,
    BYTES,
    REQUEST
  }
}
