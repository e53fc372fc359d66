package io.tinyfaas.manager.api;

import static org.assertj.core.api.Assertions.assertThat;
import static org.hamcrest.Matchers.containsString;
import static org.hamcrest.Matchers.equalTo;

import io.quarkus.test.junit.QuarkusTest;
import io.quarkus.test.junit.TestProfile;
import io.restassured.specification.RequestSpecification;
import java.io.IOException;
import java.io.OutputStream;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Archives that come over HTTP: what is refused, when, and that nothing of it stays. */
@QuarkusTest
@TestProfile(WithoutEngine.class)
class UploadTest extends RestCalls {

  @Test
  void shouldRefuseAFormThatIsNotOne() {
    RequestSpecification noArchive = call().multiPart("spec", "{\"runtime\":\"nodejs\"}");
    shouldBeProblem(noArchive.put("/functions/sieve").then(), 400, "invalid-request");
    RequestSpecification noSpec = call().multiPart("archive", "x.zip", zip("x"));
    shouldBeProblem(
        noSpec.put("/functions/sieve").then().body("field", equalTo("spec")),
        400,
        "invalid-request");
    RequestSpecification other =
        call()
            .multiPart("spec", "{\"runtime\":\"nodejs\"}")
            .multiPart("archive", "x.zip", zip("x"))
            .multiPart("extra", "x");
    shouldBeProblem(
        other.put("/functions/sieve").then().body("detail", containsString("\"extra\"")),
        400,
        "invalid-request");
    RequestSpecification query =
        call()
            .multiPart("spec", "{\"runtime\":\"nodejs\"}")
            .multiPart("archive", "x.zip", zip("x"));
    shouldBeProblem(query.put("/functions/sieve?handlers=2").then(), 400, "invalid-request");
    RequestSpecification text =
        call().multiPart("spec", "{\"runtime\":\"nodejs\"}").multiPart("archive", "x");
    shouldBeProblem(text.put("/functions/sieve").then(), 400, "invalid-request");
    RequestSpecification json =
        call().multiPart("spec", "{\"runtime\":").multiPart("archive", "x.zip", zip("x"));
    shouldBeProblem(
        json.put("/functions/sieve").then().body("detail", containsString("line 1")),
        400,
        "invalid-request");
    RequestSpecification large =
        call()
            .multiPart("spec", "{\"runtime\":\"" + "x".repeat(600_000) + "\"}")
            .multiPart("archive", "x.zip", zip("x"));
    shouldBeProblem(large.put("/functions/sieve").then(), 413, "");
    RequestSpecification cut =
        call()
            .config(asText("multipart/form-data"))
            .contentType("multipart/form-data; boundary=x")
            .body("--x\r\nContent-Dispo");
    shouldBeProblem(cut.put("/functions/sieve").then(), 400, "invalid-request");
    assertThat(store.functions()).isEmpty();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "--x\r\n\r\nwithout a name\r\n",
        "--x\r\nContent-Disposition: form-data; name=\"spec\"\r\n"
            + "Content-Type: text/plain; charset=none\r\n\r\n{}\r\n",
      })
  void shouldRefuseAFormThatCannotBeRead(String part) {
    shouldBeProblem(form(part).put("/functions/sieve").then(), 400, "invalid-request");
  }

  @Test
  void shouldRefuseAFormOfManyParts() {
    String part = "--x\r\nContent-Disposition: form-data; name=\"spec\"\r\n\r\n{}\r\n";
    shouldBeProblem(form(part.repeat(1001)).put("/functions/sieve").then(), 400, "invalid-request");
  }

  private RequestSpecification form(String parts) {
    return call()
        .config(asText("multipart/form-data"))
        .contentType("multipart/form-data; boundary=x")
        .body(parts + "--x--\r\n");
  }

  @Test
  void shouldRefuseABadArchive() {
    RequestSpecification notAZip =
        call().contentType("application/zip").body("not a zip".getBytes());
    shouldBeProblem(notAZip.put("/functions/sieve?runtime=nodejs").then(), 400, "invalid-archive");
    RequestSpecification nothing = call().contentType("application/zip");
    shouldBeProblem(nothing.put("/functions/sieve?runtime=nodejs").then(), 400, "invalid-archive");
    assertThat(store.functions()).isEmpty();
  }

  @Test
  void shouldRefuseALargeArchive() {
    for (int size : new int[] {1_100_000, 5_000_000}) {
      RequestSpecification request = call().contentType("application/zip").body(zip(noise(size)));
      shouldBeProblem(
          request.put("/functions/sieve?runtime=nodejs").then(), 413, "archive-too-large");
    }
    RequestSpecification form =
        call()
            .multiPart("spec", "{\"runtime\":\"nodejs\"}")
            .multiPart("archive", "x.zip", zip(noise(1_100_000)));
    shouldBeProblem(form.put("/functions/sieve").then(), 413, "archive-too-large");
  }

  @Test
  void shouldRefuseALargeChunkedBody() throws IOException {
    String head =
        "PUT /functions/sieve?runtime=nodejs HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer "
            + TOKEN
            + "\r\nContent-Type: %s\r\nTransfer-Encoding: chunked\r\n\r\n";
    assertThat(sendChunks(head.formatted("application/zip"), "", 5_000_000))
        .startsWith("HTTP/1.1 413")
        .contains("archive-too-large");
    String part =
        "--x\r\nContent-Disposition: form-data; name=\"archive\"; filename=\"x.zip\"\r\n"
            + "Content-Type: application/zip\r\n\r\n";
    assertThat(sendChunks(head.formatted("multipart/form-data; boundary=x"), part, 5_000_000))
        .startsWith("HTTP/1.1 413")
        .contains("archive-too-large");
  }

  /** The answer, however much of the body was taken. */
  private String sendChunks(String head, String start, int bytes) throws IOException {
    try (Socket socket = new Socket(server.getHost(), server.getPort())) {
      OutputStream out = socket.getOutputStream();
      out.write(head.getBytes(StandardCharsets.US_ASCII));
      Thread sender =
          Thread.ofVirtual()
              .start(
                  () -> {
                    try {
                      String first = Integer.toHexString(start.length()) + "\r\n" + start + "\r\n";
                      out.write(start.isEmpty() ? new byte[0] : first.getBytes());
                      for (int sent = 0; sent < bytes; sent += 10_000) {
                        out.write(("2710\r\n" + "x".repeat(10_000) + "\r\n").getBytes());
                      }
                      out.write("0\r\n\r\n".getBytes());
                    } catch (IOException e) {
                      // The server need not read it all.
                    }
                  });
      String answer = readAnswer(socket);
      sender.interrupt();
      return answer;
    }
  }
}
