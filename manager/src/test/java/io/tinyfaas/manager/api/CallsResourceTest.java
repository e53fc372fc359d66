package io.tinyfaas.manager.api;

import static io.restassured.RestAssured.given;
import static org.assertj.core.api.Assertions.assertThat;
import static org.hamcrest.Matchers.empty;
import static org.hamcrest.Matchers.equalTo;
import static org.hamcrest.Matchers.hasSize;
import static org.hamcrest.Matchers.nullValue;

import io.quarkus.test.junit.QuarkusTest;
import io.quarkus.test.junit.TestProfile;
import io.tinyfaas.contract.control.CallDescription;
import io.tinyfaas.contract.control.CallId;
import io.tinyfaas.contract.control.CallState;
import io.tinyfaas.contract.control.CallsPlace;
import io.tinyfaas.contract.control.CallsReply;
import io.tinyfaas.contract.control.CallsRequest;
import io.tinyfaas.contract.control.CallsRequest.Action;
import io.tinyfaas.contract.route.FunctionName;
import io.tinyfaas.manager.call.PlayedGatewayCalls;
import jakarta.inject.Inject;
import java.time.Instant;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Calls of functions as operators see them; the gateway is played. */
@QuarkusTest
@TestProfile(WithoutEngine.class)
class CallsResourceTest extends RestCalls {

  private static final FunctionName SIEVE = new FunctionName("sieve");
  private static final CallId ID = new CallId("AAAAAAAAAAAAAAAAAAAA-_");
  private static final CallsPlace PLACE = new CallsPlace("a-place");

  @Inject PlayedGatewayCalls gateway;

  @AfterEach
  void forget() {
    gateway.forgetAnswers();
  }

  private static CallDescription failed() {
    return new CallDescription(
        ID,
        SIEVE,
        CallState.FAILED,
        6,
        Instant.parse("2026-11-30T20:15:00Z"),
        Optional.empty(),
        Optional.of(Instant.parse("2026-11-30T20:16:03.250Z")),
        Optional.of(500),
        Optional.of("the function answered 500"),
        "coaps",
        Optional.of("barn/lamp-7"),
        Optional.empty());
  }

  private static CallsReply none(CallsRequest question) {
    return CallsReply.listed(question.id(), List.of(), Optional.empty());
  }

  @Test
  void shouldListCallsPageByPage() {
    deploy("sieve?runtime=nodejs").statusCode(201);
    gateway.answersNext(
        question -> CallsReply.listed(question.id(), List.of(failed()), Optional.of(PLACE)));

    call()
        .get("/functions/sieve/calls?state=failed&state=waiting&limit=1&after=before")
        .then()
        .statusCode(200)
        .body("next", equalTo("a-place"))
        .body("calls", hasSize(1))
        .body(
            "calls[0]",
            equalTo(
                Map.ofEntries(
                    Map.entry("id", ID.value()),
                    Map.entry("function", "sieve"),
                    Map.entry("state", "failed"),
                    Map.entry("attempts", 6),
                    Map.entry("acceptedAt", "2026-11-30T20:15:00Z"),
                    Map.entry("finishedAt", "2026-11-30T20:16:03.250Z"),
                    Map.entry("status", 500),
                    Map.entry("reason", "the function answered 500"),
                    Map.entry("protocol", "coaps"),
                    Map.entry("device", "barn/lamp-7"))));

    assertThat(gateway.asked())
        .singleElement()
        .satisfies(
            question -> {
              assertThat(question.action()).isEqualTo(Action.LIST);
              assertThat(question.function()).isEqualTo(SIEVE);
              assertThat(question.states())
                  .containsExactlyInAnyOrder(CallState.WAITING, CallState.FAILED);
              assertThat(question.limit()).isEqualTo(1);
              assertThat(question.after()).contains(new CallsPlace("before"));
              assertThat(question.call()).isEmpty();
            });
  }

  @Test
  void shouldListAllStatesWhereNoneIsNamed() {
    deploy("sieve?runtime=nodejs").statusCode(201);
    gateway.answersNext(CallsResourceTest::none);

    call()
        .get("/functions/sieve/calls")
        .then()
        .statusCode(200)
        .body("calls", empty())
        .body("next", nullValue());

    CallsRequest question = gateway.asked().getFirst();
    assertThat(question.states()).isEqualTo(EnumSet.allOf(CallState.class));
    assertThat(question.limit()).isEqualTo(100);
  }

  /** They stay when the function is deleted. */
  @Test
  void shouldListAndRemoveFailedCallsOfAFunctionThatIsNoMore() {
    gateway.answersNext(
        question -> CallsReply.listed(question.id(), List.of(failed()), Optional.empty()));
    gateway.answersNext(question -> CallsReply.changed(question.id(), 1, Optional.empty()));

    call()
        .get("/functions/sieve/failed?limit=1000")
        .then()
        .statusCode(200)
        .body("calls[0].state", equalTo("failed"));
    call()
        .delete("/functions/sieve/failed")
        .then()
        .statusCode(200)
        .body("", equalTo(Map.of("count", 1)));

    assertThat(gateway.asked())
        .allSatisfy(question -> assertThat(question.states()).isEqualTo(Set.of(CallState.FAILED)))
        .extracting(CallsRequest::action)
        .containsExactly(Action.LIST, Action.REMOVE);
  }

  @Test
  void shouldLetAllFailedCallsBeginAnewHoweverManyPagesTheyAre() {
    deploy("sieve?runtime=nodejs").statusCode(201);
    gateway.answersNext(question -> CallsReply.changed(question.id(), 1000, Optional.of(PLACE)));
    gateway.answersNext(question -> CallsReply.changed(question.id(), 7, Optional.empty()));

    call()
        .post("/functions/sieve/failed/redrive")
        .then()
        .statusCode(200)
        .body("count", equalTo(1007));

    assertThat(gateway.asked())
        .allSatisfy(question -> assertThat(question.action()).isEqualTo(Action.REDRIVE))
        .extracting(CallsRequest::after)
        .containsExactly(Optional.empty(), Optional.of(PLACE));
  }

  @Test
  void shouldConcernOneCallWhereItIsNamed() {
    deploy("sieve?runtime=nodejs").statusCode(201);
    for (int count : new int[] {1, 1, 0, 0}) {
      gateway.answersNext(question -> CallsReply.changed(question.id(), count, Optional.empty()));
    }
    String query = "?call=" + ID;

    call().post("/functions/sieve/failed/redrive" + query).then().statusCode(200);
    call().delete("/functions/sieve/failed" + query).then().statusCode(200);
    shouldBeProblem(
        call().post("/functions/sieve/failed/redrive" + query).then(), 404, "unknown-call");
    shouldBeProblem(call().delete("/functions/sieve/failed" + query).then(), 404, "unknown-call");

    assertThat(gateway.asked())
        .hasSize(4)
        .allSatisfy(question -> assertThat(question.call()).contains(ID));
  }

  @ParameterizedTest
  @CsvSource({"GET, calls", "POST, failed/redrive"})
  void shouldKnowNoCallsOfAFunctionThatThereIsNot(String method, String path) {
    shouldBeProblem(
        call().request(method, "/functions/none/" + path).then(), 404, "unknown-function");
    assertThat(gateway.asked()).isEmpty();
  }

  @ParameterizedTest
  @CsvSource({
    "GET, calls?state=lost, state",
    "GET, calls?state=, state",
    "GET, calls?state=FAILED, state",
    "GET, calls?limit=0, limit",
    "GET, calls?limit=1001, limit",
    "GET, calls?limit=ten, limit",
    "GET, calls?limit=1&limit=2, limit",
    "GET, calls?after=, after",
    "GET, calls?after=a%2Fb, after",
    "GET, calls?call=x, call",
    "GET, failed?state=failed, state",
    "GET, failed?limit=-1, limit",
    "POST, failed/redrive?call=x, call",
    "POST, failed/redrive?limit=1, limit",
    "DELETE, failed?call=, call",
    "DELETE, failed?all=true, all",
  })
  void shouldRefuseParameters(String method, String path, String field) {
    deploy("sieve?runtime=nodejs").statusCode(201);
    shouldBeProblem(
        call()
            .urlEncodingEnabled(false)
            .request(method, "/functions/sieve/" + path)
            .then()
            .body("field", equalTo(field)),
        400,
        "invalid-request");
    assertThat(gateway.asked()).isEmpty();
  }

  @Test
  void shouldRefuseNamesThatNoFunctionHas() {
    shouldBeProblem(call().get("/functions/a_b/failed").then(), 400, "invalid-request");
    shouldBeProblem(call().delete("/functions/a_b/failed").then(), 400, "invalid-request");
  }

  @Test
  void shouldAskForTheToken() {
    Stream.of("/functions/sieve/calls", "/functions/sieve/failed")
        .forEach(path -> given().get(path).then().statusCode(401));
    given().delete("/functions/sieve/failed").then().statusCode(401);
    given().post("/functions/sieve/failed/redrive").then().statusCode(401);
    assertThat(gateway.asked()).isEmpty();
  }
}
