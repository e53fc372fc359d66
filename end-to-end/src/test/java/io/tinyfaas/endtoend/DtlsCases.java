package io.tinyfaas.endtoend;

import static io.tinyfaas.harness.Eventually.eventually;
import static io.tinyfaas.harness.Eventually.patient;
import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.stream.IntStream;

/**
 * TD_COAP_DTLS of the ETSI CoAP test descriptions (CoAP#4), with keys. Their resource is {@code
 * /secure}, by DTLS only.
 */
final class DtlsCases {

  private static final String RESOURCE = "secure";
  private static final String NAME = "password";
  private static final String SECRET = "a secret for " + NAME;

  /** The key of the description, "sesame", is shorter than ours may be. */
  private static final String KEY = "sesame-sesame-sesame";

  private static final int CHANGE_CIPHER_SPEC = 20;
  private static final int APPLICATION_DATA = 23;
  private static final int HEADER_BYTES = 13;

  /**
   * Of a handshake that nothing is lost of, in each direction; the request's and answer's apart.
   */
  private static final int FLIGHTS = 3;

  private static final Duration ANSWER = Duration.ofSeconds(20);

  /** More than a device needs to come as far as its key matters. */
  private static final Duration NO_ANSWER = Duration.ofSeconds(2);

  private final PlugtestServer server;
  private final Devices devices;

  DtlsCases(PlugtestServer server) {
    this.server = server;
    this.devices = new Devices(server.system());
  }

  List<ConformanceCase> all() {
    server.offer(RESOURCE, Map.of("access", "device"));
    devices.putWithKey(NAME, KEY).then().statusCode(201);
    return List.of(
        one("01", "a device with its key", Devices.OPENSSL, this::success),
        one("01", "a device with its key", Devices.GNUTLS, this::success),
        one(
            "02",
            "a device with a wrong key, which gets no answer",
            Devices.OPENSSL,
            this::wrongKey),
        one(
            "02",
            "a device with a wrong key, which gets no answer",
            Devices.GNUTLS,
            this::wrongKey),
        one("03", "each datagram of a handshake is lost once", Devices.OPENSSL, this::lossy));
  }

  void withdraw() {
    devices.afterEach(null);
  }

  private static ConformanceCase one(
      String number, String objective, String client, Consumer<String> check) {
    String by = client.equals(Devices.OPENSSL) ? "libcoap, OpenSSL" : "libcoap, GnuTLS";
    return new ConformanceCase("TD_COAP_DTLS_" + number, objective, by, () -> check.accept(client));
  }

  private record Run(String displayed, List<Wire.Datagram> datagrams) {

    /** Those of DTLS, one datagram may have several. */
    List<byte[]> records(boolean fromClient) {
      List<byte[]> records = new ArrayList<>();
      for (Wire.Datagram datagram : datagrams) {
        ByteBuffer bytes = ByteBuffer.wrap(datagram.bytes());
        while (datagram.fromClient() == fromClient && bytes.remaining() > HEADER_BYTES) {
          int length = bytes.getShort(bytes.position() + HEADER_BYTES - 2) & 0xffff;
          byte[] record = new byte[HEADER_BYTES + length];
          bytes.get(record);
          records.add(record);
        }
      }
      return records;
    }

    boolean has(boolean fromClient, int type) {
      return records(fromClient).stream().anyMatch(record -> record[0] == type);
    }
  }

  private Run ask(Wire.Loss loss, String client, String key, Duration time) {
    try (Wire wire = new Wire(server.system().coapsPort(), loss)) {
      String uri = "coaps://127.0.0.1:" + wire.port() + "/" + RESOURCE;
      String displayed = devices.ask(client, uri, time, "-u", NAME, "-k", key);
      return new Run(displayed, wire.passed());
    }
  }

  private void success(String client) {
    Run run = ask(Wire.NONE, client, KEY, patient(ANSWER));

    assertThat(run.displayed()).contains(SECRET);
    assertThat(run.has(true, CHANGE_CIPHER_SPEC)).isTrue();
    assertThat(run.has(false, CHANGE_CIPHER_SPEC)).isTrue();
    assertThat(run.has(true, APPLICATION_DATA)).isTrue();
    assertThat(run.has(false, APPLICATION_DATA)).isTrue();
  }

  /** An alert, which the description has here, would tell a known name from an unknown one. */
  private void wrongKey(String client) {
    Run run =
        eventually()
            .until(
                () -> ask(Wire.NONE, client, "wrong-wrong-wrong", NO_ANSWER),
                asked -> asked.has(true, CHANGE_CIPHER_SPEC));

    assertThat(run.displayed()).doesNotContain(SECRET);
    assertThat(run.has(false, APPLICATION_DATA)).isFalse();
  }

  private void lossy(String client) {
    IntStream.rangeClosed(1, FLIGHTS).forEach(lost -> lossy(client, true, lost));
    IntStream.rangeClosed(1, FLIGHTS).forEach(lost -> lossy(client, false, lost));
  }

  private void lossy(String client, boolean fromClient, int lost) {
    Run run =
        ask((from, number) -> from == fromClient && number == lost, client, KEY, patient(ANSWER));

    assertThat(run.displayed())
        .as("datagram %d, from client: %s", lost, fromClient)
        .contains(SECRET);
    assertThat(run.datagrams()).anyMatch(Wire.Datagram::lost);
  }
}
