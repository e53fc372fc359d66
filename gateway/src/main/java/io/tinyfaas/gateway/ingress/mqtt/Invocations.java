package io.tinyfaas.gateway.ingress.mqtt;

import io.tinyfaas.contract.handler.HandlerHttp;
import io.tinyfaas.gateway.device.DeviceIdentity;
import io.tinyfaas.gateway.invoke.Invocation;
import io.vertx.core.MultiMap;
import io.vertx.core.http.HttpHeaders;
import java.net.Inet6Address;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.Locale;
import java.util.Map;
import java.util.Set;

/** Published messages to invocations: what the function's handler is told. */
final class Invocations {

  /** Of the platform. */
  private static final String OURS = "x-tinyfaas-";

  /** Said by a property of its own, or of a connection by HTTP that there is not. */
  private static final Set<String> NOT_PASSED_ON =
      Set.of("content-type", "host", "proxy-authorization");

  /** What stands for itself in the path of a URI (RFC 3986, 3.3), and the slash. */
  private static final String IN_PATH =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~!$&'()*+,;=:@/";

  private static final String TOKEN =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789!#$%&'*+-.^_`|~";

  private static final char[] HEX = "0123456789ABCDEF".toCharArray();

  private Invocations() {}

  /**
   * @param path what followed the function's name in the topic with its slash, or nothing
   */
  static Invocation of(Publication publication, String function, String path) {
    MultiMap headers = MultiMap.caseInsensitiveMultiMap();
    int leftOut = passOn(publication, headers);
    headers.set(HandlerHttp.METHOD_HEADER, "POST");
    if (!path.isEmpty()) {
      headers.set(HandlerHttp.PATH_HEADER, encoded(path));
    }
    headers.set(HandlerHttp.PROTOCOL_HEADER, publication.protocol().label());
    headers.set(HandlerHttp.MQTT_TOPIC_HEADER, encoded(publication.topic()));
    headers.set(HandlerHttp.MQTT_QOS_HEADER, Integer.toString(publication.qos()));
    if (publication.retained()) {
      headers.set(HandlerHttp.MQTT_RETAINED_HEADER, "true");
    }
    if (publication.duplicate()) {
      headers.set(HandlerHttp.MQTT_DUPLICATE_HEADER, "true");
    }
    if (leftOut > 0) {
      headers.set(HandlerHttp.MQTT_LEFT_OUT_HEADER, Integer.toString(leftOut));
    }
    if (publication.device().isPresent()) {
      headers.set(HandlerHttp.PEER_HEADER, peer(publication.peer()));
    }
    return new Invocation(
        function,
        publication.protocol(),
        publication.peer().getAddress(),
        publication.device().map(DeviceIdentity::name).orElse(""),
        headers,
        publication.body());
  }

  /** What it says to the gateway alone, such as {@code Idempotency-Key}. */
  static MultiMap toGateway(Publication publication) {
    MultiMap said = MultiMap.caseInsensitiveMultiMap();
    publication.properties().forEach(each -> said.add(each.getKey(), each.getValue()));
    return said;
  }

  /** Returns how many could not be passed on. */
  private static int passOn(Publication publication, MultiMap headers) {
    int leftOut = 0;
    String type = publication.contentType();
    if (isValue(type)) {
      headers.set(HttpHeaders.CONTENT_TYPE, type);
    } else if (!type.isEmpty()) {
      leftOut++;
    }
    for (Map.Entry<String, String> property : publication.properties()) {
      if (isPassedOn(property.getKey()) && isValue(property.getValue())) {
        headers.add(property.getKey(), property.getValue());
      } else {
        leftOut++;
      }
    }
    return leftOut;
  }

  private static boolean isPassedOn(String name) {
    String lower = name.toLowerCase(Locale.ROOT);
    return !name.isEmpty()
        && name.chars().allMatch(c -> TOKEN.indexOf(c) >= 0)
        && !lower.startsWith(OURS)
        && !HandlerHttp.CONNECTION_FIELDS.contains(lower)
        && !NOT_PASSED_ON.contains(lower);
  }

  /** Whether HTTP can carry it: of characters beyond Latin 1 and of controls it cannot. */
  private static boolean isValue(String value) {
    return !value.isEmpty()
        && value.chars().allMatch(c -> c == '\t' || c >= ' ' && c != 0x7f && c <= 0xff);
  }

  private static String encoded(String topic) {
    StringBuilder text = new StringBuilder(topic.length());
    for (byte b : topic.getBytes(StandardCharsets.UTF_8)) {
      if (b > 0 && IN_PATH.indexOf(b) >= 0) {
        text.append((char) b);
      } else {
        text.append('%').append(HEX[b >> 4 & 0xf]).append(HEX[b & 0xf]);
      }
    }
    return text.toString();
  }

  private static String peer(InetSocketAddress peer) {
    String address = peer.getAddress().getHostAddress();
    return (peer.getAddress() instanceof Inet6Address ? '[' + address + ']' : address)
        + ':'
        + peer.getPort();
  }
}
