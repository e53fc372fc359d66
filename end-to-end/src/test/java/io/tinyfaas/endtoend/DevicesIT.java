package io.tinyfaas.endtoend;

import static io.tinyfaas.harness.Eventually.eventually;
import static io.tinyfaas.harness.Eventually.within;
import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.hamcrest.Matchers.equalTo;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.time.Instant;
import java.util.Base64;
import java.util.Date;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import org.eclipse.californium.core.CoapResponse;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Devices that are registered, prove who they are, and are revoked. */
class DevicesIT {

  @RegisterExtension private static final Installation SYSTEM = Installation.UNIX;
  private static final byte[] WHO =
      Archives.ofFolder("contract/golden/handler/functions/nodejs/headers");
  private static final Map<String, String> FOR_DEVICES =
      Map.of("runtime", "nodejs", "access", "device");

  /** For all tests: one for devices, one for everybody. */
  private static final Functions FUNCTIONS = new Functions(SYSTEM);

  @RegisterExtension private final Devices devices = new Devices(SYSTEM);

  @TempDir private Path folder;

  @BeforeAll
  static void start() {
    FUNCTIONS.deploy("who", FOR_DEVICES, WHO);
    FUNCTIONS.deploy("whoever", WHO);
  }

  @AfterAll
  static void removeFunctions() {
    FUNCTIONS.afterEach(null);
  }

  @ParameterizedTest
  @ValueSource(strings = {Devices.OPENSSL, Devices.GNUTLS})
  void shouldTellAFunctionWhichDeviceAsks(String client) {
    String key = devices.keyOf("button-1");
    String otherKey = (key.startsWith("x") ? "y" : "x") + key.substring(1);

    assertThat(devices.ask(client, "who", "-u", "button-1", "-k", key))
        .contains("x-tinyfaas-device: button-1", "x-tinyfaas-protocol: coaps");
    assertThat(devices.isRefused(client, "who", "-u", "button-1", "-k", otherKey)).isTrue();
    assertThat(devices.isRefused(client, "who", "-u", "button-2", "-k", key)).isTrue();
  }

  @Test
  void shouldRefuseAFunctionForDevicesToEverybodyElse() {
    Device device = new Device(SYSTEM);
    CoapResponse plain = device.get("who");
    device.switchOff();

    assertThat(plain.getCode().text).isEqualTo("4.01");
    assertThat(plain.getResponseText()).contains("use coaps");
    Curl.Answer http = new Curl(SYSTEM, folder).ask("who", "-H", "X-tinyFaaS-Device: button-1");
    assertThat(http.status()).as("HTTP has no way to prove it").isEqualTo(403);
    assertThat(http.text()).doesNotContain("x-tinyfaas");
  }

  @Test
  void shouldLetADeviceInThroughAPublishedPort() {
    Installation tcp = Installation.TCP;
    tcp.start();
    Functions ofTcp = new Functions(tcp);
    Devices devicesOfTcp = new Devices(tcp);
    try {
      ofTcp.deploy("who", FOR_DEVICES, WHO);
      String key = devicesOfTcp.keyOf("button-1");
      assertThat(devicesOfTcp.ask(Devices.GNUTLS, "who", "-u", "button-1", "-k", key))
          .contains("x-tinyfaas-device: button-1");
    } finally {
      devicesOfTcp.afterEach(null);
      ofTcp.afterEach(null);
    }
  }

  @Test
  void shouldBelieveNobodyWhoSaysToBeADevice() {
    Curl.Answer http = new Curl(SYSTEM, folder).ask("whoever", "-H", "X-tinyFaaS-Device: button-1");
    assertThat(http.status()).isEqualTo(200);
    assertThat(http.text()).contains("x-tinyfaas-protocol").doesNotContain("x-tinyfaas-device");
  }

  @Test
  void shouldRefuseADeviceOnceItsRevocationIsAnswered() {
    String key = devices.keyOf("button-1");
    assertThat(devices.ask(Devices.OPENSSL, "who", "-u", "button-1", "-k", key))
        .contains("button-1");

    assertThat(devices.delete("button-1").statusCode()).isEqualTo(204);

    assertThat(devices.isRefused(Devices.OPENSSL, "who", "-u", "button-1", "-k", key)).isTrue();
  }

  @Test
  void shouldKnowDevicesByTheirCertificatesAndBeKnownByItsOwn() throws IOException {
    Path own = folder.resolve("gateway.pem");
    Files.write(
        own, SYSTEM.rest().get("/certificate").then().statusCode(200).extract().asByteArray());
    Path lamp = certificate("lamp", "CA:FALSE");
    devices
        .put("lamp", Map.of(), Files.readAllBytes(folder.resolve("lamp.crt")))
        .then()
        .statusCode(201);
    certificate("barn", "CA:TRUE");
    devices
        .put("barn", Map.of("authority", true), Files.readAllBytes(folder.resolve("barn.crt")))
        .then()
        .statusCode(201);
    Path cow = issued("barn", "cow-7");

    assertThat(devices.ask(Devices.OPENSSL, "who", "-c", lamp.toString(), "-R", own.toString()))
        .contains("x-tinyfaas-device: lamp");
    assertThat(devices.ask(Devices.GNUTLS, "who", "-c", cow.toString(), "-R", own.toString()))
        .contains("x-tinyfaas-device: barn/cow-7");
    Path stranger = certificate("stranger", "CA:FALSE");
    assertThat(
            devices.isRefused(
                Devices.OPENSSL, "who", "-c", stranger.toString(), "-R", own.toString()))
        .isTrue();
  }

  /** A box without a clock of its own makes it before it knows the date. */
  @Test
  void shouldHaveACertificateThatIsValidWhateverTheClockSays() throws Exception {
    byte[] pem = SYSTEM.rest().get("/certificate").asByteArray();
    X509Certificate own =
        (X509Certificate)
            CertificateFactory.getInstance("X.509")
                .generateCertificate(new ByteArrayInputStream(pem));

    assertThatCode(() -> own.checkValidity(Date.from(Instant.parse("1970-01-01T00:01:00Z"))))
        .doesNotThrowAnyException();
    assertThatCode(() -> own.checkValidity(Date.from(Instant.parse("2049-12-31T23:00:00Z"))))
        .doesNotThrowAnyException();
  }

  /**
   * @return a PEM file with key and certificate
   */
  private Path certificate(String name, String constraints) throws IOException {
    openssl(
        "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=%1$s"
            .formatted(name),
        "-addext basicConstraints=critical,%s -keyout %2$s.key -out %2$s.crt"
            .formatted(constraints, name));
    return joined(name);
  }

  private Path issued(String authority, String name) throws IOException {
    openssl(
        "req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=%1$s".formatted(name),
        "-keyout %1$s.key -out %1$s.csr".formatted(name));
    openssl(
        "x509 -req -in %1$s.csr -CA %2$s.crt -CAkey %2$s.key".formatted(name, authority),
        "-set_serial 1 -days 2 -out %1$s.crt".formatted(name));
    return joined(name);
  }

  private Path joined(String name) throws IOException {
    return Files.writeString(
        folder.resolve(name + ".pem"),
        Files.readString(folder.resolve(name + ".key"))
            + Files.readString(folder.resolve(name + ".crt")));
  }

  private void openssl(String... arguments) {
    String command = "cd '" + folder + "' && openssl " + String.join(" ", arguments);
    SYSTEM.run(Duration.ofMinutes(1), "sh", "-c", command);
  }

  @Test
  void shouldKeepDevicesOverARestartOfManagerAndGateway() {
    String key = devices.keyOf("button-1");

    SYSTEM.compose("restart", "gateway", "manager");
    SYSTEM.awaitManager();

    within(Duration.ofMinutes(1))
        .ignoreExceptions()
        .untilAsserted(
            () ->
                assertThat(devices.ask(Devices.OPENSSL, "who", "-u", "button-1", "-k", key))
                    .contains("x-tinyfaas-device: button-1"));
    SYSTEM.rest().get("/devices/button-1").then().statusCode(200).body("state", equalTo("active"));
    assertThat(devices.delete("button-1").statusCode()).isEqualTo(204);
    assertThat(devices.isRefused(Devices.OPENSSL, "who", "-u", "button-1", "-k", key)).isTrue();
  }

  @Test
  void shouldNotGiveAKeyAwayByACopyOfTheStoreOrTheBroker() throws IOException {
    byte[] key = devices.keyOf("button-1").getBytes(UTF_8);
    List<String> forms =
        List.of(
            new String(key, UTF_8),
            HexFormat.of().formatHex(key),
            Base64.getEncoder().encodeToString(key).replaceAll("=+$", ""));

    Path broker = SYSTEM.volume("broker-data");
    // One and the same copy: the broker replaces its file whenever something changes.
    String copy = eventually().until(() -> content(broker), all -> all.contains("button-1"));
    assertThat(copy).doesNotContain(forms);
    assertThat(content(SYSTEM.volume("store"))).contains("button-1").doesNotContain(forms);
    assertThat(content(SYSTEM.volume("manager-secrets"))).doesNotContain(forms);
  }

  private static String content(Path volume) throws IOException {
    StringBuilder all = new StringBuilder();
    Files.walkFileTree(
        volume,
        new SimpleFileVisitor<>() {
          @Override
          public FileVisitResult visitFile(Path file, BasicFileAttributes attributes)
              throws IOException {
            if (attributes.isRegularFile()) {
              try {
                all.append(file).append(Files.readString(file, ISO_8859_1));
              } catch (NoSuchFileException e) {
                // It has been replaced.
              }
            }
            return FileVisitResult.CONTINUE;
          }

          @Override
          public FileVisitResult visitFileFailed(Path file, IOException failure)
              throws IOException {
            if (failure instanceof NoSuchFileException) {
              return FileVisitResult.CONTINUE;
            }
            throw failure;
          }
        });
    return all.toString();
  }
}
