package io.tinyfaas.gateway;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.tinyfaas.contract.device.Device;
import io.tinyfaas.contract.device.DeviceCredential;
import io.tinyfaas.contract.device.DeviceName;
import io.tinyfaas.contract.device.DeviceTopics;
import io.tinyfaas.contract.device.KeySeal;
import io.tinyfaas.contract.mqtt.TopicFilter;
import io.tinyfaas.harness.DeviceBroker;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpServerRequest;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Base64;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.BiConsumer;

/** The packaged gateway with the devices' broker behind it, and devices that speak MQTT. */
final class MqttGateway implements AutoCloseable {

  static final String KEY = "sixteen-and-more";

  private static final Path SETTINGS = Path.of("../compose/broker/devices.conf");
  private static final byte[] SECRET = "0123456789abcdef0123456789abcdef".getBytes(UTF_8);
  private static final KeySeal SEAL = new KeySeal(SECRET);

  private final Certificates certificates;
  private final Path server;
  private final DeviceBroker broker;
  private final ServedGateway system;
  private long tables;

  /**
   * @param folder of keys, certificates and sockets
   * @param more environment of the gateway
   */
  MqttGateway(Path folder, Map<String, String> more) throws IOException {
    this(folder, more, (request, body) -> request.response().end(body));
  }

  /**
   * @param function what the handler answers
   */
  MqttGateway(Path folder, Map<String, String> more, BiConsumer<HttpServerRequest, Buffer> function)
      throws IOException {
    certificates = new Certificates(folder);
    server = certificates.selfSigned("tinyfaas", "-addext", "subjectAltName=IP:127.0.0.1");
    Path secret = folder.resolve("device-key");
    Files.writeString(secret, Base64.getEncoder().encodeToString(SECRET));
    broker = new DeviceBroker(Files.createDirectory(folder.resolve("devices")), SETTINGS).start();
    Map<String, String> environment = new HashMap<>();
    environment.put("TINYFAAS_DEVICE_KEY_FILE", secret.toString());
    environment.put("TINYFAAS_COAPS_CERTIFICATE_FILE", server.toString());
    environment.put("TINYFAAS_DEVICE_BROKER_SOCKET", broker.socket().toString());
    environment.putAll(more);
    system = new ServedGateway(folder, environment, function);
    system.process().healthPort(); // it has started, which takes longest on a busy machine
  }

  static Device withKey(String name, String key) {
    DeviceName device = new DeviceName(name);
    return new Device(device, new DeviceCredential.Psk(SEAL.seal(device, key.getBytes(UTF_8))));
  }

  static Device withTopics(String name, List<String> publish, List<String> subscribe) {
    return new Device(
        new DeviceName(name),
        withKey(name, KEY).credential(),
        Optional.of(
            new DeviceTopics(
                publish.stream().map(TopicFilter::new).toList(),
                subscribe.stream().map(TopicFilter::new).toList())));
  }

  /** These and no others, with the key {@link #KEY}, from now on. */
  void register(Device... devices) {
    system.manager().applyDevices(1, ++tables, devices);
  }

  /** For {@code --cafile}. */
  Path certificate() {
    return server;
  }

  Certificates certificates() {
    return certificates;
  }

  DeviceBroker broker() {
    return broker;
  }

  ServedGateway system() {
    return system;
  }

  GatewayProcess process() {
    return system.process();
  }

  int port() {
    return process().mqttPort();
  }

  int tlsPort() {
    return process().mqttsPort();
  }

  @Override
  public void close() {
    system.close();
    broker.close();
  }
}
