package io.tinyfaas.manager.api;

import static io.restassured.RestAssured.given;
import static org.assertj.core.api.Assertions.assertThat;
import static org.hamcrest.Matchers.containsString;
import static org.hamcrest.Matchers.empty;
import static org.hamcrest.Matchers.equalTo;
import static org.hamcrest.Matchers.hasSize;
import static org.hamcrest.Matchers.matchesPattern;
import static org.hamcrest.Matchers.not;

import io.quarkus.test.junit.QuarkusTest;
import io.quarkus.test.junit.TestProfile;
import io.restassured.common.mapper.TypeRef;
import io.restassured.response.ValidatableResponse;
import io.restassured.specification.RequestSpecification;
import io.tinyfaas.contract.device.DeviceCredential;
import io.tinyfaas.contract.device.KeySeal;
import io.tinyfaas.manager.device.PlayedDevicePublisher;
import io.tinyfaas.manager.store.DeviceStore;
import io.tinyfaas.manager.store.StoredDevice;
import jakarta.inject.Inject;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@QuarkusTest
@TestProfile(WithoutEngine.class)
class DeviceResourceTest {

  private static final String PEM = "application/x-pem-file";
  private static final TypeRef<Map<String, String>> STRINGS = new TypeRef<>() {};
  private static final Path STORE = Path.of("target/api-test-store/devices");

  @Inject DeviceStore store;
  @Inject PlayedDevicePublisher gateway;

  @AfterEach
  void removeDevices() {
    gateway.is(true, true);
    store.list().stream().map(StoredDevice::name).forEach(store::remove);
  }

  private static RequestSpecification call() {
    return given()
        .header("Authorization", "Bearer a-token-for-tests-only")
        .config(RestCalls.asText(PEM));
  }

  private static String read(String certificate) {
    try {
      return Files.readString(Path.of("src/test/resources", certificate));
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }

  private static ValidatableResponse certified(String nameAndQuery, String pem) {
    return call().contentType(PEM).body(pem).put("/devices/" + nameAndQuery).then();
  }

  @Test
  void shouldShowANewKeyOnceAndStoreItSealed() throws IOException {
    Map<String, String> device =
        call()
            .put("/devices/button-1")
            .then()
            .statusCode(201)
            .header("Location", containsString("/devices/button-1"))
            .body("name", equalTo("button-1"))
            .body("kind", equalTo("key"))
            .body("state", equalTo("active"))
            .body("created", matchesPattern("\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\dZ"))
            .body("key", matchesPattern("[A-Za-z0-9_-]{22}"))
            .body("keyHex", matchesPattern("[0-9a-f]{44}"))
            .extract()
            .as(STRINGS);
    String shown = call().get("/devices/button-1").then().statusCode(200).extract().asString();
    String listed = call().get("/devices").then().body("", hasSize(1)).extract().asString();
    String stored = Files.readString(STORE.resolve("button-1.json"));
    for (String text : List.of(shown, listed, stored)) {
      assertThat(text).doesNotContain(device.get("key"), device.get("keyHex"), "keyHex");
    }
  }

  @Test
  void shouldTakeAKeyThatTheDeviceHasAlready() {
    call()
        .contentType("application/json")
        .body("{\"keyHex\":\"00112233445566778899aabbccddeeff\"}")
        .put("/devices/old")
        .then()
        .statusCode(201)
        .body("keyHex", equalTo("00112233445566778899aabbccddeeff"))
        .body("key", equalTo(null));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "{}",
        "[]",
        "{\"keyHex\":\"00\"}",
        "{\"keyHex\":\"0011223344556677889900112233445g\"}",
        "{\"keyHex\":1}",
        "{\"keyHex\":\"00112233445566778899aabbccddeeff\",\"more\":1}",
        "{"
      })
  void shouldRefuseWhatIsNoKey(String body) {
    call()
        .contentType("application/json")
        .body(body)
        .put("/devices/a")
        .then()
        .statusCode(400)
        .body("type", equalTo("urn:tinyfaas:problem:invalid-request"));
    assertThat(store.list()).isEmpty();
  }

  @Test
  void shouldKeepWhatADeviceMayPublishAndSubscribe() throws IOException {
    call()
        .contentType("application/json")
        .body("{\"mqtt\":{\"publish\":[\"shed/7/#\"],\"subscribe\":[\"shed/+/set\"]}}")
        .put("/devices/sensor-7")
        .then()
        .statusCode(201)
        .body("kind", equalTo("key"))
        .body("key", matchesPattern("[A-Za-z0-9_-]{22}"))
        .body("mqtt.publish", equalTo(List.of("shed/7/#")));
    call()
        .get("/devices/sensor-7")
        .then()
        .statusCode(200)
        .body("mqtt.publish", equalTo(List.of("shed/7/#")))
        .body("mqtt.subscribe", equalTo(List.of("shed/+/set")));
    assertThat(Files.readString(STORE.resolve("sensor-7.json")))
        .contains("\"mqtt\":{\"publish\":[\"shed/7/#\"],\"subscribe\":[\"shed/+/set\"]}");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "{\"mqtt\":1}",
        "{\"mqtt\":{\"publish\":\"a\"}}",
        "{\"mqtt\":{\"publish\":[1]}}",
        "{\"mqtt\":{\"publish\":[\"a#\"]}}",
        "{\"mqtt\":{\"subscribe\":[\"\"]}}",
        "{\"mqtt\":{\"subscribe\":[\"$SYS/#\"]}}",
        "{\"mqtt\":{\"both\":[]}}"
      })
  void shouldRefuseTopicsThatAreNone(String body) {
    call()
        .contentType("application/json")
        .body(body)
        .put("/devices/a")
        .then()
        .statusCode(400)
        .body("field", containsString("mqtt"));
    assertThat(store.list()).isEmpty();
  }

  @Test
  void shouldRegisterACertificateAndAnAuthority() {
    certified("lamp", read("lamp.crt"))
        .statusCode(201)
        .body("kind", equalTo("certificate"))
        .body("subject", equalTo("CN=lamp"))
        .body("fingerprint", matchesPattern("[0-9a-f]{64}"))
        .body("expires", containsString("T"))
        .body("key", equalTo(null));
    certified("barn?authority=true", read("authority.crt"))
        .statusCode(201)
        .body("kind", equalTo("authority"))
        .body("subject", equalTo("CN=barn,O=Farm"))
        .body("fingerprint", equalTo(null));
  }

  @Test
  void shouldRefuseACertificateThatTheGatewayCannotUse() {
    certified("a", "no certificate").statusCode(400).body("field", equalTo("certificate"));
    certified("a", "-----BEGIN PRIVATE KEY-----\n" + read("lamp.crt"))
        .statusCode(400)
        .body("detail", containsString("private key"));
    certified("a", read("rsa.crt")).statusCode(400).body("detail", containsString("P-256"));
    certified("a", read("lamp.crt") + read("authority.crt"))
        .statusCode(400)
        .body("detail", containsString("2 certificates"));
    certified("a?authority=true", read("lamp.crt"))
        .statusCode(400)
        .body("detail", containsString("CA:TRUE"));
    certified("a?authority=maybe", read("lamp.crt")).statusCode(400);
    certified("a?other=1", read("lamp.crt")).statusCode(400).body("field", equalTo("other"));
    certified("a", "x".repeat(12_001)).statusCode(400);
    call().contentType("text/plain").body("x").put("/devices/a").then().statusCode(415);
    call().put("/devices/a?authority=true").then().statusCode(415);
    assertThat(store.list()).isEmpty();
  }

  @ParameterizedTest
  @ValueSource(strings = {".a", "a%2Fb", "a%20b", "-"})
  void shouldRefuseAName(String name) {
    call().urlEncodingEnabled(false).put("/devices/" + name).then().statusCode(not(equalTo(201)));
    assertThat(store.list()).isEmpty();
  }

  @Test
  void shouldRefuseASecondOfTheName() {
    call().put("/devices/a").then().statusCode(201);

    call()
        .put("/devices/a")
        .then()
        .statusCode(409)
        .body("type", equalTo("urn:tinyfaas:problem:device-exists"));
  }

  @Test
  void shouldRevoke() {
    call().put("/devices/a").then().statusCode(201);

    call().delete("/devices/a").then().statusCode(204);

    call().get("/devices").then().body("", empty());
    call()
        .get("/devices/a")
        .then()
        .statusCode(404)
        .body("type", equalTo("urn:tinyfaas:problem:unknown-device"));
    call().delete("/devices/a").then().statusCode(404);
  }

  @Test
  void shouldRegisterNothingWhileTheGatewayIsAwayButRevoke() {
    call().put("/devices/a").then().statusCode(201);
    gateway.is(false, false);

    call().put("/devices/b").then().statusCode(503);
    call().get("/devices/a").then().body("state", equalTo("pending"));
    call().delete("/devices/a").then().statusCode(202).body("state", equalTo("pending"));
    assertThat(store.list()).isEmpty();
  }

  @Test
  void shouldSayThatAKeyIsLost() throws IOException {
    call().put("/devices/a").then().statusCode(201);
    StoredDevice device = store.list().getFirst();
    store.remove(device.name());
    store.add(
        new StoredDevice(
            device.name(),
            new DeviceCredential.Psk(new KeySeal(new byte[32]).seal(device.name(), new byte[16])),
            device.created(),
            "",
            ""));

    call().get("/devices/a").then().body("state", equalTo("key-lost"));
  }

  @Test
  void shouldShowTheGatewaysCertificate() {
    call()
        .get("/certificate")
        .then()
        .statusCode(200)
        .contentType(PEM)
        .body(equalTo(read("lamp.crt")));
  }

  @Test
  void shouldAskForTheToken() {
    for (String path : Stream.of("/devices", "/devices/a", "/certificate").toList()) {
      given().get(path).then().statusCode(401);
    }
    given().put("/devices/a").then().statusCode(401);
    given().delete("/devices/a").then().statusCode(401);
  }
}
