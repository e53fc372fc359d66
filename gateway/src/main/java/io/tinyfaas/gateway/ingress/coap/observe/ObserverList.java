package io.tinyfaas.gateway.ingress.coap.observe;

import io.tinyfaas.gateway.result.Resource;
import java.util.HashMap;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.eclipse.californium.core.coap.Response;

/**
 * Who observes what: bounded, since UDP lets anyone pretend to be many. When it is full, a newcomer
 * takes the place of the observer that has been silent for longest, if that has missed several
 * times to register again; else it gets a plain answer. On the event loop.
 */
final class ObserverList {

  private static final int MAX_PER_PEER = 32;

  /** One function leaves room for the others. */
  private static final int FUNCTION_FRACTION = 2;

  /** And so does one address, whatever ports it has, with a function and with all. */
  private static final int OWNER_FRACTION = 4;

  /** Five times Max-Age's default, after which a device registers again (RFC 7641, 3.3.1). */
  private static final long SILENT_MILLIS = 300_000;

  /** The one silent for longest first. */
  private final Map<Observation.Key, Observation> observations = new LinkedHashMap<>();

  private final Map<Resource, Set<Observation>> byResource = new HashMap<>();

  /** The same order. */
  private final Map<String, Set<Observation>> byFunction = new HashMap<>();

  private final Map<Object, ObservingPeer> peers = new HashMap<>();

  /** How many each has. */
  private final Map<Object, Integer> byOwner = new HashMap<>();

  private final Map<Share, Integer> byShare = new HashMap<>();
  private final ObservingPeer.Notifier notifier;
  private final int max;
  private volatile int size;

  private record Share(String function, Object owner) {
    static Share of(Observation observation) {
      return new Share(observation.resource().function(), observation.owner());
    }
  }

  ObserverList(int max, ObservingPeer.Notifier notifier) {
    this.max = max;
    this.notifier = notifier;
  }

  /** On any thread. */
  int size() {
    return size;
  }

  Optional<Observation> find(Observation.Key key) {
    return Optional.ofNullable(observations.get(key));
  }

  /** A snapshot. */
  List<Observation> all() {
    return List.copyOf(observations.values());
  }

  /** A snapshot. */
  List<Observation> of(Resource resource) {
    return List.copyOf(byResource.getOrDefault(resource, Set.of()));
  }

  boolean has(Observation observation) {
    return observations.get(observation.key()) == observation;
  }

  boolean has(Resource resource) {
    return byResource.containsKey(resource);
  }

  ObservingPeer peer(Observation observation) {
    return peers.get(observation.key().peer());
  }

  /**
   * In the place of the one with the same key, if there is one.
   *
   * @param answer to the registration, which is to be sent next
   * @return false if there is no room
   */
  boolean add(Observation observation, Response answer) {
    Observation.Key key = observation.key();
    find(key)
        .ifPresent(
            earlier -> {
              if (earlier.resource().equals(observation.resource())) {
                observation.follow(earlier);
              }
              remove(earlier);
            });
    if (!hasRoom(observation)) {
      return false;
    }
    observations.put(key, observation);
    Resource resource = observation.resource();
    byResource.computeIfAbsent(resource, r -> new LinkedHashSet<>()).add(observation);
    byFunction.computeIfAbsent(resource.function(), f -> new LinkedHashSet<>()).add(observation);
    byOwner.merge(observation.owner(), 1, Integer::sum);
    byShare.merge(Share.of(observation), 1, Integer::sum);
    peers.computeIfAbsent(key.peer(), p -> new ObservingPeer(notifier)).add(observation, answer);
    size = observations.size();
    return true;
  }

  private boolean hasRoom(Observation newcomer) {
    ObservingPeer peer = peers.get(newcomer.key().peer());
    if (peer != null && peer.observations() >= MAX_PER_PEER) {
      return false;
    }
    int maxPerFunction = Math.max(1, max / FUNCTION_FRACTION);
    if (byShare.getOrDefault(Share.of(newcomer), 0) >= ofOneOwner(maxPerFunction)
        || byOwner.getOrDefault(newcomer.owner(), 0) >= ofOneOwner(max)) {
      return false;
    }
    Set<Observation> its = byFunction.getOrDefault(newcomer.resource().function(), Set.of());
    if (its.size() >= maxPerFunction && !makeRoom(its.iterator())) {
      return false;
    }
    return observations.size() < max || makeRoom(observations.values().iterator());
  }

  /** At least what one device may have. */
  private static int ofOneOwner(int places) {
    return Math.max(MAX_PER_PEER, places / OWNER_FRACTION);
  }

  private static Integer oneLess(Integer count) {
    return count == 1 ? null : Integer.valueOf(count - 1);
  }

  /**
   * @param silent the one silent for longest first
   */
  private boolean makeRoom(Iterator<Observation> silent) {
    if (!silent.hasNext()) {
      return false;
    }
    Observation first = silent.next();
    if (notifier.now() - first.heard() < SILENT_MILLIS) {
      return false;
    }
    remove(first);
    return true;
  }

  void heard(Observation observation) {
    if (observations.remove(observation.key(), observation)) {
      observations.put(observation.key(), observation);
      Set<Observation> its = byFunction.get(observation.resource().function());
      its.remove(observation);
      its.add(observation);
    }
  }

  /** It gets nothing more. */
  void remove(Observation observation) {
    if (unlist(observation)) {
      ObservingPeer peer = peer(observation);
      peer.remove(observation);
      dropIfIdle(observation.key().peer(), peer);
    }
  }

  /** It gets what is on its way, and nothing more. */
  void release(Observation observation) {
    if (unlist(observation)) {
      peer(observation).release();
    }
  }

  private boolean unlist(Observation observation) {
    if (!observations.remove(observation.key(), observation)) {
      return false;
    }
    size = observations.size();
    byOwner.computeIfPresent(observation.owner(), (owner, count) -> oneLess(count));
    byShare.computeIfPresent(Share.of(observation), (share, count) -> oneLess(count));
    remove(observation, observation.resource(), byResource);
    remove(observation, observation.resource().function(), byFunction);
    return true;
  }

  private static <K> void remove(Observation observation, K of, Map<K, Set<Observation>> from) {
    Set<Observation> its = from.get(of);
    its.remove(observation);
    if (its.isEmpty()) {
      from.remove(of);
    }
  }

  private void dropIfIdle(Object key, ObservingPeer peer) {
    if (peer.isIdle()) {
      peers.remove(key, peer);
    }
  }

  /** Lets each peer send what had to wait; drops those that have got their last. */
  void tick() {
    for (Map.Entry<Object, ObservingPeer> entry : List.copyOf(peers.entrySet())) {
      entry.getValue().tick();
      dropIfIdle(entry.getKey(), entry.getValue());
    }
  }
}
