package io.tinyfaas.manager.api;

import static org.assertj.core.api.Assertions.assertThat;
import static org.hamcrest.Matchers.containsString;
import static org.hamcrest.Matchers.equalTo;
import static org.hamcrest.Matchers.not;

import io.quarkus.test.junit.QuarkusTest;
import io.quarkus.test.junit.TestProfile;
import io.restassured.response.ValidatableResponse;
import io.restassured.specification.RequestSpecification;
import io.tinyfaas.manager.problem.ProblemException;
import io.tinyfaas.manager.problem.ProblemType;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Whatever fails is told as RFC 9457 has it. */
@QuarkusTest
@TestProfile(WithoutEngine.class)
class ProblemMapperTest extends RestCalls {

  @Test
  void shouldSayWhichHeaderIsMissing() {
    RequestSpecification form = call().config(asText(FORM)).contentType(FORM).body("PK");
    shouldBeProblem(
        form.put("/functions/sieve?runtime=nodejs")
            .then()
            .body("detail", containsString("Content-Type: application/zip")),
        415,
        "unsupported-media-type");
    RequestSpecification text = call().contentType("text/plain").body("{}");
    shouldBeProblem(
        text.patch("/functions/sieve").then().body("detail", containsString(MERGE_PATCH)),
        415,
        "unsupported-media-type");
    deploy("sieve?runtime=nodejs");
    RequestSpecification rollback =
        call().config(asText(FORM)).contentType(FORM).body("{\"version\":1}");
    shouldBeProblem(
        rollback
            .post("/functions/sieve/rollback")
            .then()
            .body("detail", containsString("application/json")),
        415,
        "unsupported-media-type");
  }

  @Test
  void shouldGiveAProblemForEachStatusOfHttp() {
    shouldBeProblem(call().get("/nothing").then(), 404, "");
    shouldBeProblem(call().get("/functions/sieve/nothing").then(), 404, "");
    shouldBeProblem(call().post("/functions").then(), 405, "");
    shouldBeProblem(call().accept("image/png").get("/functions").then(), 406, "");
    shouldBeProblem(
        call()
            .accept("application/json")
            .get("/functions/sieve/logs")
            .then()
            .body("detail", not(containsString("application/json"))),
        406,
        "");
  }

  @Test
  void shouldCarryTheOutputOfAFailure() {
    deployer.failNextWith(
        ProblemException.withOutput(
            ProblemType.BUILD_FAILED, "npm failed.", List.of("line 1", "line 2")));
    ValidatableResponse response = deploy("sieve?runtime=nodejs");
    shouldBeProblem(response, 422, "build-failed");
    response.body("output", equalTo(List.of("line 1", "line 2")));
  }

  @ParameterizedTest
  @ValueSource(strings = {"ENGINE_UNAVAILABLE", "GATEWAY_UNAVAILABLE"})
  void shouldSayWhenToComeBack(ProblemType type) {
    deployer.failNextWith(ProblemException.of(type, "It is restarting."));
    deploy("sieve?runtime=nodejs").statusCode(503).header("Retry-After", "5");
  }

  @Test
  void shouldSayWhenToComeBackWhereOthersTakeAllNow() {
    deployer.failNextWith(ProblemException.busy("16 builds are waiting already.", 60));
    deploy("sieve?runtime=nodejs").statusCode(429).header("Retry-After", "60");
    deployer.failNextWith(ProblemException.of(ProblemType.TOO_MANY, "There are 1,000 functions."));
    assertThat(deploy("sieve?runtime=nodejs").statusCode(429).extract().header("Retry-After"))
        .isNull();
  }

  @Test
  void shouldHideAnUnexpectedFailureBehindAReference() {
    deployer.failNextWith(new IllegalStateException("the secret inside"));
    ValidatableResponse response = deploy("sieve?runtime=nodejs");
    shouldBeProblem(response, 500, "internal");
    response
        .body("detail", containsString("reference"))
        .body("detail", not(containsString("secret")));
  }
}
