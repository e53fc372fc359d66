package io.tinyfaas.gateway.ingress.mqtt;

import io.tinyfaas.contract.mqtt.MqttTrigger;
import io.tinyfaas.contract.mqtt.MqttTrigger.Source;
import io.tinyfaas.contract.route.Route;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Which triggers a topic is for: a tree with a level of the topic at each of its own. To look one
 * up takes a step for each level and for each way that wildcards leave open there, however many
 * triggers there are. Not changed once it is made.
 */
final class TriggerIndex {

  static final TriggerIndex EMPTY = new TriggerIndex(List.of(), Source.BOX);

  private static final String ONE = "+";
  private static final String ALL = "#";

  /** A trigger and the function that is called. */
  record Entry(String function, MqttTrigger trigger) {}

  private static final class Node {
    final Map<String, Node> below = new HashMap<>(2);

    /** Of filters that end here. */
    final List<Entry> here = new ArrayList<>(1);

    /** Of filters that go on with all that is below, which includes this level. */
    final List<Entry> hereAndBelow = new ArrayList<>(0);
  }

  private final Node root = new Node();

  /**
   * @param broker whose messages it is for; triggers of the other one are passed over
   */
  TriggerIndex(List<Route> routes, Source broker) {
    for (Route route : routes) {
      for (MqttTrigger trigger : route.triggers()) {
        if (trigger.broker() == broker) {
          add(new Entry(route.function().value(), trigger));
        }
      }
    }
  }

  private void add(Entry entry) {
    Node node = root;
    for (String level : entry.trigger().topic().value().split("/", -1)) {
      if (level.equals(ALL)) {
        node.hereAndBelow.add(entry);
        return;
      }
      node = node.below.computeIfAbsent(level, first -> new Node());
    }
    node.here.add(entry);
  }

  /** None is for a topic that begins with {@code $}, as no trigger's may. */
  List<Entry> find(String topic) {
    if (root.below.isEmpty() && root.hereAndBelow.isEmpty() || topic.startsWith("$")) {
      return List.of();
    }
    List<Entry> found = new ArrayList<>();
    collect(root, topic, 0, found);
    return found;
  }

  /**
   * @param from where in the topic the next level begins; behind its end there is none
   */
  private static void collect(Node node, String topic, int from, List<Entry> found) {
    found.addAll(node.hereAndBelow);
    if (from > topic.length()) {
      found.addAll(node.here);
      return;
    }
    if (node.below.isEmpty()) {
      return;
    }
    int slash = topic.indexOf('/', from);
    int end = slash < 0 ? topic.length() : slash;
    Node same = node.below.get(topic.substring(from, end));
    if (same != null) {
      collect(same, topic, end + 1, found);
    }
    Node any = node.below.get(ONE);
    if (any != null) {
      collect(any, topic, end + 1, found);
    }
  }
}
