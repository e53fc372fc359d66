package io.tinyfaas.manager;

import static io.restassured.RestAssured.given;
import static io.tinyfaas.harness.Eventually.eventually;
import static org.assertj.core.api.Assertions.assertThat;
import static org.hamcrest.Matchers.containsString;
import static org.hamcrest.Matchers.equalTo;
import static org.hamcrest.Matchers.hasSize;

import io.quarkus.test.common.WithTestResource;
import io.quarkus.test.junit.QuarkusTest;
import io.restassured.response.Response;
import io.restassured.specification.RequestSpecification;
import io.tinyfaas.contract.control.CallDescription;
import io.tinyfaas.contract.control.CallId;
import io.tinyfaas.contract.control.CallState;
import io.tinyfaas.contract.control.CallsPlace;
import io.tinyfaas.contract.control.CallsReply;
import io.tinyfaas.contract.control.CallsRequest;
import io.tinyfaas.contract.control.CallsRequest.Action;
import io.tinyfaas.contract.route.FunctionName;
import io.tinyfaas.harness.Broker;
import java.time.Instant;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What operators ask about calls, by the real broker, of a gateway that the test plays. */
@Tag("slow")
@QuarkusTest
@WithTestResource(RealParts.class)
@Timeout(value = 5, unit = TimeUnit.MINUTES)
class CallQuestionsIT extends FunctionOnAnEngine {

  private final List<CallsRequest> asked = new CopyOnWriteArrayList<>();

  Broker broker;

  @BeforeEach
  void record() {
    asked.clear();
    gateway.answers(
        question -> {
          asked.add(question);
          return Optional.empty();
        });
  }

  private static RequestSpecification call() {
    return given().header("Authorization", "Bearer a-token-for-tests-only");
  }

  private static CallDescription failed(String reason) {
    return new CallDescription(
        new CallId("A".repeat(22)),
        new FunctionName("gone"),
        CallState.FAILED,
        1,
        Instant.EPOCH,
        Optional.empty(),
        Optional.of(Instant.EPOCH),
        Optional.empty(),
        Optional.of(reason),
        "http",
        Optional.empty(),
        Optional.empty());
  }

  @Test
  void shouldPassOnTheLargestPageThatThereMayBe() {
    gateway.answers(
        question ->
            Optional.of(
                CallsReply.listed(
                    question.id(),
                    Collections.nCopies(
                        question.limit(), failed("\u20ac".repeat(CallDescription.MAX_REASON))),
                    Optional.of(new CallsPlace("next")))));

    call()
        .get("/functions/gone/failed?limit=1000")
        .then()
        .statusCode(200)
        .body("calls", hasSize(1000))
        .body("next", equalTo("next"));
  }

  @Test
  void shouldHaveTheGatewayChangeAllPages() {
    gateway.answers(
        question -> {
          asked.add(question);
          return Optional.of(
              CallsReply.changed(
                  question.id(),
                  500,
                  asked.size() < 3 ? Optional.of(new CallsPlace("next")) : Optional.empty()));
        });

    call().delete("/functions/gone/failed").then().statusCode(200).body("count", equalTo(1500));

    assertThat(asked)
        .hasSize(3)
        .allSatisfy(question -> assertThat(question.action()).isEqualTo(Action.REMOVE));
  }

  @Test
  void shouldSayThatTheGatewayDoesNotAnswerAndTakeNoLateAnswerForAnother() {
    Response unanswered = call().get("/functions/gone/failed");
    unanswered
        .then()
        .statusCode(503)
        .header("Retry-After", "5")
        .body("type", equalTo("urn:tinyfaas:problem:gateway-unavailable"))
        .body("detail", containsString("has not answered within"));
    CallsRequest late = asked.getFirst();

    gateway.answers(
        question -> {
          gateway.answer(CallsReply.listed(late.id(), List.of(failed("late")), Optional.empty()));
          return Optional.of(
              CallsReply.listed(question.id(), List.of(failed("now")), Optional.empty()));
        });

    call()
        .get("/functions/gone/failed")
        .then()
        .statusCode(200)
        .body("calls", hasSize(1))
        .body("calls[0].reason", equalTo("now"));
  }

  @Test
  void shouldSayThatTheBrokerStandsStillAndGoOnWithIt() {
    broker.standsStill();
    try {
      call()
          .delete("/functions/gone/failed")
          .then()
          .statusCode(503)
          .body("detail", containsString("GET /functions/gone/failed shows what is left"));
    } finally {
      broker.goesOn();
    }
    gateway.answers(
        question -> Optional.of(CallsReply.listed(question.id(), List.of(), Optional.empty())));

    eventually().untilAsserted(() -> call().get("/functions/gone/failed").then().statusCode(200));
  }
}
