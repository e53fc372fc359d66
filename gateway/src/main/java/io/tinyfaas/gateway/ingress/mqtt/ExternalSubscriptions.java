package io.tinyfaas.gateway.ingress.mqtt;

import io.tinyfaas.contract.mqtt.MqttTrigger;
import io.tinyfaas.contract.mqtt.MqttTrigger.Source;
import io.tinyfaas.contract.route.Route;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/**
 * What the external broker is asked for: what triggers want, and what it has been asked for before,
 * which it goes on with until it is told not to. On the invocation loop.
 */
final class ExternalSubscriptions {

  /** Beyond them the next is sent when one is answered. */
  private static final int AT_ONCE = 64;

  private static final String SHARED = "$share/tinyfaas/";

  /** From which on a code is a refusal. */
  private static final int REFUSED = 0x80;

  private Map<String, Integer> wanted = new TreeMap<>();

  /** What the broker may have, also of an earlier life of the gateway. */
  private final Set<String> known = new HashSet<>();

  /** By which messages tell their subscription; as long as the gateway lives. */
  private final Map<String, Integer> identifiers = new HashMap<>();

  /** Of this connection: what has been asked for, and with which quality of service. */
  private final Map<String, Integer> asked = new HashMap<>();

  private final Map<String, Integer> refused = new TreeMap<>();
  private ExternalSession session;
  private int unanswered;

  /** As it is written in SUBSCRIBE. */
  static String filter(MqttTrigger trigger) {
    return trigger.shared() ? SHARED + trigger.topic() : trigger.topic().value();
  }

  /** Whether a message that came by these is for the trigger; by none, it is not known. */
  boolean isMeant(MqttTrigger trigger, Set<Integer> subscriptions) {
    return subscriptions.isEmpty()
        || subscriptions.contains(identifiers.getOrDefault(filter(trigger), 0));
  }

  void known(Set<String> filters) {
    known.addAll(filters);
  }

  /** All that the broker may have, once what is wanted has been asked for. */
  Set<String> all() {
    Set<String> all = new HashSet<>(known);
    all.addAll(wanted.keySet());
    return all;
  }

  /**
   * @return whether it asks for something that {@link #all} had not
   */
  boolean want(List<Route> routes) {
    Map<String, Integer> now = new TreeMap<>();
    for (Route route : routes) {
      for (MqttTrigger trigger : route.triggers()) {
        if (trigger.broker() == Source.EXTERNAL) {
          now.merge(filter(trigger), trigger.qos(), Math::max);
        }
      }
    }
    boolean more = !all().containsAll(now.keySet());
    wanted = now;
    for (String filter : now.keySet()) {
      identifiers.computeIfAbsent(filter, first -> identifiers.size() + 1);
    }
    return more;
  }

  int wanted() {
    return wanted.size();
  }

  int refused() {
    return refused.size();
  }

  /** All of it is asked for again: a broker may have lost what it had. */
  void begin(ExternalSession accepted) {
    session = accepted;
    unanswered = 0;
    asked.clear();
    refused.clear();
    known.removeAll(wanted.keySet());
    proceed();
  }

  void end() {
    session = null;
  }

  /** Sends what is left to be asked for, and what is to be ended. */
  void proceed() {
    if (session == null) {
      return;
    }
    for (String filter : Set.copyOf(known)) {
      if (!wanted.containsKey(filter)) {
        session.unsubscribe(filter);
        known.remove(filter);
      }
    }
    for (String filter : Set.copyOf(asked.keySet())) {
      if (!wanted.containsKey(filter)) {
        session.unsubscribe(filter);
        asked.remove(filter);
        refused.remove(filter);
      }
    }
    for (Map.Entry<String, Integer> each : wanted.entrySet()) {
      if (unanswered >= AT_ONCE) {
        return;
      }
      if (!each.getValue().equals(asked.get(each.getKey()))) {
        asked.put(each.getKey(), each.getValue());
        unanswered++;
        session.subscribe(each.getKey(), each.getValue(), identifiers.get(each.getKey()));
      }
    }
  }

  void answered(String filter, int code) {
    unanswered--;
    if (code >= REFUSED) {
      refused.put(filter, code);
    } else {
      refused.remove(filter);
    }
    proceed();
  }

  /** With which quality of service, by this connection. */
  int asked(String filter) {
    return asked.getOrDefault(filter, 0);
  }

  boolean isSettled() {
    return unanswered == 0;
  }
}
