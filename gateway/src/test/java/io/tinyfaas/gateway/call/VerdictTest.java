package io.tinyfaas.gateway.call;

import static org.assertj.core.api.Assertions.assertThat;

import io.tinyfaas.contract.route.CallPolicy;
import io.tinyfaas.contract.route.RetryOn;
import io.tinyfaas.gateway.callback.Outcome;
import io.tinyfaas.gateway.invoke.InvocationResult;
import io.tinyfaas.gateway.invoke.InvocationResult.Answered;
import io.tinyfaas.gateway.invoke.InvocationResult.BadAnswer;
import io.tinyfaas.gateway.invoke.InvocationResult.BadRequest;
import io.tinyfaas.gateway.invoke.InvocationResult.NoHandler;
import io.tinyfaas.gateway.invoke.InvocationResult.NoRouteTable;
import io.tinyfaas.gateway.invoke.InvocationResult.Overloaded;
import io.tinyfaas.gateway.invoke.InvocationResult.PeerOverloaded;
import io.tinyfaas.gateway.invoke.InvocationResult.Stopping;
import io.tinyfaas.gateway.invoke.InvocationResult.TimedOut;
import io.tinyfaas.gateway.invoke.InvocationResult.Unauthorized;
import io.tinyfaas.gateway.invoke.InvocationResult.UnknownFunction;
import io.vertx.core.MultiMap;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.EnumSet;
import java.util.HashSet;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class VerdictTest {

  private static final long NOW = Instant.parse("2026-11-30T12:00:00Z").toEpochMilli();
  private static final long HOUR = Duration.ofHours(1).toMillis();

  private final Random random = new Random(42);

  private static CallPolicy policy(int retries, long backoff, Set<RetryOn> retryOn) {
    return new CallPolicy(false, retries, backoff, HOUR, retryOn, Optional.empty());
  }

  private static CallPolicy policy(long backoff) {
    return policy(100, backoff, EnumSet.allOf(RetryOn.class));
  }

  private Verdict of(InvocationResult result, int attempts, CallPolicy policy) {
    return Verdict.of(result, false, attempts, policy, NOW, random);
  }

  private Verdict of(InvocationResult result) {
    return of(result, 0, policy(1_000));
  }

  private static Answered answer(int status, String body) {
    return PlayedCalls.answer(status, body);
  }

  private long delay(String retryAfter) {
    Answered answer =
        new Answered(
            503, MultiMap.caseInsensitiveMultiMap().set("Retry-After", retryAfter), new byte[0]);
    return ((Verdict.Again) of(answer, 0, policy(1_000))).in();
  }

  private Verdict of(Outcome outcome, int attempts) {
    return Verdict.of(
        outcome, attempts, policy(2, 1_000, EnumSet.allOf(RetryOn.class)), NOW, random);
  }

  @Test
  void shouldFollowFromWhatCameOfTellingSomebody() {
    assertThat(of(new Outcome.Heard(204), 0)).isEqualTo(new Verdict.Told(204));
    assertThat(of(new Outcome.Refused(404, "no"), 0)).isEqualTo(new Verdict.Failed(404, "no"));
    assertThat(of(new Outcome.NotTaken("away"), 9)).isEqualTo(new Verdict.NotTaken("away"));
    assertThat(of(new Outcome.Failed(503, "later", "60"), 0))
        .isInstanceOfSatisfying(
            Verdict.Again.class, again -> assertThat(again.in()).isEqualTo(60_000));
    assertThat(of(new Outcome.Failed(0, "no answer", ""), 1)).isInstanceOf(Verdict.Again.class);
    assertThat(of(new Outcome.Failed(0, "no answer", ""), 2))
        .isEqualTo(new Verdict.Failed(0, "no answer"));
  }

  @ParameterizedTest
  @ValueSource(ints = {200, 204, 302, 399})
  void shouldBeDone(int status) {
    Answered answer = answer(status, "x");

    assertThat(of(answer)).isEqualTo(new Verdict.Done(answer));
  }

  @ParameterizedTest
  @ValueSource(ints = {408, 425, 429, 500, 503, 599})
  void shouldTryAgainWhatMayPass(int status) {
    assertThat(of(answer(status, "later")))
        .isInstanceOfSatisfying(
            Verdict.Again.class,
            again -> {
              assertThat(again.status()).isEqualTo(status);
              assertThat(again.why()).isEqualTo("status " + status + ": later");
            });
    assertThat(of(answer(status, ""), 0, policy(5, 1_000, EnumSet.of(RetryOn.TIMEOUT))))
        .isEqualTo(new Verdict.Failed(status, "status " + status));
  }

  @ParameterizedTest
  @ValueSource(ints = {400, 401, 404, 409, 422, 451})
  void shouldNotTryAgainWhatIsWrong(int status) {
    assertThat(of(answer(status, "no")))
        .isEqualTo(new Verdict.Failed(status, "status " + status + ": no"));
  }

  @Test
  void shouldTryAgainWithoutAnAnswer() {
    assertThat(of(new BadAnswer("no HTTP")))
        .isInstanceOfSatisfying(
            Verdict.Again.class,
            again -> {
              assertThat(again.status()).isEqualTo(Call.NO_STATUS);
              assertThat(again.why()).isEqualTo("no HTTP");
            });
    assertThat(of(new TimedOut())).isInstanceOf(Verdict.Again.class);
    assertThat(of(new TimedOut(), 0, policy(5, 1_000, EnumSet.of(RetryOn.ERROR))))
        .isInstanceOf(Verdict.Failed.class);
    assertThat(of(new BadAnswer("no"), 0, policy(5, 1_000, EnumSet.of(RetryOn.TIMEOUT))))
        .isInstanceOf(Verdict.Failed.class);
  }

  @Test
  void shouldTryAgainAsOftenAsThePolicySays() {
    CallPolicy twice = policy(2, 1_000, EnumSet.allOf(RetryOn.class));

    assertThat(of(new TimedOut(), 0, twice)).isInstanceOf(Verdict.Again.class);
    assertThat(of(new TimedOut(), 1, twice)).isInstanceOf(Verdict.Again.class);
    assertThat(of(new TimedOut(), 2, twice)).isInstanceOf(Verdict.Failed.class);
    CallPolicy never = policy(0, 1_000, EnumSet.allOf(RetryOn.class));
    assertThat(of(new TimedOut(), 0, never)).isInstanceOf(Verdict.Failed.class);
  }

  @Test
  void shouldNotCountWhatTheFunctionHasNotHad() {
    CallPolicy never = policy(0, 1_000, EnumSet.noneOf(RetryOn.class));

    assertThat(of(new NoHandler(), 0, never)).isInstanceOf(Verdict.NotTaken.class);
    assertThat(of(new NoRouteTable(), 0, never)).isInstanceOf(Verdict.NotTaken.class);
    assertThat(of(new PeerOverloaded(), 0, never)).isInstanceOf(Verdict.NotTaken.class);
    assertThat(Verdict.of(new Overloaded(), true, 0, never, NOW, random))
        .isInstanceOf(Verdict.NotTaken.class);
    assertThat(of(new Stopping(), 0, never)).isInstanceOf(Verdict.Interrupted.class);
  }

  /** The function has run: its answer did not fit. */
  @Test
  void shouldCountWhatHadNoRoomForTheAnswer() {
    assertThat(of(new Overloaded())).isInstanceOf(Verdict.Again.class);
  }

  @Test
  void shouldFailWhatNobodyCanDo() {
    assertThat(of(new UnknownFunction())).isInstanceOf(Verdict.Failed.class);
    assertThat(of(new Unauthorized())).isInstanceOf(Verdict.Failed.class);
    assertThat(of(new BadRequest("too long")))
        .isEqualTo(new Verdict.Failed(Call.NO_STATUS, "too long"));
  }

  @ParameterizedTest
  @CsvSource({
    "0, 1000, 1000",
    "1, 1000, 2000",
    "5, 1000, 32000",
    "9, 1000, 300000",
    "31, 1000, 300000",
    "32, 1000, 300000",
    "99, 1000, 300000",
    "0, 100, 100",
    "0, 3600000, 3600000",
    "31, 3600000, 3600000",
    "99, 3600000, 3600000"
  })
  void shouldDoubleTheDelay(int attempts, long backoff, long delay) {
    Set<Long> delays = new HashSet<>();
    for (int i = 0; i < 1_000; i++) {
      delays.add(((Verdict.Again) of(new TimedOut(), attempts, policy(backoff))).in());
    }

    assertThat(delays).allMatch(each -> each >= delay * 9 / 10 && each <= delay * 11 / 10);
    assertThat(delays).hasSizeGreaterThan(15);
    assertThat(delays.stream().mapToLong(each -> each).average().orElseThrow())
        .isBetween(delay * 0.98, delay * 1.02);
  }

  @Test
  void shouldWaitAsLongAsTheFunctionWishes() {
    assertThat(delay("120")).isEqualTo(120_000);
    assertThat(delay(" 7 ")).isEqualTo(7_000);
    assertThat(delay("Mon, 30 Nov 2026 12:01:00 GMT")).isEqualTo(60_000);
    assertThat(delay("999999999")).isEqualTo(Duration.ofDays(1).toMillis());
    assertThat(delay("Wed, 30 Nov 2033 12:01:00 GMT")).isEqualTo(Duration.ofDays(1).toMillis());
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "0",
        "-5",
        "1.5",
        "soon",
        "",
        "9999999999",
        "Mon, 30 Nov 2026 11:00:00 GMT",
        "Tue, 31 Nov 2026 12:00:00 GMT",
        "Fri, 30 Nov 2026 12:01:00 GMT"
      })
  void shouldWaitAsUsualForWhatIsNoWish(String retryAfter) {
    assertThat(delay(retryAfter)).isBetween(900L, 1_100L);
  }

  @Test
  void shouldTellTheBeginningOfAnAnswer() {
    Answered answer = answer(500, "line\r\n\tnext" + "é".repeat(500));

    String why = ((Verdict.Again) of(answer)).why();
    assertThat(why).startsWith("status 500: line nexté").hasSizeLessThan(220);
    assertThat(new String(why.getBytes(StandardCharsets.UTF_8), StandardCharsets.UTF_8))
        .isEqualTo(why);
  }
}
