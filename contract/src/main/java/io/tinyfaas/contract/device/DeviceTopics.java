package io.tinyfaas.contract.device;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.fasterxml.jackson.annotation.JsonIgnore;
import io.tinyfaas.contract.mqtt.TopicFilter;
import java.util.List;
import java.util.Objects;

/**
 * What a device may publish and subscribe by MQTT besides what every device may.
 *
 * @param publish topics of its messages
 * @param subscribe what its subscriptions have to be covered by
 */
public record DeviceTopics(List<TopicFilter> publish, List<TopicFilter> subscribe) {

  /** In each of the two lists. */
  public static final int MAX_FILTERS = 32;

  /**
   * @throws IllegalArgumentException if a list is longer than {@value #MAX_FILTERS}
   */
  public DeviceTopics {
    publish = List.copyOf(Objects.requireNonNull(publish, "publish"));
    subscribe = List.copyOf(Objects.requireNonNull(subscribe, "subscribe"));
    if (publish.size() > MAX_FILTERS || subscribe.size() > MAX_FILTERS) {
      throw new IllegalArgumentException("more than " + MAX_FILTERS + " topic filters of a device");
    }
  }

  @JsonIgnore
  public boolean isEmpty() {
    return publish.isEmpty() && subscribe.isEmpty();
  }

  /** In bytes of JSON, at most, without what that has around each. */
  public long size() {
    return size(publish) + size(subscribe);
  }

  private static long size(List<TopicFilter> filters) {
    return filters.stream().mapToLong(filter -> size(filter.value())).sum();
  }

  /** Quotation marks and backslashes are two characters there. */
  private static long size(String text) {
    long escaped = text.chars().filter(each -> each == '"' || each == '\\').count();
    return text.getBytes(UTF_8).length + escaped;
  }
}
