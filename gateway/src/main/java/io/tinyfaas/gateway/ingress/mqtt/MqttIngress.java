package io.tinyfaas.gateway.ingress.mqtt;

import io.netty.channel.Channel;
import io.tinyfaas.gateway.ingress.Ingress;
import io.tinyfaas.gateway.ingress.Protocol;
import io.tinyfaas.gateway.mqtt.DeviceBroker;
import io.tinyfaas.gateway.mqtt.MqttPorts;
import jakarta.inject.Singleton;
import java.net.InetSocketAddress;
import java.util.Optional;
import org.jboss.logging.Logger;

/** MQTT over TCP, for registered devices in a network of one's own. */
@Singleton
final class MqttIngress implements Ingress {

  private static final Logger LOG = Logger.getLogger(MqttIngress.class);

  private final MqttPorts ports;
  private final DeviceBroker broker;
  private final MqttListener listener;
  private final DeviceConnections connections;
  private volatile Channel server;

  MqttIngress(
      MqttPorts ports, DeviceBroker broker, MqttListener listener, DeviceConnections connections) {
    this.ports = ports;
    this.broker = broker;
    this.listener = listener;
    this.connections = connections;
  }

  @Override
  public Protocol protocol() {
    return Protocol.MQTT;
  }

  @Override
  public boolean isEnabled() {
    return ports.mqtt().port() != OFF && broker.isEnabled();
  }

  @Override
  public void start() {
    server = listener.listen(Protocol.MQTT, ports.mqtt().port(), "MQTT_PORT", Optional.empty());
    LOG.infof("event=mqtt-started address=%s", server.localAddress());
  }

  @Override
  public boolean isBound() {
    return server != null;
  }

  @Override
  public int port() {
    return ((InetSocketAddress) server.localAddress()).getPort();
  }

  @Override
  public void refuseNew() {
    server.close();
    connections.refuseNew();
  }

  @Override
  public int waiting() {
    return connections.unfinished();
  }

  @Override
  public void stop() {
    connections.stop();
  }
}
