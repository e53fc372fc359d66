package io.tinyfaas.manager.api;

import static io.tinyfaas.harness.Eventually.eventually;
import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;

import io.quarkus.test.junit.QuarkusTest;
import io.quarkus.test.junit.TestProfile;
import io.restassured.response.Response;
import java.io.IOException;
import java.net.Socket;
import java.util.Base64;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;

/** Archives that do not come to an end. */
@QuarkusTest
@TestProfile(WithoutEngine.AndLittleTime.class)
class SlowUploadTest extends RestCalls {

  @Test
  void shouldEndASlowUploadAndLeaveNothing() throws IOException {
    try (Socket socket = new Socket(server.getHost(), server.getPort())) {
      socket.setSoTimeout(PATIENCE);
      socket
          .getOutputStream()
          .write(
              ("PUT /functions/sieve?runtime=nodejs HTTP/1.1\r\nHost: localhost\r\n"
                      + "Authorization: Bearer "
                      + TOKEN
                      + "\r\nContent-Type: application/zip\r\nContent-Length: 1000\r\n\r\nPK")
                  .getBytes(US_ASCII));
      assertThat(socket.getInputStream().read()).isEqualTo(-1);
    }
    assertThat(store.functions()).isEmpty();
  }

  private interface Sending {
    Response send();
  }

  /** The deployment takes longer than an upload may. */
  private void shouldBeAnswered(int status, Sending sending) throws Exception {
    CountDownLatch deployment = deployer.hold();
    try (ExecutorService client = Executors.newVirtualThreadPerTaskExecutor()) {
      Future<Response> answer = client.submit(sending::send);
      eventually().until(() -> deployer.isHeld());
      // One that has no more to send than a byte is ended meanwhile, and began later.
      shouldEndASlowUploadAndLeaveNothing();
      deployment.countDown();
      assertThat(answer.get().statusCode()).isEqualTo(status);
    } finally {
      deployment.countDown();
    }
  }

  @Test
  void shouldAnswerAZipThatIsDeployedForLonger() throws Exception {
    byte[] archive = zip(noise(200_000));
    shouldBeAnswered(
        201,
        () ->
            call()
                .contentType("application/zip")
                .body(archive)
                .put("/functions/sieve?runtime=nodejs"));
  }

  @Test
  void shouldAnswerAFormThatIsDeployedForLonger() throws Exception {
    byte[] archive = zip(noise(200_000));
    shouldBeAnswered(
        201,
        () ->
            call()
                .multiPart("spec", "{\"runtime\":\"nodejs\"}")
                .multiPart("archive", "x.zip", archive)
                .put("/functions/sieve"));
  }

  @Test
  void shouldAnswerAnUploadOfAScriptThatIsDeployedForLonger() throws Exception {
    String archive = Base64.getEncoder().encodeToString(zip(noise(200_000)));
    String body = "{\"name\": \"sieve\", \"env\": \"nodejs\", \"zip\": \"" + archive + "\"}";
    shouldBeAnswered(
        200,
        () ->
            call()
                .config(asText(FORM))
                .contentType(FORM)
                .body(body + "\n".repeat(20_000))
                .post("/upload"));
  }
}
