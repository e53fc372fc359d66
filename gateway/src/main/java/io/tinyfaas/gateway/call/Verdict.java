package io.tinyfaas.gateway.call;

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
import io.vertx.core.http.HttpHeaders;
import java.nio.charset.StandardCharsets;
import java.time.DateTimeException;
import java.time.Duration;
import java.time.ZonedDateTime;
import java.time.format.DateTimeFormatter;
import java.util.random.RandomGenerator;

/** What follows from the end of an attempt. */
sealed interface Verdict {

  /** The function did it. */
  record Done(Answered answer) implements Verdict {}

  /**
   * What has become of another call was heard.
   *
   * @param status of the answer, or {@link Call#NO_STATUS}
   */
  record Told(int status) implements Verdict {}

  /**
   * It is tried again, later.
   *
   * @param status of the answer, or {@link Call#NO_STATUS}
   * @param in how many milliseconds
   */
  record Again(int status, String why, long in) implements Verdict {}

  /** It is not tried again. */
  record Failed(int status, String why) implements Verdict {}

  /** The function has not had it: none of its handlers takes anything at the moment. */
  record NotTaken(String why) implements Verdict {}

  /** The gateway stops; its next life goes on with the call. */
  record Interrupted() implements Verdict {}

  long LONGEST_BACKOFF = Duration.ofMinutes(5).toMillis();
  long LONGEST_RETRY_AFTER = Duration.ofDays(1).toMillis();

  /**
   * A fifth of a delay is left to chance, so that calls that failed together do not come again
   * together.
   */
  int JITTER_FRACTION = 5;

  int EXCERPT_BYTES = 200;

  /**
   * @param atOnce whether it ended before it was begun
   * @param attempts that ended before this one
   * @param now in milliseconds since 1970
   */
  static Verdict of(
      InvocationResult result,
      boolean atOnce,
      int attempts,
      CallPolicy policy,
      long now,
      RandomGenerator random) {
    return switch (result) {
      case Answered answer when answer.status() < 400 -> new Done(answer);
      case Answered answer when isTemporary(answer.status()) -> {
        long wish = retryAfter(answer.headers().get(HttpHeaders.RETRY_AFTER), now);
        yield again(RetryOn.ERROR, answer.status(), why(answer), wish, attempts, policy, random);
      }
      case Answered answer -> new Failed(answer.status(), why(answer));
      case BadAnswer(String why) ->
          again(RetryOn.ERROR, Call.NO_STATUS, why, 0, attempts, policy, random);
      case TimedOut _ -> {
        String why = "the function did not answer in time";
        yield again(RetryOn.TIMEOUT, Call.NO_STATUS, why, 0, attempts, policy, random);
      }
      case Overloaded _ when !atOnce -> {
        String why = "there was no memory for the answer";
        yield again(RetryOn.ERROR, Call.NO_STATUS, why, 0, attempts, policy, random);
      }
      case NoHandler _ -> new NotTaken("the function has no healthy handler");
      case NoRouteTable _ -> new NotTaken("the gateway does not know its functions yet");
      case Overloaded _, PeerOverloaded _ -> new NotTaken("too many invocations are running");
      case Stopping _ -> new Interrupted();
      case UnknownFunction _ -> new Failed(Call.NO_STATUS, "there is no such function");
      case Unauthorized _ -> new Failed(Call.NO_STATUS, "the function is for devices only");
      case BadRequest(String why) -> new Failed(Call.NO_STATUS, why);
    };
  }

  /** The same of an attempt to tell somebody. */
  static Verdict of(
      Outcome outcome, int attempts, CallPolicy policy, long now, RandomGenerator random) {
    return switch (outcome) {
      case Outcome.Heard(int status) -> new Told(status);
      case Outcome.Refused(int status, String why) -> new Failed(status, why);
      case Outcome.Failed(int status, String why, String retryAfter) -> {
        long wish = retryAfter(retryAfter, now);
        yield again(RetryOn.ERROR, status, why, wish, attempts, policy, random);
      }
      case Outcome.NotTaken(String why) -> new NotTaken(why);
    };
  }

  /** What may pass: the function fails, or says that it does for the moment. */
  private static boolean isTemporary(int status) {
    return status >= 500 || status == 408 || status == 425 || status == 429;
  }

  private static Verdict again(
      RetryOn what,
      int status,
      String why,
      long atLeast,
      int attempts,
      CallPolicy policy,
      RandomGenerator random) {
    if (!policy.retryOn().contains(what) || attempts >= policy.retries()) {
      return new Failed(status, why);
    }
    return new Again(status, why, Math.max(atLeast, backoff(attempts, policy, random)));
  }

  private static long backoff(int attempts, CallPolicy policy, RandomGenerator random) {
    long first = policy.backoffMillis();
    long longest = Math.max(first, LONGEST_BACKOFF);
    long delay = attempts >= Integer.SIZE ? longest : Math.min(longest, first << attempts);
    long spread = delay / JITTER_FRACTION;
    return delay - spread / 2 + random.nextLong(spread + 1);
  }

  /** RFC 9110, 10.2.3: seconds, or a date. */
  private static long retryAfter(String field, long now) {
    if (field == null) {
      return 0;
    }
    String text = field.strip();
    long wish;
    if (text.matches("\\d{1,9}")) {
      wish = Duration.ofSeconds(Long.parseLong(text)).toMillis();
    } else {
      try {
        wish =
            ZonedDateTime.parse(text, DateTimeFormatter.RFC_1123_DATE_TIME)
                    .toInstant()
                    .toEpochMilli()
                - now;
      } catch (DateTimeException e) {
        return 0;
      }
    }
    return Math.clamp(wish, 0, LONGEST_RETRY_AFTER);
  }

  private static String why(Answered answer) {
    byte[] body = answer.body();
    String excerpt =
        new String(body, 0, Math.min(EXCERPT_BYTES, body.length), StandardCharsets.UTF_8)
            .replaceAll("\\p{Cntrl}+", " ")
            .strip();
    return "status " + answer.status() + (excerpt.isEmpty() ? "" : ": " + excerpt);
  }
}
