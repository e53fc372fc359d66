package io.tinyfaas.manager.api;

import static io.restassured.RestAssured.given;
import static io.tinyfaas.harness.Eventually.eventually;
import static org.assertj.core.api.Assertions.assertThat;
import static org.hamcrest.Matchers.containsString;
import static org.hamcrest.Matchers.endsWith;
import static org.hamcrest.Matchers.equalTo;

import io.quarkus.test.junit.QuarkusTest;
import io.quarkus.test.junit.TestProfile;
import io.restassured.response.ValidatableResponse;
import java.io.IOException;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Who may call what. */
@QuarkusTest
@TestProfile(WithoutEngine.class)
class AccessFilterTest extends RestCalls {

  @Test
  void shouldAskForTheToken() {
    for (String path : List.of("/functions", "/nothing", "/q/dev", "/q/health/../../functions")) {
      ValidatableResponse response = given().urlEncodingEnabled(false).get(path).then();
      shouldBeProblem(response, 401, "unauthorized");
      response.header("WWW-Authenticate", equalTo("Bearer realm=\"tinyfaas\""));
    }
    for (String wrong : List.of("Bearer x", "Basic " + TOKEN, TOKEN, "Bearer " + TOKEN + "x")) {
      given().header("Authorization", wrong).get("/functions").then().statusCode(401);
    }
    given().header("Authorization", "bearer " + TOKEN).get("/functions").then().statusCode(200);
  }

  @Test
  void shouldAskForTheTokenBeforeItReadsABody() throws IOException {
    try (Socket socket = new Socket(server.getHost(), server.getPort())) {
      socket
          .getOutputStream()
          .write(
              ("PUT /functions/x HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/zip\r\n"
                      + "Content-Length: 1000\r\n\r\n")
                  .getBytes(StandardCharsets.US_ASCII));
      assertThat(readAnswer(socket)).startsWith("HTTP/1.1 401");
    }
  }

  @Test
  void shouldLeadABrowserToTheDocumentation() {
    given()
        .redirects()
        .follow(false)
        .get("/")
        .then()
        .statusCode(303)
        .header("Location", endsWith("/q/swagger-ui/"));
  }

  @Test
  void shouldShowHealthMetricsAndDocumentationWithoutToken() {
    given().get("/q/health/live").then().statusCode(200);
    given().get("/q/health/ready").then().statusCode(200);
    given().get("/q/metrics").then().statusCode(200);
    given().get("/q/swagger-ui/").then().statusCode(200).body(containsString("swagger"));
  }

  /** Its body would be taken for another request. */
  @ParameterizedTest
  @CsvSource({
    "'Transfer-Encoding: xchunked', 501",
    "'Transfer-Encoding: gzip, chunked', 501",
    "'Transfer-Encoding: identity', 501",
    "'Transfer-Encoding: xchunked\r\nContent-Length: 5', 400",
  })
  void shouldAnswerOnceWhereItCannotTellWhereARequestEnds(String fields, int status)
      throws IOException {
    String end = fields.endsWith(", chunked") ? "0\r\n\r\n" : "";
    String hidden = end + "GET /q/health/live HTTP/1.1\r\nHost: localhost\r\n\r\n";
    try (Socket socket = new Socket(server.getHost(), server.getPort())) {
      socket.setSoTimeout(PATIENCE);
      socket
          .getOutputStream()
          .write(
              ("POST /functions HTTP/1.1\r\nHost: localhost\r\n" + fields + "\r\n\r\n" + hidden)
                  .getBytes(StandardCharsets.US_ASCII));

      String all = new String(socket.getInputStream().readAllBytes(), StandardCharsets.US_ASCII);

      assertThat(all).startsWith("HTTP/1.1 " + status).containsIgnoringCase("connection: close");
      assertThat(all.split("HTTP/1\\.1 ")).hasSize(2);
    }
  }

  @Test
  void shouldTakeChunksHoweverTheyAreWritten() throws IOException {
    try (Socket socket = new Socket(server.getHost(), server.getPort())) {
      socket
          .getOutputStream()
          .write(
              ("POST /delete HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer "
                      + TOKEN
                      + "\r\nTransfer-Encoding: Chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n")
                  .getBytes(StandardCharsets.US_ASCII));
      assertThat(readAnswer(socket)).startsWith("HTTP/1.1 ").contains("name");
    }
  }

  /** Each is kept for as long as the manager runs. */
  @Test
  void shouldMakeNoLabelOfWhatAClientWithoutATokenSays() throws IOException {
    given().get("/functions/secret-path-1").then().statusCode(401);
    given().get("/secret-path-2").then().statusCode(401);
    given().get("/q/health/secret-path-3").then().statusCode(404);
    given().request("SECRETMETHOD", "/functions").then().statusCode(401);
    call().get("/functions/secret-path-4").then().statusCode(404);
    call().get("/secret-path-5").then().statusCode(404);
    call().get("/functions").then().statusCode(200);

    eventually()
        .untilAsserted(
            () ->
                assertThat(given().get("/q/metrics").asString())
                    .contains("uri=\"/functions\"", "uri=\"/functions/{name}\"", "uri=\"OTHER\"")
                    .doesNotContain("secret-path")
                    .doesNotContain("SECRETMETHOD"));
  }
}
