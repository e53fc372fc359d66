package io.tinyfaas.endtoend;

import static io.restassured.RestAssured.given;
import static org.assertj.core.api.Assertions.assertThat;
import static org.hamcrest.Matchers.contains;
import static org.hamcrest.Matchers.containsString;
import static org.hamcrest.Matchers.equalTo;
import static org.hamcrest.Matchers.hasItems;
import static org.hamcrest.Matchers.is;

import io.restassured.response.Response;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.junit.jupiter.api.Named;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The REST API itself: who may call it, how it refuses, and what it says of itself. */
class ManagementApiIT {

  @RegisterExtension private static final Installation SYSTEM = Installation.UNIX;

  @RegisterExtension private final Functions functions = new Functions(SYSTEM);

  @Test
  void shouldListFunctionsWithTheirState() {
    functions.deploy("listed-b", Code.answering("b"));
    functions.deploy("listed-a", Code.answering("a"));

    SYSTEM
        .rest()
        .get("/functions")
        .then()
        .statusCode(200)
        .body("name", hasItems("listed-a", "listed-b"))
        .body("find { it.name == 'listed-a' }.state", equalTo("running"))
        .body("find { it.name == 'listed-a' }.handlers.health", contains("healthy"));
    functions
        .get("listed-a")
        .then()
        .statusCode(200)
        .body("name", equalTo("listed-a"))
        .body("version", is(1));
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "Bearer", "Bearer wrong-token-wrong-token", "Basic YTpi"})
  void shouldAskForTheToken(String authorization) {
    Response answer =
        given()
            .header("Authorization", authorization)
            .contentType("application/zip")
            .body(Code.answering("1"))
            .put(
                "http://127.0.0.1:" + SYSTEM.managerPort() + "/functions/uninvited?runtime=nodejs");

    Problems.assertProblem(answer, 401, "unauthorized", "TINYFAAS_TOKEN");
    assertThat(answer.header("WWW-Authenticate")).startsWith("Bearer");
    functions.get("uninvited").then().statusCode(404);
  }

  @Test
  void shouldServeItsOwnDescription() {
    var open = given().baseUri("http://127.0.0.1").port(SYSTEM.managerPort());
    open.get("/q/openapi")
        .then()
        .statusCode(200)
        .body(containsString("/functions/{name}/rollback"))
        .body(containsString("application/merge-patch+json"));
    open.get("/q/swagger-ui/")
        .then()
        .statusCode(200)
        .contentType("text/html")
        .body(containsString("/q/openapi"));
  }

  static Stream<Arguments> refusedRequests() {
    byte[] zip = Code.answering("1");
    return Stream.of(
        refused(404, "an unknown path", () -> SYSTEM.rest().get("/nothing/here")),
        refused(404, "an unknown function", () -> SYSTEM.rest().get("/functions/nobody")),
        refused(404, "versions", () -> SYSTEM.rest().get("/functions/nobody/versions")),
        refused(404, "logs", () -> SYSTEM.rest().get("/functions/nobody/logs?follow=true")),
        refused(404, "rollback", () -> SYSTEM.rest().post("/functions/nobody/rollback")),
        refused(404, "delete", () -> SYSTEM.rest().delete("/functions/nobody")),
        refused(
            404,
            "patch",
            () -> SYSTEM.rest().contentType("application/json").body("{}").patch("/functions/no")),
        refused(405, "another method", () -> SYSTEM.rest().post("/functions/nobody")),
        refused(
            415,
            "no media type of ours",
            () -> SYSTEM.rest().contentType("text/plain").body(zip).put("/functions/nobody")),
        refused(
            406, "no JSON wanted", () -> SYSTEM.rest().accept("application/pdf").get("/functions")),
        refused(400, "a name", () -> SYSTEM.rest().get("/functions/no_body")),
        refused(
            400,
            "an incomplete form",
            () -> SYSTEM.rest().multiPart("spec", "{}").put("/functions/nobody")),
        refused(
            400,
            "a broken form",
            () ->
                SYSTEM
                    .rest()
                    .header("Content-Type", "multipart/form-data; boundary=x")
                    .body(new byte[] {1, 2, 3})
                    .put("/functions/nobody")));
  }

  private static Arguments refused(int status, String what, Supplier<Response> request) {
    return Arguments.of(status, Named.of(what, request));
  }

  @ParameterizedTest
  @MethodSource("refusedRequests")
  void shouldExplainARefusal(int status, Supplier<Response> request) {
    Response answer = request.get();

    Problems.assertProblem(answer);
    assertThat(answer.statusCode()).isEqualTo(status);
  }
}
