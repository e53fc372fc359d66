package io.tinyfaas.gateway.ingress.mqtt;

import io.netty.channel.Channel;
import io.tinyfaas.gateway.device.CurrentDevices;
import io.tinyfaas.gateway.ingress.Ingress;
import io.tinyfaas.gateway.ingress.Protocol;
import io.tinyfaas.gateway.mqtt.DeviceBroker;
import io.tinyfaas.gateway.mqtt.MqttPorts;
import jakarta.inject.Singleton;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import org.jboss.logging.Logger;

/** MQTT over TLS, for registered devices, with the certificate of CoAP over DTLS. */
@Singleton
final class MqttsIngress implements Ingress {

  private static final Logger LOG = Logger.getLogger(MqttsIngress.class);

  private final MqttPorts ports;
  private final DeviceBroker broker;
  private final MqttListener listener;
  private final DeviceConnections connections;
  private final Optional<DeviceTls> tls;
  private volatile Channel server;

  MqttsIngress(
      MqttPorts ports,
      DeviceBroker broker,
      MqttListener listener,
      DeviceConnections connections,
      CurrentDevices devices,
      CertificateSettings certificate) {
    this.ports = ports;
    this.broker = broker;
    this.listener = listener;
    this.connections = connections;
    this.tls = isWanted() ? tls(certificate.certificateFile(), devices) : Optional.empty();
  }

  /** Without a certificate it is as if it were off: the other protocols do without. */
  private static Optional<DeviceTls> tls(Optional<Path> file, CurrentDevices devices) {
    if (file.filter(Files::exists).isEmpty()) {
      LOG.warn("event=mqtts-without-certificate: devices cannot connect by MQTT over TLS");
      return Optional.empty();
    }
    try {
      return Optional.of(new DeviceTls(file.get(), new CertifiedDevices(devices)));
    } catch (IOException e) {
      LOG.errorf("event=mqtts-certificate-unreadable file=%s reason=\"%s\"", file.get(), e);
      return Optional.empty();
    }
  }

  @Override
  public Protocol protocol() {
    return Protocol.MQTTS;
  }

  private boolean isWanted() {
    return ports.mqtts().port() != OFF && broker.isEnabled();
  }

  @Override
  public boolean isEnabled() {
    return tls.isPresent();
  }

  @Override
  public void start() {
    server = listener.listen(Protocol.MQTTS, ports.mqtts().port(), "MQTTS_PORT", tls);
    LOG.infof("event=mqtts-started address=%s", server.localAddress());
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

  /** Of both ports: connections are counted together. */
  @Override
  public int waiting() {
    return connections.unfinished();
  }

  @Override
  public void stop() {
    connections.stop();
  }
}
