package io.tinyfaas.gateway;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.tinyfaas.contract.device.Device;
import io.tinyfaas.contract.device.DeviceCredential;
import io.tinyfaas.contract.device.DeviceName;
import io.tinyfaas.contract.device.KeySeal;
import io.tinyfaas.contract.route.Exposure;
import io.tinyfaas.contract.route.Exposure.Access;
import io.tinyfaas.contract.route.Exposure.Observable;
import io.tinyfaas.contract.route.Handler;
import io.tinyfaas.harness.Eventually;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpServerRequest;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.Base64;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/** The packaged gateway with functions for devices that prove who they are, and those devices. */
final class DtlsGateway implements AutoCloseable {

  static final String KEY = "sixteen-and-more";
  static final String OTHER_KEY = "another-sixteen!";

  private static final long FUNCTION_TIMEOUT = Eventually.patient(Duration.ofMinutes(1)).toMillis();

  private static final byte[] SECRET = "0123456789abcdef0123456789abcdef".getBytes(UTF_8);
  private static final KeySeal SEAL = new KeySeal(SECRET);

  private final HeldFunction held = new HeldFunction();
  private final Certificates certificates;
  private final Path server;
  private final Path lamp;
  private final Path barn;
  private final ServedGateway system;
  private long tables;

  /**
   * @param folder of keys, certificates and the handler's socket
   */
  DtlsGateway(Path folder) throws IOException {
    this(folder, Map.of());
  }

  /**
   * @param more environment of the gateway
   */
  DtlsGateway(Path folder, Map<String, String> more) throws IOException {
    this(folder, more, "90m");
  }

  /**
   * @param heap of the gateway, as in {@code -Xmx}
   */
  DtlsGateway(Path folder, Map<String, String> more, String heap) throws IOException {
    certificates = new Certificates(folder);
    server = certificates.selfSigned("tinyfaas");
    lamp = certificates.selfSigned("lamp");
    barn = certificates.selfSigned("barn");
    Path secret = folder.resolve("device-key");
    Files.writeString(secret, Base64.getEncoder().encodeToString(SECRET));
    Map<String, String> environment = new HashMap<>(more);
    environment.put("TINYFAAS_DEVICE_KEY_FILE", secret.toString());
    environment.put("TINYFAAS_COAPS_CERTIFICATE_FILE", server.toString());
    system = new ServedGateway(folder, environment, heap, this::function);
    system.process().healthPort(); // it has started, which takes longest on a busy machine
    system.serve(
        PlayedManager.route("any", FUNCTION_TIMEOUT, system.handler()),
        PlayedManager.route(
            "locked",
            FUNCTION_TIMEOUT,
            new Exposure(Access.DEVICE, Observable.NO, Map.of()),
            system.handler()),
        PlayedManager.route(
            "watched",
            FUNCTION_TIMEOUT,
            new Exposure(Access.DEVICE, Observable.FUNCTION, Map.of()),
            system.handler()));
  }

  /** Who called, by what, and the body's size; or what the path asks for. */
  private void function(HttpServerRequest request, Buffer body) {
    String path = Optional.ofNullable(request.getHeader("X-tinyFaaS-Path")).orElse("");
    if (path.startsWith("/size/")) {
      request.response().end("x".repeat(Integer.parseInt(path.substring(6))));
      return;
    }
    if (path.equals("/held")) {
      held.answer(request, body);
      return;
    }
    String peer = request.getHeader("X-tinyFaaS-Peer");
    request
        .response()
        .end(
            "%s by %s, %d bytes, port %s"
                .formatted(
                    request.getHeader("X-tinyFaaS-Device"),
                    request.getHeader("X-tinyFaaS-Protocol"),
                    body.length(),
                    peer.substring(peer.lastIndexOf(':') + 1)));
  }

  static Device withKey(String name, String key) {
    DeviceName device = new DeviceName(name);
    return new Device(device, new DeviceCredential.Psk(SEAL.seal(device, key.getBytes(UTF_8))));
  }

  private static Device button() {
    return withKey("button", KEY);
  }

  /** The button, the lamp, and all that the barn has certified, and these. */
  void register(Device... more) {
    registerOnly(
        Stream.concat(
                Stream.of(
                    button(),
                    new Device(new DeviceName("lamp"), Certificates.pinned(lamp)),
                    new Device(new DeviceName("barn"), Certificates.authority(barn))),
                Arrays.stream(more))
            .toArray(Device[]::new));
  }

  void registerOnly(Device... devices) {
    system.manager().applyDevices(1, ++tables, devices);
  }

  /** As routes have it. */
  Handler handler() {
    return system.handler();
  }

  PlayedManager manager() {
    return system.manager();
  }

  /** That asks the gateway. */
  DtlsDevice device(String name, String key) {
    return DtlsDevice.withKey(port(), name, key.getBytes(UTF_8));
  }

  /** That asks the gateway, and knows it by its certificate. */
  DtlsDevice device(Path certificate) {
    return DtlsDevice.withCertificate(
        port(), Certificates.credentials(certificate), Certificates.certificate(server));
  }

  /** Whoever is not known gets no answer at all. */
  static boolean refused(DtlsDevice device) {
    return device.isRefused("any");
  }

  GatewayProcess process() {
    return system.process();
  }

  int port() {
    return process().coapsPort();
  }

  /** How often the functions have been run. */
  int runs() {
    return system.runs();
  }

  /** What the functions do for the path {@code /held}. */
  HeldFunction held() {
    return held;
  }

  Certificates certificates() {
    return certificates;
  }

  Path lamp() {
    return lamp;
  }

  @Override
  public void close() {
    held.release();
    system.close();
  }
}
