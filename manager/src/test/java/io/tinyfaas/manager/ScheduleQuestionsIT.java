package io.tinyfaas.manager;

import static io.restassured.RestAssured.given;
import static org.assertj.core.api.Assertions.assertThat;
import static org.hamcrest.Matchers.equalTo;
import static org.hamcrest.Matchers.hasKey;
import static org.hamcrest.Matchers.hasSize;
import static org.hamcrest.Matchers.not;

import io.quarkus.test.common.WithTestResource;
import io.quarkus.test.junit.QuarkusTest;
import io.restassured.specification.RequestSpecification;
import io.tinyfaas.contract.control.ScheduleStatus;
import io.tinyfaas.contract.control.SchedulesReply;
import io.tinyfaas.contract.route.Handler;
import io.tinyfaas.contract.route.Schedule;
import io.tinyfaas.manager.archive.Zip;
import io.tinyfaas.manager.spec.Specs;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Schedules on their way to a gateway that the test plays, and what it says of them. */
@QuarkusTest
@WithTestResource(RealParts.class)
@Timeout(value = 5, unit = TimeUnit.MINUTES)
class ScheduleQuestionsIT extends FunctionOnAnEngine {

  private static final Instant SIX = Instant.parse("2026-12-01T06:00:00Z");

  private static RequestSpecification call() {
    return given().header("Authorization", "Bearer a-token-for-tests-only");
  }

  @Test
  void shouldTellTheGatewaySchedulesKeepTheHandlersAndTellWhatItSays() {
    deploy(spec(), Zip.saying("one"));
    Handler before = onlyHandler();

    call()
        .contentType("application/merge-patch+json")
        .body("{\"schedules\": [{\"cron\": \"0 6 * * *\", \"body\": \"x\"}]}")
        .patch("/functions/Thing")
        .then()
        .statusCode(200);

    assertThat(onlyHandler()).isEqualTo(before);
    List<Schedule> schedules = gateway.route("Thing").orElseThrow().schedules();
    assertThat(schedules).extracting(Schedule::body).containsExactly("x");
    gateway.answersSchedules(
        question -> Optional.of(reply(question.id(), schedules.getFirst(), Instant.EPOCH)));
    call()
        .get("/functions/Thing")
        .then()
        .statusCode(200)
        .body("schedules", hasSize(1))
        .body("schedules[0].state", equalTo("waiting"))
        .body("schedules[0].next", equalTo("1970-01-01T00:00:00Z"));
  }

  @Test
  void shouldShowTheFunctionWithoutAnAnswerAndTakeNoOtherForIt() {
    deploy(
        Specs.of(
            "{\"runtime\": \"nodejs\", \"cpus\": 0.5, \"schedules\": [{\"cron\": \"0 6 * * *\"}]}"),
        Zip.saying("one"));
    Schedule schedule = gateway.route("Thing").orElseThrow().schedules().getFirst();

    gateway.answersSchedules(question -> Optional.of(reply(UUID.randomUUID(), schedule, SIX)));
    call()
        .get("/functions/Thing")
        .then()
        .statusCode(200)
        .body("name", equalTo("Thing"))
        .body("schedules[0].cron", equalTo("0 6 * * *"))
        .body("schedules[0]", not(hasKey("state")));
  }

  private static SchedulesReply reply(UUID id, Schedule schedule, Instant next) {
    return new SchedulesReply(
        id,
        List.of(
            new ScheduleStatus(
                schedule, ScheduleStatus.State.WAITING, Optional.empty(), Optional.of(next))));
  }
}
