package io.tinyfaas.endtoend;

import static io.tinyfaas.harness.Eventually.eventually;
import static io.tinyfaas.harness.Eventually.patient;
import static io.tinyfaas.harness.Eventually.within;
import static java.nio.charset.StandardCharsets.US_ASCII;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.restassured.response.Response;
import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.eclipse.californium.core.CoapResponse;
import org.eclipse.californium.core.coap.CoAP.ResponseCode;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** An installation with other limits than the default ones, so that they are reached soon. */
class SmallBoxIT {

  @RegisterExtension private static final Installation SYSTEM = Installation.SMALL;

  /** For what ends uploads after 20 s. */
  private static final Duration ENDED = Duration.ofSeconds(60);

  private static final int MEBIBYTE = 1024 * 1024;

  @RegisterExtension private final Functions functions = new Functions(SYSTEM);

  @RegisterExtension private final Device device = new Device(SYSTEM);

  @AfterAll
  static void remove() {
    SYSTEM.remove();
  }

  /** The disk takes 8 MiB. */
  @Test
  void shouldRefuseWhatTheDiskHasNoRoomForAndServeOn() {
    functions.deploy("first", Archives.ofSize(5 * MEBIBYTE));
    List<String> before = SYSTEM.inventory();

    Problems.assertProblem(
        functions.put("second", Archives.ofSize(4 * MEBIBYTE)),
        507,
        "disk-full",
        "Delete functions");
    Problems.assertProblem(
        functions.put("first", Archives.ofSize(4 * MEBIBYTE)),
        507,
        "disk-full",
        "Delete functions");
    Response form =
        SYSTEM
            .rest()
            .multiPart("spec", "{\"runtime\":\"nodejs\"}")
            .multiPart("archive", "f.zip", Archives.ofSize(4 * MEBIBYTE), "application/zip")
            .put("/functions/second");
    Problems.assertProblem(form, 507, "disk-full", "Delete functions");

    awaitInventory(before);
    assertThat(device.get("first").getResponseText()).isEqualTo("bad");
    functions.get("second").then().statusCode(404);
    SYSTEM.rest().get("/q/health/ready").then().statusCode(200);

    functions.delete("first").then().statusCode(204);
    functions.put("second", Archives.ofSize(4 * MEBIBYTE)).then().statusCode(201);
  }

  /** Not a byte is left: who wants to make room by deleting a function has to be able to. */
  @Test
  void shouldDeleteFunctionsOnADiskWithoutAnyRoom() {
    functions.deploy("first", Code.answering("1"));
    functions.deploy("first", Code.answering("first"));
    functions.deploy("second", Code.answering("second"));
    List<String> before = SYSTEM.inventory();
    inTheStore("dd if=/dev/zero of=filler bs=4k 2>/dev/null; :");
    try {
      Problems.assertProblem(functions.put("third", Code.answering("3")), 507, "disk-full");
      Problems.assertProblem(functions.patch("first", "{\"handlers\": 2}"), 507, "disk-full");
      Problems.assertProblem(SYSTEM.rest().post("/functions/first/rollback"), 507, "disk-full");
      assertThat(device.get("first").getResponseText()).isEqualTo("first");

      functions.delete("second").then().statusCode(204);

      assertThat(functions.traces("second")).isEmpty();
      assertThat(functions.traces("third")).isEmpty();
      assertThat(device.get("first").getResponseText()).isEqualTo("first");
    } finally {
      inTheStore("rm filler");
    }
    functions.put("second", Code.answering("second")).then().statusCode(201);
    assertThat(SYSTEM.inventory()).hasSameSizeAs(before);
  }

  /** As when a box whose disk is full loses its power: what is deployed comes back. */
  @Test
  void shouldComeBackOnADiskWithoutAnyRoom() {
    functions.deploy("first", Code.answering("first"));
    functions.deploy("second", Code.answering("second"));
    // The disk of the small box lasts as long as somebody has it.
    String keeper =
        SYSTEM
            .docker(
                "run",
                "--detach",
                "--volume=" + SYSTEM.project() + "_store:/store",
                "debian:trixie-slim",
                "sleep",
                "infinity")
            .getFirst();
    try {
      SYSTEM.docker("exec", keeper, "sh", "-c", "dd if=/dev/zero of=/store/filler bs=4k; :");
      SYSTEM.docker("kill", SYSTEM.container("manager"));
      SYSTEM.handlers("first").forEach(handler -> SYSTEM.docker("kill", handler));
      SYSTEM.handlers("second").forEach(handler -> SYSTEM.docker("kill", handler));

      SYSTEM.docker("start", SYSTEM.container("manager"));
      SYSTEM.awaitManager();

      eventually()
          .untilAsserted(
              () -> {
                assertThat(device.get("first").getResponseText()).isEqualTo("first");
                assertThat(device.get("second").getResponseText()).isEqualTo("second");
              });
      Problems.assertProblem(functions.patch("first", "{\"handlers\": 2}"), 507, "disk-full");
      Problems.assertProblem(functions.put("third", Code.answering("3")), 507, "disk-full");
      functions.delete("second").then().statusCode(204);
      assertThat(functions.traces("second")).isEmpty();
      assertThat(device.get("first").getResponseText()).isEqualTo("first");
    } finally {
      SYSTEM.docker("exec", keeper, "rm", "--force", "/store/filler");
      SYSTEM.docker("rm", "--force", keeper);
    }
    functions.put("second", Code.answering("second")).then().statusCode(201);
  }

  private static void inTheStore(String script) {
    SYSTEM.docker(
        "exec", "--workdir", "/var/lib/tinyfaas", SYSTEM.container("manager"), "sh", "-c", script);
  }

  private Socket upload(String function) throws IOException {
    functions.willBe(function);
    Socket socket = new Socket(InetAddress.getLoopbackAddress(), SYSTEM.managerPort());
    socket.setSoTimeout((int) patient(ENDED).toMillis());
    socket
        .getOutputStream()
        .write(
            ("PUT /functions/"
                    + function
                    + "?runtime=nodejs HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer "
                    + SYSTEM.token()
                    + "\r\nContent-Type: application/zip\r\nContent-Length: 100000\r\n\r\nPK")
                .getBytes(US_ASCII));
    return socket;
  }

  private static void awaitInventory(List<String> expected) {
    eventually().untilAsserted(() -> assertThat(SYSTEM.inventory()).isEqualTo(expected));
  }

  private static void assertNothingUploaded() {
    eventually()
        .untilAsserted(
            () -> assertThat(SYSTEM.inventory()).noneMatch(file -> file.contains("upload-")));
  }

  @Test
  void shouldEndAnUploadThatStalls() throws IOException {
    List<String> before = SYSTEM.inventory();
    try (Socket socket = upload("stalled")) {
      functions.put("quick", Code.answering("quick")).then().statusCode(201);

      String answer = new String(socket.getInputStream().readAllBytes(), UTF_8);

      // Quarkus closes the connection at the same moment; it depends which is seen first.
      assertThat(answer)
          .satisfiesAnyOf(
              none -> assertThat(none).isEmpty(),
              problem ->
                  assertThat(problem)
                      .startsWith("HTTP/1.1 400 ")
                      .contains("invalid-request", "took too long"));
    }
    functions.delete("quick").then().statusCode(204);
    awaitInventory(before);
  }

  /** A byte now and then is no pause, but the whole has its time, too. */
  @Test
  void shouldEndAnUploadThatTrickles() throws IOException {
    try (Socket socket = upload("trickling")) {
      within(ENDED)
          .until(
              () -> {
                try {
                  socket.getOutputStream().write(0);
                  return false;
                } catch (IOException e) {
                  return true;
                }
              });
    }
    assertNothingUploaded();
  }

  @Test
  void shouldEndWhatAClientThatLeavesHasBegun() throws IOException {
    List<String> before = SYSTEM.inventory();
    upload("left").close();
    awaitInventory(before);
  }

  /** Set once, it holds for gateway and handlers. */
  @Test
  void shouldTakeBodiesUpToTheConfiguredSize() {
    functions.deploy("echo", Archives.ofFolder("contract/golden/handler/functions/nodejs/echo"));
    byte[] body = new byte[2 * MEBIBYTE];
    new Random(1).nextBytes(body);

    CoapResponse response = device.post("echo", body);

    assertThat(response.getCode()).isEqualTo(ResponseCode.CHANGED);
    assertThat(Arrays.equals(response.getPayload(), body)).isTrue();
    assertThat(device.post("echo", new byte[2 * MEBIBYTE + 1]).getCode())
        .isEqualTo(ResponseCode.REQUEST_ENTITY_TOO_LARGE);
  }
}
