package io.tinyfaas.manager.api;

import static io.restassured.RestAssured.given;
import static org.assertj.core.api.Assertions.assertThat;
import static org.hamcrest.Matchers.containsString;
import static org.hamcrest.Matchers.equalTo;

import io.quarkus.test.junit.QuarkusTest;
import io.quarkus.test.junit.TestProfile;
import io.restassured.response.ValidatableResponse;
import java.io.IOException;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.junit.jupiter.api.Test;

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
  void shouldShowHealthMetricsAndDocumentationWithoutToken() {
    given().get("/q/health/live").then().statusCode(200);
    given().get("/q/health/ready").then().statusCode(200);
    given().get("/q/metrics").then().statusCode(200);
    given().get("/q/swagger-ui/").then().statusCode(200).body(containsString("swagger"));
  }
}
