package io.tinyfaas.gateway.ingress.mqtt;

import io.tinyfaas.contract.device.DeviceTopics;
import io.tinyfaas.contract.mqtt.TopicFilter;
import io.tinyfaas.gateway.device.DeviceIdentity;
import java.util.List;
import java.util.stream.Stream;

/** What a device may publish and subscribe. */
public final class TopicRights {

  private static final String SHARED = "$share/";

  private final List<TopicFilter> publish;
  private final List<TopicFilter> subscribe;

  private TopicRights(List<TopicFilter> publish, List<TopicFilter> subscribe) {
    this.publish = publish;
    this.subscribe = subscribe;
  }

  /** What every device may, and what its registration adds. */
  public static TopicRights of(DeviceIdentity device) {
    TopicFilter own = new TopicFilter("devices/" + device.name() + "/#");
    DeviceTopics more = device.device().mqtt().orElse(new DeviceTopics(List.of(), List.of()));
    return new TopicRights(
        concat(more.publish(), new TopicFilter("functions/#"), own),
        concat(more.subscribe(), new TopicFilter("functions/+/result/#"), own));
  }

  private static List<TopicFilter> concat(List<TopicFilter> more, TopicFilter... defaults) {
    return Stream.concat(Stream.of(defaults), more.stream()).toList();
  }

  /**
   * @param topic a valid one
   */
  public boolean mayPublish(String topic) {
    return isForDevices(topic) && publish.stream().anyMatch(filter -> filter.matches(topic));
  }

  /** Also whether an answer to the device may be published there. */
  public boolean mayReceive(String topic) {
    return isForDevices(topic) && subscribe.stream().anyMatch(filter -> filter.matches(topic));
  }

  /**
   * @param filter that {@link #isFilter} has found to be one, also of a shared subscription
   */
  boolean maySubscribe(String filter) {
    TopicFilter topics = new TopicFilter(withoutGroup(filter));
    return isForDevices(topics.value())
        && subscribe.stream().anyMatch(allowed -> allowed.covers(topics));
  }

  static boolean isFilter(String filter) {
    return TopicFilter.isValid(withoutGroup(filter));
  }

  /** What the broker says of itself is for nobody, whatever a registration has. */
  private static boolean isForDevices(String topic) {
    return !topic.startsWith("$");
  }

  /** Of {@code $share/GROUP/FILTER} the filter (MQTT 5, 4.8.2). */
  private static String withoutGroup(String filter) {
    if (!filter.startsWith(SHARED)) {
      return filter;
    }
    int end = filter.indexOf('/', SHARED.length());
    String group = end < 0 ? "" : filter.substring(SHARED.length(), end);
    boolean named = !group.isEmpty() && group.indexOf('+') < 0 && group.indexOf('#') < 0;
    return named ? filter.substring(end + 1) : "";
  }
}
