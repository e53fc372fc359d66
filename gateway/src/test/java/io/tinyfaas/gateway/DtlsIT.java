package io.tinyfaas.gateway;

import static io.tinyfaas.gateway.DtlsGateway.KEY;
import static io.tinyfaas.gateway.DtlsGateway.OTHER_KEY;
import static io.tinyfaas.gateway.DtlsGateway.refused;
import static io.tinyfaas.gateway.DtlsGateway.withKey;
import static io.tinyfaas.harness.Eventually.eventually;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.tinyfaas.contract.control.Revision;
import io.tinyfaas.harness.Command;
import io.tinyfaas.harness.Eventually;
import io.tinyfaas.harness.flood.HalfHandshake;
import java.io.IOException;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.eclipse.californium.core.coap.CoAP.Code;
import org.eclipse.californium.core.coap.Request;
import org.eclipse.californium.scandium.config.DtlsConfig;
import org.eclipse.californium.scandium.dtls.cipher.CipherSuite;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Devices that prove who they are: with Scandium, and with libcoap over OpenSSL and GnuTLS. */
class DtlsIT {

  @TempDir static Path folder;
  private static DtlsGateway gateway;

  @BeforeAll
  static void start() throws IOException {
    gateway = new DtlsGateway(folder);
    assertThat(gateway.process().log()).noneMatch(line -> line.contains("coaps-started"));
  }

  @BeforeEach
  void registerAll() {
    gateway.register();
  }

  @AfterAll
  static void stop() {
    gateway.close();
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
            gateway.port(),
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

  /** The manager answers a registration when the gateway says that it heeds it. */
  @Test
  void shouldHeedTheFirstDeviceWhenItMayConnect(@TempDir Path other) throws IOException {
    DatagramSocket taken = new DatagramSocket(0, InetAddress.getLoopbackAddress());
    int port = taken.getLocalPort();
    try (DtlsGateway deaf = new DtlsGateway(other, Map.of("COAPS_PORT", Integer.toString(port)))) {
      Revision before = deaf.manager().heard().getLast().devices();
      deaf.manager().publishDevices(1, 1, DtlsGateway.withKey("button", KEY));
      Eventually.within(Duration.ofSeconds(20))
          .until(
              () -> deaf.process().log().stream().anyMatch(line -> line.contains("coaps-failed")));
      deaf.manager().apply(1, 2); // after which it says all that it heeds
      assertThat(deaf.manager().heard().getLast().devices()).isEqualTo(before);

      taken.close();
      deaf.manager().applyDevices(1, 2, DtlsGateway.withKey("button", KEY));
      try (DtlsDevice device = DtlsDevice.withKey(port, "button", KEY.getBytes(UTF_8))) {
        assertThat(device.get("nobody")).isEqualTo("4.04 no such function");
      }
    } finally {
      taken.close();
    }
  }

  @Test
  @DisplayName("TD_COAP_DTLS_02: a device with a wrong key")
  void shouldRefuseAWrongKeyAndAnUnknownName() {
    int runs = gateway.runs();
    try (DtlsDevice wrong = gateway.device("button", OTHER_KEY);
        DtlsDevice unknown = gateway.device("nobody", KEY);
        DtlsDevice certified = gateway.device("lamp", KEY)) {
      assertThat(List.of(wrong, unknown, certified)).allMatch(DtlsGateway::refused);
    }
    assertThat(gateway.runs()).isEqualTo(runs);
  }

  @Test
  @DisplayName("TD_COAP_DTLS_03: a handshake of which datagrams are lost")
  void shouldComeThroughAHandshakeThatLosesDatagrams() {
    try (UdpRelay relay = new UdpRelay(gateway.port(), number -> number % 3 == 0 && number < 12);
        DtlsDevice device = gateway.device("button", KEY)) {
      device.asks(relay.port());
      assertThat(device.get("locked")).startsWith("2.05 button");
    }
  }

  @Test
  void shouldKnowADeviceByItsCertificate() {
    try (DtlsDevice device = gateway.device(gateway.lamp())) {
      assertThat(device.get("locked")).startsWith("2.05 lamp by coaps");
    }
  }

  @Test
  void shouldKnowADeviceByTheAuthorityOfItsCertificate() {
    Path cow = gateway.certificates().issued("barn", "cow-7");
    try (DtlsDevice device = gateway.device(cow)) {
      assertThat(device.get("locked")).startsWith("2.05 barn/cow-7 by coaps");
    }
  }

  @Test
  void shouldRefuseACertificateOfNobody() {
    Path stranger = gateway.certificates().selfSigned("stranger");
    Path sameName = gateway.certificates().selfSigned("barn-2", "-subj", "/CN=barn");
    try (DtlsDevice unknown = gateway.device(stranger);
        DtlsDevice issued = gateway.device(gateway.certificates().issued("barn-2", "cow-8"));
        DtlsDevice alike = gateway.device(sameName)) {
      assertThat(List.of(unknown, issued, alike)).allMatch(DtlsGateway::refused);
    }
  }

  @Test
  void shouldRefuseARevokedDeviceFromWhenTheTableWithoutItIsConfirmed() {
    try (DtlsDevice button = gateway.device("button", KEY);
        DtlsDevice other = gateway.device("other", OTHER_KEY)) {
      gateway.register(withKey("other", OTHER_KEY));
      assertThat(button.get("any")).startsWith("2.05 button");
      assertThat(other.get("any")).startsWith("2.05 other");

      gateway.registerOnly(withKey("other", OTHER_KEY));
      int runs = gateway.runs();
      assertThat(refused(button)).isTrue();
      try (DtlsDevice again = gateway.device("button", KEY)) {
        assertThat(refused(again)).isTrue();
      }
      assertThat(gateway.runs()).isEqualTo(runs);
      assertThat(other.get("any")).startsWith("2.05 other");
    }
  }

  @Test
  void shouldEndTheSessionOfADeviceWhoseKeyIsAnother() {
    try (DtlsDevice button = gateway.device("button", KEY)) {
      assertThat(button.get("any")).startsWith("2.05 button");
      gateway.registerOnly(withKey("button", OTHER_KEY));
      assertThat(refused(button)).isTrue();
    }
    try (DtlsDevice button = gateway.device("button", OTHER_KEY)) {
      assertThat(button.get("any")).startsWith("2.05 button");
    }
  }

  @Test
  void shouldTakeAndGiveLargeBodies() {
    try (DtlsDevice button = gateway.device("button", KEY)) {
      Request upload = new Request(Code.POST);
      upload.setPayload(new byte[20_000]);
      assertThat(button.ask(upload, "locked")).startsWith("2.04 button by coaps, 20000");
      assertThat(button.get("locked/size/5000")).isEqualTo("2.05 " + "x".repeat(5_000));
    }
  }

  @Test
  void shouldLiveOnAfterDatagramsThatAreNoDtls() throws IOException {
    Random random = new Random(1);
    try (CoapPeer stranger = new CoapPeer(gateway.port())) {
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
    try (DtlsDevice button = gateway.device("button", KEY)) {
      eventually().untilAsserted(() -> assertThat(button.get("any")).startsWith("2.05 button"));
    }
  }

  @ParameterizedTest
  @MethodSource("io.tinyfaas.gateway.ingress.coap.dtls.NamelessHelloTest#unreadableNames")
  @DisplayName("RFC 6066 3: a server name that is no DNS name is passed over")
  void shouldPassOverAServerNameThatIsNone(byte[] extension) throws IOException {
    try (HalfHandshake device =
        new HalfHandshake(InetAddress.getLoopbackAddress(), gateway.port(), extension)) {
      assertThat(device.isAnswered()).isTrue();
    }
  }

  /** Whose server name is what stands between the brackets. */
  @ParameterizedTest
  @ValueSource(strings = {"coap-client-openssl", "coap-client-gnutls"})
  void shouldServeLibcoapByAnIpv6Address(String client, @TempDir Path other) throws IOException {
    try (DtlsGateway six = new DtlsGateway(other, Map.of("TINYFAAS_COAP_HOST", "::1"))) {
      six.register();
      assertThat(ask(client, "[::1]", six)).contains("button by coaps");
    }
  }

  /** libcoap hears no other address than the one that it asked. */
  @Test
  void shouldAnswerFromTheAddressThatWasAsked(@TempDir Path other) throws IOException {
    try (DtlsGateway all = new DtlsGateway(other, Map.of("TINYFAAS_COAP_HOST", "0.0.0.0"))) {
      all.register();
      for (String address : List.of("127.0.0.1", "127.1.2.3", "127.0.0.1", "127.1.2.3")) {
        assertThat(ask("coap-client-openssl", address, all)).contains("button by coaps");
      }
    }
  }

  private static String ask(String client, String address, DtlsGateway gateway) {
    String uri = "coaps://" + address + ":" + gateway.port() + "/any";
    return Command.of(client, "-B", "90", "-u", "button", "-k", KEY, uri)
        .within(Duration.ofMinutes(2))
        .run()
        .output();
  }

  /** libcoap's clients: other implementations of CoAP and of DTLS. */
  @ParameterizedTest
  @ValueSource(strings = {"coap-client-openssl", "coap-client-gnutls"})
  @DisplayName("TD_COAP_DTLS_01, 02: libcoap's clients")
  void shouldKnowLibcoapByItsKey(String client) throws Exception {
    assertThat(ask(client, "locked", "-u", "button", "-k", KEY)).contains("button by coaps");
    assertThat(askInVain(client, "locked", "-u", "button", "-k", OTHER_KEY))
        .doesNotContain("by coaps");
    assertThat(askInVain(client, "locked", "-u", "nobody", "-k", KEY)).doesNotContain("by coaps");
  }

  @ParameterizedTest
  @ValueSource(strings = {"coap-client-openssl", "coap-client-gnutls"})
  void shouldKnowLibcoapByItsCertificate(String client) throws Exception {
    String trusted = folder.resolve("tinyfaas.crt").toString();
    assertThat(ask(client, "locked", "-c", gateway.lamp().toString(), "-R", trusted))
        .contains("lamp by coaps");
    Path cow = gateway.certificates().issued("barn", "cow-9");
    assertThat(ask(client, "locked", "-c", cow.toString(), "-R", trusted))
        .contains("barn/cow-9 by coaps");
    Path stranger = gateway.certificates().selfSigned("intruder");
    assertThat(askInVain(client, "locked", "-c", stranger.toString(), "-R", trusted))
        .doesNotContain("by coaps");
  }

  private static String ask(String client, String path, String... options) {
    return ask(client, 90, path, options);
  }

  /** Waits for a second. */
  private static String askInVain(String client, String path, String... options) {
    return ask(client, 1, path, options);
  }

  private static String ask(String client, int seconds, String path, String... options) {
    List<String> command = new ArrayList<>(List.of(client, "-B", "" + seconds, "-v", "6"));
    command.addAll(List.of(options));
    command.add("coaps://127.0.0.1:" + gateway.port() + "/" + path);
    return Command.of(command).within(Duration.ofMinutes(2)).run().output();
  }
}
