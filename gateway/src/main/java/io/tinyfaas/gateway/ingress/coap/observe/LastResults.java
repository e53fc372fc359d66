package io.tinyfaas.gateway.ingress.coap.observe;

import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.function.Predicate;

/**
 * The last result of each observable function. Bounded in bytes: when there is no room, results
 * that nobody observes are forgotten, the oldest first. On the event loop.
 */
final class LastResults {

  private final Map<String, Representation> results = new LinkedHashMap<>();
  private final long max;
  private long bytes;

  LastResults(long maxBytes) {
    this.max = maxBytes;
  }

  Optional<Representation> get(String function) {
    return Optional.ofNullable(results.get(function));
  }

  /**
   * @param observed functions whose results must not be forgotten
   * @return false if there is no room for it; the function has no result then
   */
  boolean put(String function, Representation result, Predicate<String> observed) {
    remove(function);
    Iterator<Map.Entry<String, Representation>> oldest = results.entrySet().iterator();
    while (bytes + result.bytes() > max && oldest.hasNext()) {
      Map.Entry<String, Representation> entry = oldest.next();
      if (!observed.test(entry.getKey())) {
        bytes -= entry.getValue().bytes();
        oldest.remove();
      }
    }
    if (bytes + result.bytes() > max) {
      return false;
    }
    results.put(function, result);
    bytes += result.bytes();
    return true;
  }

  void remove(String function) {
    Representation removed = results.remove(function);
    if (removed != null) {
      bytes -= removed.bytes();
    }
  }

  void keepOnly(Predicate<String> functions) {
    results.keySet().stream().filter(functions.negate()).toList().forEach(this::remove);
  }
}
