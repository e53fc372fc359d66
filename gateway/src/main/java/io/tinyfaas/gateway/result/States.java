package io.tinyfaas.gateway.result;

import io.tinyfaas.contract.route.Exposure.Observable;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.BooleanSupplier;
import java.util.function.Function;
import java.util.function.Predicate;

/**
 * States by what they are of. Bounded in bytes and in number: when there is no room, those that
 * nobody observes are forgotten, the oldest first, of a function that has more than half of the
 * room its own before others'. On one thread.
 */
final class States {

  static final int MAX = 4_000;

  /** Whoever asks for paths that are none may make as many as he likes. */
  static final int MAX_OF_FUNCTION = 1_000;

  /** What a function has. */
  private static final class Held {
    private final Observable how;
    private int count;
    private long bytes;

    Held(Observable how) {
      this.how = how;
    }
  }

  private final Map<Resource, LastResult> states = new LinkedHashMap<>();
  private final Map<String, Held> byFunction = new HashMap<>();
  private final long max;
  private long bytes;

  /**
   * @param max in bytes
   */
  States(long max) {
    this.max = max;
  }

  Optional<LastResult> get(Resource resource) {
    return Optional.ofNullable(states.get(resource));
  }

  /** A snapshot. */
  List<Resource> all() {
    return List.copyOf(states.keySet());
  }

  /**
   * @param how its function is observable
   * @param observed those that must not be forgotten
   * @param forgotten gets those that made room
   * @return false if there is no room for it; it has no state then
   */
  boolean put(
      Resource resource,
      Observable how,
      LastResult state,
      Predicate<Resource> observed,
      List<Resource> forgotten) {
    remove(resource);
    String function = resource.function();
    Predicate<Resource> its = other -> other.function().equals(function);
    int more = bytes(resource, state);
    Held held = byFunction.get(function);
    if (held != null && held.count >= MAX_OF_FUNCTION) {
      forget(its.and(observed.negate()), () -> held.count < MAX_OF_FUNCTION, forgotten);
      if (held.count >= MAX_OF_FUNCTION) {
        return false;
      }
    }
    if (held != null && !hasRoom(more) && held.bytes + more > max / 2) {
      forget(its.and(observed.negate()), () -> hasRoom(more), forgotten);
    }
    forget(observed.negate(), () -> hasRoom(more), forgotten);
    if (!hasRoom(more)) {
      return false;
    }
    states.put(resource, state);
    Held now = byFunction.computeIfAbsent(function, first -> new Held(how));
    now.count++;
    now.bytes += more;
    bytes += more;
    return true;
  }

  private static int bytes(Resource resource, LastResult state) {
    return state.bytes() + resource.path().length();
  }

  private boolean hasRoom(int more) {
    return bytes + more <= max && states.size() < MAX;
  }

  private void forget(Predicate<Resource> which, BooleanSupplier enough, List<Resource> into) {
    Iterator<Map.Entry<Resource, LastResult>> oldest = states.entrySet().iterator();
    while (!enough.getAsBoolean() && oldest.hasNext()) {
      Map.Entry<Resource, LastResult> entry = oldest.next();
      if (which.test(entry.getKey())) {
        oldest.remove();
        discount(entry.getKey(), entry.getValue());
        into.add(entry.getKey());
      }
    }
  }

  private void remove(Resource resource) {
    LastResult removed = states.remove(resource);
    if (removed != null) {
      discount(resource, removed);
    }
  }

  private void discount(Resource resource, LastResult removed) {
    Held held = byFunction.get(resource.function());
    int less = bytes(resource, removed);
    bytes -= less;
    held.bytes -= less;
    if (--held.count == 0) {
      byFunction.remove(resource.function());
    }
  }

  /**
   * Removes the states of functions that are observable in another way than when they were made.
   *
   * @return those that were
   */
  List<Resource> removeUnless(Function<String, Observable> functions) {
    List<Resource> removed = new ArrayList<>();
    for (Resource resource : all()) {
      if (byFunction.get(resource.function()).how != functions.apply(resource.function())) {
        removed.add(resource);
      }
    }
    removed.forEach(this::remove);
    return removed;
  }
}
