package io.tinyfaas.gateway;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.tinyfaas.contract.device.Device;
import io.tinyfaas.contract.device.DeviceCredential;
import io.tinyfaas.contract.device.DeviceName;
import io.tinyfaas.contract.device.KeySeal;
import io.tinyfaas.contract.route.Exposure;
import io.tinyfaas.contract.route.Exposure.Access;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpServerRequest;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.Stream;
import org.eclipse.californium.core.coap.CoAP.Code;
import org.eclipse.californium.core.coap.Request;
import org.eclipse.californium.scandium.config.DtlsConfig;
import org.eclipse.californium.scandium.dtls.cipher.CipherSuite;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Devices that prove who they are: with Scandium, and with libcoap over OpenSSL and GnuTLS. */
@Timeout(60)
class DtlsIT {

  private static final byte[] SECRET = "0123456789abcdef0123456789abcdef".getBytes(UTF_8);
  private static final KeySeal SEAL = new KeySeal(SECRET);
  private static final String KEY = "sixteen-and-more";
  private static final String OTHER_KEY = "another-sixteen!";

  @TempDir static Path folder;
  private static Certificates certificates;
  private static Path server;
  private static Path lamp;
  private static Path barn;
  private static ServedGateway system;
  private static GatewayProcess gateway;
  private static int port;
  private static long tables;

  @BeforeAll
  static void start() throws IOException {
    certificates = new Certificates(folder);
    server = certificates.selfSigned("tinyfaas");
    lamp = certificates.selfSigned("lamp");
    barn = certificates.selfSigned("barn");
    Path secret = folder.resolve("device-key");
    Files.writeString(secret, Base64.getEncoder().encodeToString(SECRET));
    system =
        new ServedGateway(
            folder,
            Map.of(
                "TINYFAAS_DEVICE_KEY_FILE", secret.toString(),
                "TINYFAAS_COAPS_CERTIFICATE_FILE", server.toString()),
            DtlsIT::function);
    gateway = system.process();
    system.serve(
        PlayedManager.route("any", 2_000, system.handler()),
        PlayedManager.route(
            "locked", 2_000, new Exposure(Access.DEVICE, false, Map.of()), system.handler()),
        PlayedManager.route(
            "watched", 2_000, new Exposure(Access.DEVICE, true, Map.of()), system.handler()));
    assertThat(gateway.log()).noneMatch(line -> line.contains("coaps-started"));
    register();
    port = gateway.coapsPort();
  }

  @BeforeEach
  void registerAll() {
    register();
  }

  @AfterAll
  static void stop() {
    system.close();
  }

  /** Who called, by what, and the body's size; or what the path asks for. */
  private static void function(HttpServerRequest request, Buffer body) {
    String path = Optional.ofNullable(request.getHeader("X-tinyFaaS-Path")).orElse("");
    if (path.startsWith("/size/")) {
      request.response().end("x".repeat(Integer.parseInt(path.substring(6))));
      return;
    }
    if (path.startsWith("/slow/")) {
      system
          .vertx()
          .setTimer(Long.parseLong(path.substring(6)), late -> request.response().end("late"));
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

  private static Device withKey(String name, String key) {
    DeviceName device = new DeviceName(name);
    return new Device(device, new DeviceCredential.Psk(SEAL.seal(device, key.getBytes(UTF_8))));
  }

  private static Device button() {
    return withKey("button", KEY);
  }

  /** The button, the lamp, and all that the barn has certified, and these. */
  private static void register(Device... more) {
    registerOnly(
        Stream.concat(
                Stream.of(
                    button(),
                    new Device(new DeviceName("lamp"), Certificates.pinned(lamp)),
                    new Device(new DeviceName("barn"), Certificates.authority(barn))),
                Arrays.stream(more))
            .toArray(Device[]::new));
  }

  private static void registerOnly(Device... devices) {
    system.manager().applyDevices(1, ++tables, devices);
  }

  private static DtlsDevice device(String name, String key) {
    return DtlsDevice.withKey(port, name, key.getBytes(UTF_8));
  }

  /** Whoever is not known gets no answer at all. */
  private static boolean refused(DtlsDevice device) {
    return device.ask(new Request(Code.GET), "any", 700).equals("none");
  }

  @ParameterizedTest
  @EnumSource(
      value = CipherSuite.class,
      names = {
        "TLS_PSK_WITH_AES_128_CCM_8",
        "TLS_PSK_WITH_AES_128_CCM",
        "TLS_PSK_WITH_AES_128_GCM_SHA256",
        "TLS_ECDHE_PSK_WITH_AES_128_CCM_8_SHA256",
        "TLS_ECDHE_PSK_WITH_AES_128_GCM_SHA256"
      })
  @DisplayName("TD_COAP_DTLS_01: a device with a key")
  void shouldKnowADeviceByItsKey(CipherSuite suite) {
    try (DtlsDevice device =
        DtlsDevice.withKey(
            port,
            "button",
            KEY.getBytes(UTF_8),
            DtlsDevice.settings()
                .set(DtlsConfig.DTLS_RECOMMENDED_CIPHER_SUITES_ONLY, false)
                .set(DtlsConfig.DTLS_CIPHER_SUITES, List.of(suite)))) {
      assertThat(device.get("locked")).startsWith("2.05 button by coaps, 0 bytes");
      assertThat(device.get("any")).startsWith("2.05 button by coaps");
      assertThat(device.get("nobody")).isEqualTo("4.04 no such function");
    }
  }

  @Test
  @DisplayName("TD_COAP_DTLS_02: a device with a wrong key")
  void shouldRefuseAWrongKeyAndAnUnknownName() {
    int runs = system.runs();
    try (DtlsDevice wrong = device("button", OTHER_KEY);
        DtlsDevice unknown = device("nobody", KEY);
        DtlsDevice certified = device("lamp", KEY)) {
      assertThat(List.of(wrong, unknown, certified)).allMatch(DtlsIT::refused);
    }
    assertThat(system.runs()).isEqualTo(runs);
  }

  @Test
  @DisplayName("TD_COAP_DTLS_03: a handshake of which datagrams are lost")
  void shouldComeThroughAHandshakeThatLosesDatagrams() {
    try (UdpRelay relay = new UdpRelay(port, number -> number % 3 == 0 && number < 12);
        DtlsDevice device = device("button", KEY)) {
      device.asks(relay.port());
      assertThat(device.ask(new Request(Code.GET), "locked", 30_000)).startsWith("2.05 button");
    }
  }

  @Test
  void shouldKnowADeviceByItsCertificate() {
    try (DtlsDevice device =
        DtlsDevice.withCertificate(
            port, Certificates.credentials(lamp), Certificates.certificate(server))) {
      assertThat(device.get("locked")).startsWith("2.05 lamp by coaps");
    }
  }

  @Test
  void shouldKnowADeviceByTheAuthorityOfItsCertificate() {
    Path cow = certificates.issued("barn", "cow-7");
    try (DtlsDevice device =
        DtlsDevice.withCertificate(
            port, Certificates.credentials(cow), Certificates.certificate(server))) {
      assertThat(device.get("locked")).startsWith("2.05 barn/cow-7 by coaps");
    }
  }

  @Test
  void shouldRefuseACertificateOfNobody() {
    Path stranger = certificates.selfSigned("stranger");
    Path sameName = certificates.selfSigned("barn-2", "-subj", "/CN=barn");
    try (DtlsDevice unknown =
            DtlsDevice.withCertificate(
                port, Certificates.credentials(stranger), Certificates.certificate(server));
        DtlsDevice issued =
            DtlsDevice.withCertificate(
                port,
                Certificates.credentials(certificates.issued("barn-2", "cow-8")),
                Certificates.certificate(server));
        DtlsDevice alike =
            DtlsDevice.withCertificate(
                port, Certificates.credentials(sameName), Certificates.certificate(server))) {
      assertThat(List.of(unknown, issued, alike)).allMatch(DtlsIT::refused);
    }
  }

  @Test
  void shouldRefuseARevokedDeviceWithinASecond() {
    try (DtlsDevice button = device("button", KEY);
        DtlsDevice other = device("other", OTHER_KEY)) {
      register(withKey("other", OTHER_KEY));
      assertThat(button.get("any")).startsWith("2.05 button");
      assertThat(other.get("any")).startsWith("2.05 other");

      long revoked = System.nanoTime();
      registerOnly(withKey("other", OTHER_KEY));
      assertThat(Duration.ofNanos(System.nanoTime() - revoked)).isLessThan(Duration.ofSeconds(1));
      int runs = system.runs();
      assertThat(refused(button)).isTrue();
      try (DtlsDevice again = device("button", KEY)) {
        assertThat(refused(again)).isTrue();
      }
      assertThat(system.runs()).isEqualTo(runs);
      assertThat(other.get("any")).startsWith("2.05 other");
    }
  }

  @Test
  void shouldEndTheSessionOfADeviceWhoseKeyIsAnother() {
    try (DtlsDevice button = device("button", KEY)) {
      assertThat(button.get("any")).startsWith("2.05 button");
      registerOnly(withKey("button", OTHER_KEY));
      assertThat(refused(button)).isTrue();
    }
    try (DtlsDevice button = device("button", OTHER_KEY)) {
      assertThat(button.get("any")).startsWith("2.05 button");
    }
  }

  @Test
  void shouldKeepTheSessionOfADeviceWhoseAddressChanges() {
    try (UdpRelay relay = new UdpRelay(port, number -> false);
        DtlsDevice button = device("button", KEY)) {
      button.asks(relay.port());
      assertThat(button.get("any")).endsWith("port " + relay.outsidePort());
      long handshakes = button.handshakes();
      relay.rebind();
      assertThat(button.get("any")).endsWith("port " + relay.outsidePort());
      assertThat(button.handshakes()).isEqualTo(handshakes);
    }
  }

  @Test
  void shouldGoOnWithALargeBodyFromAnotherAddress() {
    AtomicReference<UdpRelay> moving = new AtomicReference<>();
    try (UdpRelay relay = new UdpRelay(port, number -> movesAt(number, moving));
        DtlsDevice button = device("button", KEY)) {
      moving.set(relay);
      button.asks(relay.port());
      int before = relay.outsidePort();
      Request upload = new Request(Code.POST);
      upload.setPayload(new byte[20_000]);
      assertThat(button.ask(upload, "locked", 10_000))
          .startsWith("2.04 button by coaps, 20000 bytes");
      assertThat(relay.outsidePort()).isNotEqualTo(before);
      assertThat(button.handshakes()).isEqualTo(1);
    }
  }

  /** Amid the blocks. */
  private static boolean movesAt(int datagram, AtomicReference<UdpRelay> relay) {
    if (datagram == 30) {
      relay.get().rebind();
    }
    return false;
  }

  @Test
  void shouldAnswerADeviceWhereItHasMovedMeanwhile() {
    try (UdpRelay relay = new UdpRelay(port, number -> false);
        DtlsDevice button = device("button", KEY)) {
      button.asks(relay.port());
      int runs = system.runs();
      CompletableFuture<String> slow =
          CompletableFuture.supplyAsync(() -> button.get("any/slow/1500"));
      await().until(() -> system.runs() > runs);
      relay.rebind();
      assertThat(button.get("any")).endsWith("port " + relay.outsidePort());
      assertThat(slow).succeedsWithin(Duration.ofSeconds(5)).isEqualTo("2.05 late");
      assertThat(system.runs()).isEqualTo(runs + 2);
    }
  }

  @Test
  void shouldTellAnObserverWhereItHasMovedUntilItIsRevoked() {
    register(withKey("other", OTHER_KEY));
    try (UdpRelay relay = new UdpRelay(port, number -> false);
        DtlsDevice button = device("button", KEY);
        DtlsDevice other = device("other", OTHER_KEY)) {
      button.asks(relay.port());
      List<String> told = button.observe("watched");
      await().until(() -> told.size() == 1);
      assertThat(told.getFirst()).startsWith("button by coaps");
      relay.rebind();
      assertThat(button.get("any")).endsWith("port " + relay.outsidePort());

      Request upload = new Request(Code.POST);
      upload.setPayload("x");
      assertThat(other.ask(upload, "watched", 5_000)).startsWith("2.04 other by coaps, 1 bytes");
      await().until(() -> told.size() == 2);
      assertThat(told.getLast()).startsWith("other by coaps, 1 bytes");
      assertThat(gateway.get("/q/metrics").body()).contains("tinyfaas_observers 1.0");

      registerOnly(withKey("other", OTHER_KEY));
      await()
          .untilAsserted(
              () ->
                  assertThat(gateway.get("/q/metrics").body()).contains("tinyfaas_observers 0.0"));
    }
  }

  @Test
  void shouldNotKnowADeviceWithoutConnectionIdAtAnotherAddress() {
    try (UdpRelay relay = new UdpRelay(port, number -> false);
        DtlsDevice button =
            DtlsDevice.withKey(
                port,
                "button",
                KEY.getBytes(UTF_8),
                DtlsDevice.settings().set(DtlsConfig.DTLS_CONNECTION_ID_LENGTH, null))) {
      button.asks(relay.port());
      assertThat(button.get("any")).startsWith("2.05 button");
      relay.rebind();
      assertThat(refused(button)).isTrue();
    }
  }

  @Test
  void shouldTakeAndGiveLargeBodies() {
    try (DtlsDevice button = device("button", KEY)) {
      Request upload = new Request(Code.POST);
      upload.setPayload(new byte[20_000]);
      assertThat(button.ask(upload, "locked", 10_000)).startsWith("2.04 button by coaps, 20000");
      assertThat(button.get("locked/size/5000")).isEqualTo("2.05 " + "x".repeat(5_000));
    }
  }

  @Test
  void shouldLiveOnAfterDatagramsThatAreNoDtls() throws IOException {
    Random random = new Random(1);
    try (CoapPeer stranger = new CoapPeer(port)) {
      for (int i = 0; i < 2_000; i++) {
        byte[] datagram = new byte[random.nextInt(200)];
        random.nextBytes(datagram);
        if (i % 2 == 0 && datagram.length > 3) {
          datagram[0] = 22; // a handshake record
          datagram[1] = (byte) 0xfe;
          datagram[2] = (byte) 0xfd;
        }
        stranger.send(datagram);
      }
    }
    try (DtlsDevice button = device("button", KEY)) {
      await().untilAsserted(() -> assertThat(button.get("any")).startsWith("2.05 button"));
    }
  }

  /** libcoap's clients: other implementations of CoAP and of DTLS. */
  @ParameterizedTest
  @ValueSource(strings = {"coap-client-openssl", "coap-client-gnutls"})
  @DisplayName("TD_COAP_DTLS_01, 02: libcoap's clients")
  void shouldKnowLibcoapByItsKey(String client) throws Exception {
    assertThat(ask(client, "locked", "-u", "button", "-k", KEY)).contains("button by coaps");
    assertThat(ask(client, "locked", "-u", "button", "-k", OTHER_KEY)).doesNotContain("by coaps");
    assertThat(ask(client, "locked", "-u", "nobody", "-k", KEY)).doesNotContain("by coaps");
  }

  @ParameterizedTest
  @ValueSource(strings = {"coap-client-openssl", "coap-client-gnutls"})
  void shouldKnowLibcoapByItsCertificate(String client) throws Exception {
    String trusted = folder.resolve("tinyfaas.crt").toString();
    assertThat(ask(client, "locked", "-c", lamp.toString(), "-R", trusted))
        .contains("lamp by coaps");
    Path cow = certificates.issued("barn", "cow-9");
    assertThat(ask(client, "locked", "-c", cow.toString(), "-R", trusted))
        .contains("barn/cow-9 by coaps");
    Path stranger = certificates.selfSigned("intruder");
    assertThat(ask(client, "locked", "-c", stranger.toString(), "-R", trusted))
        .doesNotContain("by coaps");
  }

  private static String ask(String client, String path, String... options) throws Exception {
    List<String> command = new ArrayList<>(List.of(client, "-B", "1", "-v", "6"));
    command.addAll(List.of(options));
    command.add("coaps://127.0.0.1:" + port + "/" + path);
    Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
    String output = new String(process.getInputStream().readAllBytes(), UTF_8);
    assertThat(process.waitFor(20, TimeUnit.SECONDS)).isTrue();
    return output;
  }
}
