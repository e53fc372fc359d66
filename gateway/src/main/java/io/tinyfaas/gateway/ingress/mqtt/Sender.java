package io.tinyfaas.gateway.ingress.mqtt;

import io.tinyfaas.gateway.device.DeviceIdentity;
import io.tinyfaas.gateway.ingress.Protocol;
import java.net.InetSocketAddress;

/** Who publishes, by what, and from where. */
record Sender(DeviceIdentity identity, Protocol protocol, InetSocketAddress peer) {}
