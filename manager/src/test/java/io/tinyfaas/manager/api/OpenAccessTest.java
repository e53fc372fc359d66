package io.tinyfaas.manager.api;

import static io.restassured.RestAssured.given;
import static org.hamcrest.Matchers.containsString;
import static org.hamcrest.Matchers.equalTo;

import io.quarkus.test.junit.QuarkusTest;
import io.quarkus.test.junit.TestProfile;
import io.restassured.RestAssured;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@QuarkusTest
@TestProfile(WithoutEngine.AndToken.class)
class OpenAccessTest {

  @ParameterizedTest
  @ValueSource(strings = {"localhost", "localhost:8080", "127.0.0.1:8080", "[::1]:8080"})
  void shouldAnswerThisBox(String host) {
    given().header("Host", host).get("/functions").then().statusCode(200);
  }

  @ParameterizedTest
  @ValueSource(strings = {"evil.example", "localhost.evil.example:8080", "192.168.0.7:8080"})
  void shouldRefuseAnotherHost(String host) {
    given()
        .header("Host", host)
        .get("/functions")
        .then()
        .statusCode(403)
        .contentType("application/problem+json")
        .body("type", equalTo("urn:tinyfaas:problem:forbidden"))
        .body("detail", containsString("localhost"));
  }

  @ParameterizedTest
  @ValueSource(strings = {"https://evil.example", "null", "http://localhost:3000"})
  void shouldRefuseAForeignPage(String origin) {
    given().header("Origin", origin).delete("/functions/sieve").then().statusCode(403);
  }

  @ParameterizedTest
  @ValueSource(strings = {"cross-site", "same-site"})
  void shouldRefuseWhatABrowserSaysIsOfAnotherSite(String site) {
    given()
        .header("Sec-Fetch-Site", site)
        .contentType("text/plain")
        .body("{}")
        .post("/wipe")
        .then()
        .statusCode(403);
  }

  /** Everybody on the box may call, but need not have had the secrets of others. */
  @ParameterizedTest
  @ValueSource(strings = {"/functions/sieve", "/functions/sieve/versions"})
  void shouldShowNobodyTheEnvironmentsValues(String path) {
    given()
        .get(path + "?environment=values")
        .then()
        .statusCode(403)
        .body("type", equalTo("urn:tinyfaas:problem:forbidden"))
        .body("detail", containsString("TINYFAAS_AUTH=token"));
  }

  @Test
  void shouldAnswerItsOwnPage() {
    String origin = "http://localhost:" + RestAssured.port;
    given().header("Origin", origin).get("/functions").then().statusCode(200);
  }
}
