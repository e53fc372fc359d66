package io.tinyfaas.gateway.ingress.mqtt;

import io.tinyfaas.gateway.device.DeviceIdentity;
import io.tinyfaas.gateway.ingress.Protocol;
import java.net.InetSocketAddress;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * A message that somebody has published, with MQTT 5's properties where it had any.
 *
 * @param device empty if it came from another broker than the box's own
 * @param qos 0, 1 or 2
 * @param retained of the box's own broker: whether it is to be retained; of another one: whether it
 *     was retained before there was the subscription
 * @param duplicate whether it is sent again
 * @param contentType empty if there is none
 * @param responseTopic empty if there is none
 * @param correlation empty if there is none
 * @param expirySeconds after which nobody waits for it any more (MQTT 5, 3.3.2.3.3); {@value
 *     #NEVER} if nothing is said of that
 * @param properties User Properties, in their order
 */
public record Publication(
    Optional<DeviceIdentity> device,
    Protocol protocol,
    InetSocketAddress peer,
    String topic,
    int qos,
    boolean retained,
    boolean duplicate,
    String contentType,
    String responseTopic,
    byte[] correlation,
    long expirySeconds,
    List<Map.Entry<String, String>> properties,
    byte[] body) {

  static final long NEVER = -1;
}
