package io.tinyfaas.manager.api;

import static io.restassured.RestAssured.given;
import static org.hamcrest.Matchers.aMapWithSize;
import static org.hamcrest.Matchers.blankOrNullString;
import static org.hamcrest.Matchers.containsString;
import static org.hamcrest.Matchers.empty;
import static org.hamcrest.Matchers.endsWith;
import static org.hamcrest.Matchers.equalTo;
import static org.hamcrest.Matchers.hasKey;
import static org.hamcrest.Matchers.hasSize;
import static org.hamcrest.Matchers.not;
import static org.hamcrest.Matchers.nullValue;

import io.quarkus.test.junit.QuarkusTest;
import io.quarkus.test.junit.TestProfile;
import io.restassured.specification.RequestSpecification;
import io.tinyfaas.contract.control.ScheduleStatus;
import io.tinyfaas.contract.route.FunctionName;
import io.tinyfaas.contract.route.Schedule;
import io.tinyfaas.manager.call.PlayedGatewaySchedules;
import io.tinyfaas.manager.handler.Ending;
import io.tinyfaas.manager.handler.Health;
import jakarta.inject.Inject;
import java.time.Instant;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

@QuarkusTest
@TestProfile(WithoutEngine.class)
class FunctionResourceTest extends RestCalls {

  @Inject PlayedGatewaySchedules gatewaySchedules;

  @Test
  void shouldDeployAZipWithTheSpecificationInTheQuery() {
    deploy(
            "sieve?runtime=nodejs&handlers=2&memory=64M&cpus=0.5&timeout=5s&networkAccess=true"
                + "&env=A=b&env=C=d=e&label=team=edge")
        .statusCode(201)
        .header("Location", endsWith("/functions/sieve"))
        .body("name", equalTo("sieve"))
        .body("version", equalTo(1))
        .body("digest.length()", equalTo(64))
        .body("state", equalTo("running"))
        .body("handlers", hasSize(2))
        .body("handlers[0].health", equalTo("healthy"))
        .body(
            "urls",
            equalTo(
                Map.of(
                    "coap",
                    "coap://localhost/sieve",
                    "http",
                    "http://localhost:8000/sieve",
                    "grpc",
                    "dns:///localhost:9000")))
        .body("deployedAt", endsWith("Z"))
        .body("spec.runtime", equalTo("nodejs"))
        .body("spec.memory", equalTo("64M"))
        .body("spec.cpus", equalTo(0.5f))
        .body("spec.timeout", equalTo("5s"))
        .body("spec.networkAccess", equalTo(true))
        .body("spec.environment", equalTo(Map.of("A", "***", "C", "***")))
        .body("spec.labels", equalTo(Map.of("team", "edge")));
    deploy("sieve?runtime=nodejs").statusCode(200).body("version", equalTo(2));
  }

  @Test
  void shouldDeployWithWhatBecomesOfCallsInTheQuery() {
    deploy("sieve?runtime=nodejs&delivery=durable&async.retries=3&async.retryOn=timeout")
        .statusCode(201)
        .body("spec.delivery", equalTo("durable"))
        .body(
            "spec.async",
            equalTo(
                Map.of(
                    "retries", 3, "backoff", "1s", "maxAge", "1d", "retryOn", List.of("timeout"))));
    deploy("sieve?async.onFailure=alarm&async.maxAge=2h&async.retryOn=")
        .statusCode(200)
        .body("spec.delivery", equalTo("durable"))
        .body("spec.async.retries", equalTo(3))
        .body("spec.async.maxAge", equalTo("2h"))
        .body("spec.async.retryOn", empty())
        .body("spec.async.onFailure", equalTo("alarm"));
  }

  @Test
  void shouldDeployAForm() {
    call()
        .multiPart("spec", "{\"runtime\":\"nodejs\",\"handlers\":3}")
        .multiPart("archive", "x.zip", zip("x"), "application/zip")
        .put("/functions/sieve")
        .then()
        .statusCode(201)
        .body("handlers", hasSize(3));
    call()
        .multiPart("spec", "spec.json", "{\"runtime\":\"nodejs\"}".getBytes(), "application/json")
        .multiPart("archive", "x.zip", zip("x"), "application/octet-stream")
        .put("/functions/sieve")
        .then()
        .statusCode(200)
        .body("handlers", hasSize(3));
  }

  @Test
  void shouldKeepWhatADeploymentOfNewCodeDoesNotName() {
    deploy("sieve?runtime=nodejs&handlers=2&memory=64M&env=A=b&label=team=edge&entry=a.js");
    deploy("sieve")
        .statusCode(200)
        .body("version", equalTo(2))
        .body("spec.runtime", equalTo("nodejs"))
        .body("spec.handlers", equalTo(2))
        .body("spec.memory", equalTo("64M"))
        .body("spec.environment.keySet()", equalTo(Set.of("A")))
        .body("spec.labels", equalTo(Map.of("team", "edge")))
        .body("spec.entry", equalTo("a.js"));
    deploy("sieve?env=C=d&handlers=1")
        .statusCode(200)
        .body("spec.handlers", equalTo(1))
        .body("spec.memory", equalTo("64M"))
        .body("spec.environment.keySet()", equalTo(Set.of("C")));
    call()
        .multiPart("spec", "{\"memory\":null,\"environment\":{}}")
        .multiPart("archive", "x.zip", zip("x"), "application/zip")
        .put("/functions/sieve")
        .then()
        .statusCode(200)
        .body("spec.memory", equalTo("128M"))
        .body("spec.environment", equalTo(Map.of()))
        .body("spec.labels", equalTo(Map.of("team", "edge")));
  }

  @ParameterizedTest
  @CsvSource({
    "sieve, runtime",
    "sieve?runtime=nodejs&handlers=0, handlers",
    "sieve?runtime=nodejs&handlers=-1, handlers",
    "sieve?runtime=nodejs&handlers=10000, handlers",
    "sieve?runtime=nodejs&handlers=two, handlers",
    "sieve?runtime=nodejs&memory=lots, memory",
    "sieve?runtime=nodejs&cpus=1e9, cpus",
    "sieve?runtime=nodejs&timeout=1h, timeout",
    "sieve?runtime=nodejs&networkAccess=yes, networkAccess",
    "sieve?runtime=nodejs&unknown=1, unknown",
    "sieve?runtime=nodejs&delivery=later, delivery",
    "sieve?runtime=nodejs&async.retries=many, async.retries",
    "sieve?runtime=nodejs&async.backoff=1, async.backoff",
    "sieve?runtime=nodejs&async.retryOn=never, async.retryOn",
    "sieve?runtime=nodejs&async.onFailure=a%20b, async.onFailure",
    "sieve?runtime=nodejs&async.tries=3, async.tries",
  })
  void shouldRefuseASpecification(String nameAndQuery, String field) {
    shouldBeProblem(deploy(nameAndQuery).body("field", equalTo(field)), 400, "invalid-spec");
  }

  @ParameterizedTest
  @CsvSource({
    "sieve?runtime=a&runtime=b, runtime",
    "sieve?runtime=a&env=A, env",
    "sieve?runtime=a&env=A=1&env=A=2, env",
    "sieve?runtime=a&environment=A, environment",
    "sieve?runtime=a&async=3, async",
    "sieve?runtime=a&async.retries=3&async.retries=4, async.retries",
    "si_eve?runtime=a, name",
    "-sieve?runtime=a, name",
    "%2e%2e%2fsieve?runtime=a, name",
    "aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffffgggg?runtime=a, name",
  })
  void shouldRefuseARequest(String nameAndQuery, String field) {
    shouldBeProblem(
        call()
            .urlEncodingEnabled(false)
            .contentType("application/zip")
            .body(zip("x"))
            .put("/functions/" + nameAndQuery)
            .then()
            .body("field", equalTo(field)),
        400,
        "invalid-request");
  }

  @ParameterizedTest
  @CsvSource({
    "POST, /functions/sieve/rollback?verison=1, verison",
    "DELETE, /functions/sieve?version=1, version",
    "PATCH, /functions/sieve?handlers=2, handlers",
  })
  void shouldRefuseAParameterThatACallDoesNotHave(String method, String call, String parameter) {
    deploy("sieve?runtime=nodejs");
    deploy("sieve?runtime=nodejs&handlers=3");
    RequestSpecification request = call();
    if (method.equals("PATCH")) {
      request.contentType(MERGE_PATCH).body("{}");
    }
    shouldBeProblem(
        request.request(method, call).then().body("field", equalTo(parameter)),
        400,
        "invalid-request");
    call().get("/functions/sieve").then().statusCode(200).body("version", equalTo(2));
  }

  @Test
  void shouldListFunctions() {
    call().get("/functions").then().statusCode(200).body("", empty());
    deploy("sieve?runtime=nodejs");
    deploy("Echo?runtime=nodejs");
    call().get("/functions").then().statusCode(200).body("name", equalTo(List.of("Echo", "sieve")));
    call().get("/functions/sieve").then().statusCode(200).body("", aMapWithSize(8));
  }

  /** As generated clients do where an answer has no body. */
  @Test
  void shouldDeleteForWhoTakesNothingButProblems() {
    deploy("sieve?runtime=nodejs");
    call().accept("application/problem+json").delete("/functions/sieve").then().statusCode(204);
    call().accept("application/problem+json").delete("/functions/sieve").then().statusCode(404);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "healthy,healthy | running",
        "healthy,unresponsive | degraded",
        "healthy | degraded",
        "starting,stopped | starting",
        "stopped,unresponsive | down",
        "stopped | down"
      })
  void shouldDeriveTheState(String health, String state) {
    deploy("sieve?runtime=nodejs&handlers=2");
    deployer.health(
        Stream.of(health.split(","))
            .map(each -> Health.valueOf(each.toUpperCase(Locale.ROOT)))
            .toList());
    call().get("/functions/sieve").then().body("state", equalTo(state));
    call().delete("/functions/sieve").then().statusCode(204);
  }

  @Test
  void shouldShowHowAHandlerLastEnded() {
    deploy("sieve?runtime=nodejs");
    call()
        .get("/functions/sieve")
        .then()
        .body(
            "handlers",
            equalTo(List.of(Map.of("id", "sieve-0", "health", "healthy", "restarts", 0))));
    deployer.end(new Ending(Instant.parse("2026-03-01T10:20:30.400Z"), 137, true));
    call()
        .get("/functions/sieve")
        .then()
        .body("handlers[0].restarts", equalTo(1))
        .body(
            "handlers[0].lastEnd",
            equalTo(
                Map.of("at", "2026-03-01T10:20:30.400Z", "exitCode", 137, "outOfMemory", true)));
    call().delete("/functions/sieve").then().statusCode(204);
  }

  @Test
  void shouldTellHowItIsWithSchedulesAsFarAsTheGatewayDoes() {
    deploy("sieve?runtime=nodejs").body("schedules", nullValue());
    call()
        .contentType(MERGE_PATCH)
        .body(
            "{\"schedules\":[{\"cron\":\"0 6 * * *\",\"zone\":\"Europe/Berlin\"},{\"every\":\"90s\"}]}")
        .patch("/functions/sieve")
        .then()
        .statusCode(200)
        .body("spec.schedules[0].missed", equalTo("once"))
        .body("schedules", nullValue());
    Schedule cron =
        store.active(new FunctionName("sieve")).orElseThrow().spec().schedules().getFirst();
    gatewaySchedules.knows(
        new ScheduleStatus(
            cron,
            ScheduleStatus.State.WAITING_FOR_CLOCK,
            Optional.of(Instant.parse("2026-11-30T05:00:00Z")),
            Optional.empty()));

    call()
        .get("/functions/sieve")
        .then()
        .statusCode(200)
        .body("schedules", hasSize(2))
        .body("schedules[0].cron", equalTo("0 6 * * *"))
        .body("schedules[0].zone", equalTo("Europe/Berlin"))
        .body("schedules[0].state", equalTo("waiting-for-clock"))
        .body("schedules[0].last", equalTo("2026-11-30T05:00:00Z"))
        .body("schedules[0]", not(hasKey("next")))
        .body("schedules[1].every", equalTo("90s"))
        .body("schedules[1]", not(hasKey("state")));
  }

  @Test
  void shouldHaveNoSchedulesInAQuery() {
    deploy("sieve?runtime=nodejs&schedules=0+6+*+*+*")
        .statusCode(400)
        .body("field", equalTo("schedules"))
        .body("detail", containsString("send it with PATCH, or in the part spec"));
  }

  @Test
  void shouldPatch() {
    deploy("sieve?runtime=nodejs&env=A=1");
    call()
        .contentType(MERGE_PATCH)
        .body("{\"handlers\":2,\"environment\":{\"A\":null,\"B\":\"2\"}}")
        .patch("/functions/sieve")
        .then()
        .statusCode(200)
        .body("version", equalTo(2))
        .body("handlers", hasSize(2))
        .body("spec.environment", equalTo(Map.of("B", "***")));
    call()
        .contentType("application/json")
        .body("{\"handlers\":null}")
        .patch("/functions/sieve")
        .then()
        .statusCode(200)
        .body("handlers", hasSize(1));
  }

  @Test
  void shouldShowTheEnvironmentsValuesOnlyWhereTheyAreAskedFor() {
    deploy("sieve?runtime=nodejs&env=KEY=secret")
        .body("spec.environment", equalTo(Map.of("KEY", "***")));
    call().get("/functions").then().body("[0].spec.environment.KEY", equalTo("***"));
    for (String path : List.of("/functions/sieve", "/functions/sieve/versions")) {
      String found = path.endsWith("versions") ? "[0].spec" : "spec";
      call().get(path).then().body(found + ".environment.KEY", equalTo("***"));
      call()
          .get(path + "?environment=values")
          .then()
          .statusCode(200)
          .body(found + ".environment.KEY", equalTo("secret"))
          .body(found + ".runtime", equalTo("nodejs"));
      for (String query :
          List.of("environment=", "environment=all", "values", "enviroment=values")) {
        shouldBeProblem(call().get(path + "?" + query).then(), 400, "invalid-request");
      }
      given().get(path + "?environment=values").then().statusCode(401);
    }
    shouldBeProblem(
        call().get("/functions/none?environment=values").then(), 404, "unknown-function");
    shouldBeProblem(call().get("/functions?environment=values").then(), 400, "invalid-request");
  }

  /** What was shown, sent back, destroys no secret. */
  @Test
  void shouldTakeBackASpecificationAsItWasShown() {
    deploy("sieve?runtime=nodejs&env=KEY=secret&env=OLD=1");
    Map<String, Object> shown = call().get("/functions/sieve").path("spec");
    call()
        .multiPart("spec", shown)
        .multiPart("archive", "x.zip", zip("x"), "application/zip")
        .put("/functions/sieve")
        .then()
        .statusCode(200);
    call()
        .contentType(MERGE_PATCH)
        .body("{\"environment\":{\"KEY\":\"***\",\"OLD\":null,\"NEW\":\"2\"}}")
        .patch("/functions/sieve")
        .then()
        .statusCode(200)
        .body("spec.environment", equalTo(Map.of("KEY", "***", "NEW", "***")));
    call()
        .get("/functions/sieve?environment=values")
        .then()
        .body("spec.environment", equalTo(Map.of("KEY", "secret", "NEW", "2")));
    call().post("/functions/sieve/rollback").then().body("spec.environment.OLD", equalTo("***"));
    shouldBeProblem(
        deploy("sieve?env=OTHER=***").body("field", equalTo("environment.OTHER")),
        400,
        "invalid-spec");
    shouldBeProblem(
        deploy("fresh?runtime=nodejs&env=KEY=***").body("field", equalTo("environment.KEY")),
        400,
        "invalid-spec");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "{\"environment\":{\"KEY\":\"***\"}} | invalid-spec",
        "{\"handlers\":0} | invalid-spec",
        "{\"handler\":1} | invalid-spec",
        "{\"runtime\":null} | invalid-spec",
        "{\"handlers\": | invalid-request",
        "[] | invalid-request",
      })
  void shouldRefuseAPatch(String patch, String type) {
    deploy("sieve?runtime=nodejs");
    RequestSpecification request = call().contentType(MERGE_PATCH).body(patch);
    shouldBeProblem(request.patch("/functions/sieve").then(), 400, type);
    RequestSpecification large =
        call().contentType(MERGE_PATCH).body("{\"runtime\":\"" + "x".repeat(600_000) + "\"}");
    shouldBeProblem(large.patch("/functions/sieve").then(), 400, "invalid-request");
  }

  @Test
  void shouldListVersionsAndRollBack() {
    deploy("sieve?runtime=nodejs");
    deploy("sieve?runtime=nodejs&handlers=2");
    deploy("sieve?runtime=nodejs&handlers=3");
    call()
        .get("/functions/sieve/versions")
        .then()
        .statusCode(200)
        .body("version", equalTo(List.of(1, 2, 3)))
        .body("active", equalTo(List.of(false, false, true)))
        .body("spec.handlers", equalTo(List.of(1, 2, 3)));
    call()
        .post("/functions/sieve/rollback")
        .then()
        .statusCode(200)
        .body("version", equalTo(2))
        .body("handlers", hasSize(2));
    call().post("/functions/sieve/rollback?version=1").then().body("version", equalTo(1));
    call()
        .contentType("application/json")
        .body("{\"version\":3}")
        .post("/functions/sieve/rollback")
        .then()
        .statusCode(200)
        .body("version", equalTo(3));
  }

  @Test
  void shouldGoFurtherBackInWhatWasDeployed() {
    deploy("sieve?runtime=nodejs&env=V=1");
    deploy("sieve?env=V=2");
    deploy("sieve?env=V=3");
    call()
        .contentType(MERGE_PATCH)
        .body("{\"handlers\":4}")
        .patch("/functions/sieve")
        .then()
        .body("version", equalTo(4));
    call().post("/functions/sieve/rollback").then().body("version", equalTo(2));
    call().post("/functions/sieve/rollback").then().body("version", equalTo(1));
    shouldBeProblem(call().post("/functions/sieve/rollback").then(), 404, "unknown-version");
    call().get("/functions/sieve").then().body("version", equalTo(1));
  }

  @Test
  void shouldRefuseAVersionThatIsNoNumber() {
    deploy("sieve?runtime=nodejs");
    for (String version : List.of("0", "-1", "x", "1.5", "99999999999", "")) {
      shouldBeProblem(
          call().post("/functions/sieve/rollback?version=" + version).then(),
          400,
          "invalid-request");
    }
    for (String body :
        List.of("{\"version\":\"1\"}", "{\"version\":0}", "{\"v\":1}", "{\"version\":1,\"x\":1}")) {
      RequestSpecification request = call().contentType("application/json").body(body);
      shouldBeProblem(request.post("/functions/sieve/rollback").then(), 400, "invalid-request");
    }
    RequestSpecification twice = call().contentType("application/json").body("{\"version\":1}");
    shouldBeProblem(
        twice.post("/functions/sieve/rollback?version=1").then(), 400, "invalid-request");
    shouldBeProblem(
        call().post("/functions/sieve/rollback?version=7").then(), 404, "unknown-version");
  }

  @Test
  void shouldDelete() {
    deploy("sieve?runtime=nodejs");
    call().delete("/functions/sieve").then().statusCode(204).body(blankOrNullString());
    shouldBeProblem(call().delete("/functions/sieve").then(), 404, "unknown-function");
    shouldBeProblem(call().get("/functions/sieve").then(), 404, "unknown-function");
  }
}
