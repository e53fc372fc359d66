package io.tinyfaas.endtoend;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.restassured.response.Response;
import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.eclipse.californium.core.CoapResponse;
import org.eclipse.californium.core.coap.CoAP.ResponseCode;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/** An installation with other limits than the default ones, so that they are reached soon. */
@Timeout(60)
class SmallBoxIT {

  private static final Installation SYSTEM = Installation.SMALL;
  private static final int MEBIBYTE = 1024 * 1024;

  @RegisterExtension private final Functions functions = new Functions(SYSTEM);

  private final Device device = new Device(SYSTEM);

  @BeforeAll
  static void start() {
    SYSTEM.start();
  }

  @AfterAll
  static void remove() {
    SYSTEM.remove();
  }

  @AfterEach
  void switchOff() {
    device.switchOff();
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

    assertThat(SYSTEM.inventory()).isEqualTo(before);
    assertThat(device.get("first").getResponseText()).isEqualTo("bad");
    functions.get("second").then().statusCode(404);
    SYSTEM.rest().get("/q/health/ready").then().statusCode(200);

    functions.delete("first").then().statusCode(204);
    functions.put("second", Archives.ofSize(4 * MEBIBYTE)).then().statusCode(201);
  }

  /** Deploys until nothing fits, not even a small function: delete has to work then, too. */
  @Test
  void shouldDeleteFunctionsOnADiskWithoutAnyRoom() {
    List<String> deployed = new ArrayList<>();
    Response answer = functions.put("filler-0", Archives.ofSize(MEBIBYTE));
    for (int size = MEBIBYTE; size > 1_000; ) {
      if (answer.statusCode() == 201) {
        deployed.add(answer.path("name"));
      } else {
        Problems.assertProblem(answer, 507, "disk-full");
        size /= 4;
      }
      answer = functions.put("filler-" + deployed.size(), Archives.ofSize(size));
    }

    for (String function : deployed) {
      assertThat(device.get(function).getResponseText()).isEqualTo("bad");
      functions.delete(function).then().statusCode(204);
      assertThat(functions.traces(function)).isEmpty();
    }
    functions.put("small", Code.answering("fits")).then().statusCode(201);
  }

  private Socket upload(String function) throws IOException {
    functions.willBe(function);
    Socket socket = new Socket(InetAddress.getLoopbackAddress(), SYSTEM.managerPort());
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

  private static void assertNothingUploaded() {
    await()
        .untilAsserted(
            () -> assertThat(SYSTEM.inventory()).noneMatch(file -> file.contains("upload-")));
  }

  @Test
  void shouldEndAnUploadThatStalls() throws IOException {
    List<String> before = SYSTEM.inventory();
    try (Socket socket = upload("stalled")) {
      functions.put("quick", Code.answering("quick")).then().statusCode(201);

      String answer = new String(socket.getInputStream().readAllBytes(), UTF_8);

      assertThat(answer).startsWith("HTTP/1.1 400 ").contains("invalid-request", "took too long");
    }
    functions.delete("quick").then().statusCode(204);
    assertThat(SYSTEM.inventory()).isEqualTo(before);
  }

  /** A byte now and then is no pause, but the whole has its time, too. */
  @Test
  void shouldEndAnUploadThatTrickles() throws IOException {
    try (Socket socket = upload("trickling")) {
      await()
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
    await().untilAsserted(() -> assertThat(SYSTEM.inventory()).isEqualTo(before));
  }

  /** Set once, it holds for gateway and handlers. */
  @Test
  void shouldTakeBodiesUpToTheConfiguredSize() {
    functions.deploy("echo", Installation.zipOf("contract/golden/handler/functions/nodejs/echo"));
    byte[] body = new byte[2 * MEBIBYTE];
    new Random(1).nextBytes(body);

    CoapResponse response = device.post("echo", body);

    assertThat(response.getCode()).isEqualTo(ResponseCode.CHANGED);
    assertThat(Arrays.equals(response.getPayload(), body)).isTrue();
    assertThat(device.post("echo", new byte[2 * MEBIBYTE + 1]).getCode())
        .isEqualTo(ResponseCode.REQUEST_ENTITY_TOO_LARGE);
  }
}
