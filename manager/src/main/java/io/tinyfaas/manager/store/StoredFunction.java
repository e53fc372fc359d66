package io.tinyfaas.manager.store;

import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Predicate;

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
   * @param before of a number in the history, the one to which a rollback of it leads
   */
  record Pointer(int active, List<Integer> history, int highest, Map<Integer, Integer> before) {

    static final Pointer NONE = new Pointer(0, List.of(), 0, Map.of());

    Pointer {
      history = List.copyOf(history);
      before = Map.copyOf(before);
      if (active < 0 || highest < active || active > 0 && !history.contains(active)) {
        throw new IllegalArgumentException(
            "active " + active + ", history " + history + ", highest " + highest);
      }
    }

    /** Of one that does not say what was before: the numbers below. */
    static Pointer byNumbers(int active, List<Integer> history, int highest) {
      Map<Integer, Integer> before = new HashMap<>();
      List<Integer> numbers = history.stream().sorted().toList();
      for (int i = 1; i < numbers.size(); i++) {
        before.put(numbers.get(i), numbers.get(i - 1));
      }
      return new Pointer(active, history, highest, before);
    }

    Pointer withHighest(int number) {
      return new Pointer(active, history, number, before);
    }

    /** A new version in place of the active one, to which a rollback leads. */
    Pointer replacedBy(int number, int kept) {
      // Which one was active may be lost.
      int now = active > 0 ? active : history.stream().max(Comparator.naturalOrder()).orElse(0);
      return activated(number, with(number, now), kept);
    }

    /** A new version that is the active one but for the number of its handlers. */
    Pointer scaledTo(int number, int kept) {
      return activated(number, with(number, before.getOrDefault(active, 0)), kept);
    }

    /** One that was active before. */
    Pointer backTo(int number, int kept) {
      return activated(number, before, kept);
    }

    private Map<Integer, Integer> with(int number, int earlier) {
      Map<Integer, Integer> changed = new HashMap<>(before);
      if (earlier > 0) {
        changed.put(number, earlier);
      }
      return changed;
    }

    /** The nearest before this one that is there, as far as it is known. */
    Optional<Integer> earlier(int number, Predicate<Integer> isThere) {
      Integer earlier = before.get(number);
      // Never round and round, whatever the file says.
      for (int i = 0; i < before.size() && earlier != null && !isThere.test(earlier); i++) {
        earlier = before.get(earlier);
      }
      return Optional.ofNullable(earlier).filter(isThere);
    }

    /**
     * Forgets those beyond so many that have not been active for longest, first those that no
     * rollback leads to: scaling a function each day is not to take its earlier code away.
     */
    private Pointer activated(int number, Map<Integer, Integer> before, int kept) {
      List<Integer> order = new ArrayList<>(history);
      order.remove((Integer) number);
      order.add(number);
      Set<Integer> targets = new HashSet<>();
      for (Integer each = number; each != null && targets.add(each); ) {
        each = before.get(each);
      }
      while (order.size() > kept) {
        Integer forgotten =
            order.stream()
                .filter(each -> !targets.contains(each))
                .findFirst()
                .orElse(order.getFirst());
        order.remove(forgotten);
      }
      Pointer all = new Pointer(number, order, highest, before);
      Map<Integer, Integer> remaining = new HashMap<>();
      for (int each : order) {
        all.earlier(each, order::contains).ifPresent(earlier -> remaining.put(each, earlier));
      }
      return new Pointer(number, order, highest, remaining);
    }
  }

  static final StoredFunction NEW = new StoredFunction(Pointer.NONE, Map.of());

  StoredFunction {
    versions = Collections.unmodifiableMap(new TreeMap<>(versions));
  }

  Optional<FunctionVersion> active() {
    return Optional.ofNullable(versions.get(pointer.active()));
  }

  /** The one that was deployed before the present one. */
  Optional<FunctionVersion> previous() {
    return pointer.earlier(pointer.active(), versions::containsKey).map(versions::get);
  }

  /**
   * With this version as the active one. One of other code or another specification is a target for
   * rollbacks of what comes after it; one that only has another number of handlers is not, nor is
   * anything that was active before.
   */
  Pointer activating(FunctionVersion version, int kept) {
    if (pointer.history().contains(version.number())) {
      return pointer.backTo(version.number(), kept);
    }
    return active().filter(now -> now.isScaled(version)).isPresent()
        ? pointer.scaledTo(version.number(), kept)
        : pointer.replacedBy(version.number(), kept);
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
