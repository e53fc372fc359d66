package io.tinyfaas.function;

import java.io.EOFException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Calls functions by the gateway's socket ({@code contract/handler-http.md}). */
final class Caller {

  /** The variable that names the gateway's socket. */
  static final String SOCKET = "TINYFAAS_CALLS_SOCKET";

  private static final int DEFAULT_MAX_BODY = 1_048_576;

  /**
   * The gateway knows better what took so long, and answers at the deadline: it has the time to.
   */
  private static final Duration GRACE = Duration.ofSeconds(1);

  private static final String PROBLEM = "urn:tinyfaas:problem:";
  private static final Pattern MEMBER =
      Pattern.compile("\"(type|title|detail)\"\\s*:\\s*\"((?:[^\"\\\\]|\\\\.)*)\"");
  private static final Pattern ESCAPE = Pattern.compile("\\\\(?:u([0-9A-Fa-f]{4})|(.))");

  private final Optional<CallConnections> connections;
  private final int maxBody;

  /**
   * @param socket empty where the function may call no others
   * @param maxBody of requests and answers, in bytes
   */
  Caller(Optional<Path> socket, int maxBody) {
    this.connections = socket.map(path -> new CallConnections(path, maxBody));
    this.maxBody = maxBody;
  }

  static Caller ofThisHandler() {
    String maxBody = System.getenv("TINYFAAS_MAX_BODY");
    return new Caller(
        Optional.ofNullable(System.getenv(SOCKET)).filter(path -> !path.isEmpty()).map(Path::of),
        maxBody == null || maxBody.isEmpty() ? DEFAULT_MAX_BODY : Integer.parseInt(maxBody));
  }

  Answer call(String function, Request request, Delivery delivery) {
    CallConnections to =
        connections.orElseThrow(
            () ->
                new CallException(
                    "This function may call no others. Name those that it calls in its"
                        + " specification: \"calls\": [\""
                        + function
                        + "\"]."));
    if (request.body().length > maxBody) {
      throw new CallException(
          "%s is not called: the body has %d bytes, and may have %d."
              .formatted(function, request.body().length, maxBody));
    }
    CallRequest sent = CallRequest.of(function, request, delivery);
    if (sent.millisLeft() <= 0) {
      throw new CallException(
          function
              + " is not called: nobody waits for this invocation any more, its time is over.");
    }
    long nanos = TimeUnit.MILLISECONDS.toNanos(sent.millisLeft()) + GRACE.toNanos();
    return answered(function, exchange(function, sent, to, System.nanoTime() + nanos));
  }

  private static Answer exchange(
      String function, CallRequest request, CallConnections connections, long end) {
    try {
      return connections.exchange(request, end);
    } catch (CallConnections.Late e) {
      throw new CallException(function + " has not answered in time.");
    } catch (CallConnections.Unreachable e) {
      throw new CallException(
          "%s is not called: the gateway cannot be reached (%s). It may be starting anew."
              .formatted(function, e.getCause().getMessage()),
          e.getCause());
    } catch (AnswerReader.Unacceptable e) {
      throw new CallException(
          "The answer of " + function + " cannot be taken: " + e.getMessage() + ".");
    } catch (EOFException e) {
      throw new CallException("The answer of " + function + " was cut short.", e);
    } catch (IOException e) {
      throw new CallException(
          "The gateway has closed the connection before "
              + function
              + " answered, which may have run.",
          e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new CallException("The call of " + function + " was interrupted.", e);
    }
  }

  /** A status of the called function is an answer, a problem of the gateway is none. */
  private static Answer answered(String function, Answer answer) {
    if (answer.status() < 400
        || !answer.header("Content-Type").orElse("").startsWith("application/problem+json")) {
      return answer;
    }
    String type = "";
    String said = "";
    String text = new String(answer.body(), StandardCharsets.UTF_8);
    for (Matcher member = MEMBER.matcher(text); member.find(); ) {
      String value = unescaped(member.group(2));
      if (member.group(1).equals("type")) {
        type = value;
      } else {
        said += (said.isEmpty() ? "" : ". ") + value;
      }
    }
    if (!type.startsWith(PROBLEM)) {
      return answer;
    }
    throw new CallException(
        "%s is not called (%d): %s".formatted(function, answer.status(), said),
        answer.status(),
        type.substring(PROBLEM.length()));
  }

  private static String unescaped(String json) {
    return ESCAPE
        .matcher(json)
        .replaceAll(
            escape ->
                Matcher.quoteReplacement(
                    escape.group(1) != null
                        ? Character.toString(Integer.parseInt(escape.group(1), 16))
                        : escape.group(2).replace('n', '\n').replace('t', '\t')));
  }
}
