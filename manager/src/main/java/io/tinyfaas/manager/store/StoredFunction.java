package io.tinyfaas.manager.store;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/**
 * What the store knows of one function, immutable.
 *
 * @param pointer as it is on the disk
 * @param versions readable ones by number, candidates among them
 */
record StoredFunction(Pointer pointer, Map<Integer, FunctionVersion> versions) {

  /**
   * The content of {@code active.json}.
   *
   * @param active number of the active version, 0 for none
   * @param history numbers that were once active, in the order of their latest activation
   * @param highest number ever given out, so that none is given out twice
   */
  record Pointer(int active, List<Integer> history, int highest) {

    static final Pointer NONE = new Pointer(0, List.of(), 0);

    Pointer {
      history = List.copyOf(history);
      if (active < 0 || highest < active || active > 0 && !history.contains(active)) {
        throw new IllegalArgumentException(
            "active " + active + ", history " + history + ", highest " + highest);
      }
    }

    Pointer withHighest(int number) {
      return new Pointer(active, history, number);
    }

    Pointer withActive(int number, int kept) {
      List<Integer> order = new ArrayList<>(history);
      order.remove((Integer) number);
      order.add(number);
      return new Pointer(
          number, order.subList(Math.max(0, order.size() - kept), order.size()), highest);
    }
  }

  static final StoredFunction NEW = new StoredFunction(Pointer.NONE, Map.of());

  StoredFunction {
    versions = Collections.unmodifiableMap(new TreeMap<>(versions));
  }

  Optional<FunctionVersion> active() {
    return Optional.ofNullable(versions.get(pointer.active()));
  }

  /** The one that was active before the present one. */
  Optional<FunctionVersion> previous() {
    return pointer.history().reversed().stream()
        .filter(number -> number != pointer.active() && versions.containsKey(number))
        .findFirst()
        .map(versions::get);
  }

  List<FunctionVersion> onceActive() {
    return versions.values().stream()
        .filter(version -> pointer.history().contains(version.number()))
        .toList();
  }

  StoredFunction with(Pointer changed) {
    return new StoredFunction(changed, versions);
  }

  StoredFunction with(FunctionVersion version) {
    Map<Integer, FunctionVersion> changed = new TreeMap<>(versions);
    changed.put(version.number(), version);
    return new StoredFunction(pointer, changed);
  }

  StoredFunction without(int number) {
    Map<Integer, FunctionVersion> changed = new TreeMap<>(versions);
    changed.remove(number);
    return new StoredFunction(pointer, changed);
  }
}
