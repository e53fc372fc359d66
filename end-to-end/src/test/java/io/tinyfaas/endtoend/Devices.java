package io.tinyfaas.endtoend;

import static io.tinyfaas.harness.Eventually.patient;
import static org.assertj.core.api.Assertions.assertThat;

import io.restassured.response.Response;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.extension.AfterEachCallback;
import org.junit.jupiter.api.extension.ExtensionContext;

/** The devices of a test, registered by REST and revoked when it has ended; libcoap speaks. */
final class Devices implements AfterEachCallback {

  /** libcoap over OpenSSL, and over GnuTLS. */
  static final String OPENSSL = "coap-client-openssl";

  static final String GNUTLS = "coap-client-gnutls";

  private static final Duration PATIENCE = Duration.ofSeconds(15);

  /** For an answer that must not come. */
  static final Duration A_MOMENT = Duration.ofSeconds(1);

  private final Installation system;
  private final Set<String> names = new LinkedHashSet<>();

  Devices(Installation system) {
    this.system = system;
  }

  Response put(String name) {
    names.add(name);
    return system.rest().put("/devices/{name}", name);
  }

  /** With a key that the device has already. */
  Response putWithKey(String name, String key) {
    names.add(name);
    String hex = HexFormat.of().formatHex(key.getBytes(StandardCharsets.US_ASCII));
    return system
        .rest()
        .contentType("application/json")
        .body("{\"keyHex\":\"" + hex + "\"}")
        .put("/devices/{name}", name);
  }

  /**
   * With a key that is made for it.
   *
   * @param topics what it may publish and subscribe besides, in JSON
   */
  Response putWithTopics(String name, String topics) {
    names.add(name);
    return system
        .rest()
        .contentType("application/json")
        .body("{\"mqtt\":" + topics + "}")
        .put("/devices/{name}", name);
  }

  /** With a certificate in PEM, or an authority's. */
  Response put(String name, Map<String, ?> query, byte[] pem) {
    names.add(name);
    return system
        .rest()
        .queryParams(query)
        .contentType("application/x-pem-file")
        .body(pem)
        .put("/devices/{name}", name);
  }

  /** Registers a device and returns its key. */
  String keyOf(String name) {
    return put(name).then().statusCode(201).extract().path("key");
  }

  Response delete(String name) {
    return system.rest().delete("/devices/{name}", name);
  }

  /** What the client prints. */
  String ask(String client, String path, String... who) {
    return ask(client, system.coapsUri(path), patient(PATIENCE), who);
  }

  /** Whether a function that shows its headers has not been reached as a device. */
  boolean isRefused(String client, String path, String... who) {
    return !ask(client, system.coapsUri(path), A_MOMENT, who).contains("x-tinyfaas-device");
  }

  /**
   * @param time until the client gives up, in whole seconds
   */
  String ask(String client, String uri, Duration time, String... who) {
    List<String> command = new ArrayList<>(List.of(client, "-v", "0"));
    command.addAll(List.of("-B", Long.toString(time.toSeconds())));
    command.addAll(List.of(who));
    command.add(uri);
    return String.join("\n", system.run(time.plusSeconds(30), command.toArray(String[]::new)));
  }

  @Override
  public void afterEach(ExtensionContext context) {
    for (String name : names) {
      assertThat(delete(name).statusCode()).as("DELETE of " + name).isIn(204, 404);
    }
    names.clear();
  }
}
