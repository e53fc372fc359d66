package io.tinyfaas.manager.api.access;

import static io.tinyfaas.manager.problem.ProblemType.INVALID_REQUEST;
import static io.tinyfaas.manager.problem.ProblemType.UNAUTHORIZED;

import io.netty.channel.Channel;
import io.netty.util.AttributeKey;
import io.quarkus.runtime.configuration.ConfigurationException;
import io.quarkus.vertx.http.runtime.filters.Filters;
import io.tinyfaas.contract.setting.SettingsCheck;
import io.tinyfaas.manager.api.connection.IdleConnections;
import io.tinyfaas.manager.problem.Problem;
import io.tinyfaas.manager.problem.ProblemException;
import io.vertx.core.Future;
import io.vertx.core.http.HttpHeaders;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.http.HttpServerResponse;
import io.vertx.ext.web.RoutingContext;
import jakarta.enterprise.event.Observes;
import jakarta.inject.Singleton;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.eclipse.microprofile.config.inject.ConfigProperty;
import org.jboss.logging.Logger;

/**
 * Stands before everything that the manager serves, and before a body is read: who calls, how large
 * the body says it is, and how long it may take to come. Runs on the event loop and never blocks.
 */
@Singleton
class AccessFilter {

  private static final Logger LOG = Logger.getLogger(AccessFilter.class);

  /** Before the routes of Quarkus, among them the one that looks at the body's size. */
  static final int FIRST = 10_000;

  /** How long a refused body is read on, so that its sender gets to see the answer. */
  private static final Duration DRAIN_TIME = Duration.ofSeconds(2);

  /** What monitoring and people need before they have a token; none of it tells a secret. */
  private static final List<String> OPEN_PATHS =
      List.of("/q/health", "/q/metrics", "/q/openapi", "/q/swagger-ui");

  /** Of a connection on which no request is read any more. */
  private static final AttributeKey<Boolean> ENDING = AttributeKey.valueOf("tinyfaas.ending");

  private final AccessPolicy policy;
  private final BodyLimit bodyLimit;
  private final IdleConnections idle;
  private final Duration uploadTimeout;

  AccessFilter(
      AccessPolicy policy,
      BodyLimit bodyLimit,
      IdleConnections idle,
      @ConfigProperty(name = "tinyfaas.upload-timeout") Duration uploadTimeout) {
    new SettingsCheck()
        .time("TINYFAAS_UPLOAD_TIMEOUT", uploadTimeout, Duration.ofSeconds(1), Duration.ofHours(24))
        .orThrow(ConfigurationException::new);
    this.policy = policy;
    this.bodyLimit = bodyLimit;
    this.idle = idle;
    this.uploadTimeout = uploadTimeout;
  }

  void register(@Observes Filters filters) {
    filters.register(this::handle, FIRST);
  }

  private void handle(RoutingContext context) {
    HttpServerRequest request = context.request();
    Channel channel = IdleConnections.channel(request.connection());
    if (channel.hasAttr(ENDING)) {
      return; // what seems to be a request is what followed one whose end is not known
    }
    if (!isReadable(request)) {
      channel.attr(ENDING).set(true);
      refuseUnreadable(request);
      return;
    }
    idle.requested(request.connection());
    Future<Void> whole = request.end();
    Runnable received = limitTime(context);
    BodyLimit.whenReceived(context, received);
    context.addEndHandler(
        ended -> {
          received.run();
          drain(context, whole);
          idle.answered(request.connection());
        });
    try {
      if (!isOpen(context.normalizedPath())) {
        policy.check(
            header(request, HttpHeaders.AUTHORIZATION),
            header(request, HttpHeaders.HOST),
            header(request, HttpHeaders.ORIGIN),
            header(request, "Sec-Fetch-Site"));
        requireHost(request);
      }
      bodyLimit.check(context.normalizedPath(), header(request, HttpHeaders.CONTENT_LENGTH));
    } catch (ProblemException e) {
      refuse(request, e);
      return;
    }
    context.next();
  }

  /** HTTP/1.0 needs none, but no resource could say where it is. */
  private static void requireHost(HttpServerRequest request) {
    if (request.authority() == null) {
      throw ProblemException.of(
          INVALID_REQUEST, "The request has no Host, or one that is none: Host: localhost:8080.");
    }
  }

  /**
   * Of any other coding the server takes the body for the next request: RFC 9112, section 6.3, lets
   * it answer, and then read no further.
   */
  private static boolean isReadable(HttpServerRequest request) {
    List<String> codings = request.headers().getAll(HttpHeaders.TRANSFER_ENCODING);
    return codings.isEmpty()
        || codings.size() == 1 && codings.getFirst().strip().equalsIgnoreCase("chunked");
  }

  private static void refuseUnreadable(HttpServerRequest request) {
    boolean ambiguous = request.headers().contains(HttpHeaders.CONTENT_LENGTH);
    Problem problem =
        Problem.ofStatus(
            ambiguous ? 400 : 501,
            ambiguous ? "Bad Request" : "Not Implemented",
            ambiguous
                ? "The request has a Content-Length and a Transfer-Encoding: send one of them."
                : "Of all transfer codings only chunked can be read: send the body with that, or"
                    + " with a Content-Length.",
            request.path());
    request
        .response()
        .setStatusCode(problem.status())
        .putHeader(HttpHeaders.CONTENT_TYPE, Problem.MEDIA_TYPE)
        .putHeader(HttpHeaders.CONNECTION, HttpHeaders.CLOSE)
        .end(problem.toJson())
        .onComplete(written -> request.connection().close());
  }

  /**
   * Ends a request whose body does not come in time.
   *
   * @return to be run when it has come, or nobody waits for it any more
   */
  private Runnable limitTime(RoutingContext context) {
    HttpServerRequest request = context.request();
    if (header(request, HttpHeaders.CONTENT_LENGTH).matches("0*")
        && header(request, HttpHeaders.TRANSFER_ENCODING).isEmpty()) {
      return () -> {};
    }
    long timer =
        context.vertx().setTimer(uploadTimeout.toMillis(), id -> endIfStillSending(request));
    return () -> context.vertx().cancelTimer(timer);
  }

  private static boolean isOpen(String path) {
    return path.equals("/")
        || OPEN_PATHS.stream().anyMatch(open -> path.equals(open) || path.startsWith(open + "/"));
  }

  private static String header(HttpServerRequest request, CharSequence name) {
    return Optional.ofNullable(request.getHeader(name)).orElse("");
  }

  private static void refuse(HttpServerRequest request, ProblemException e) {
    HttpServerResponse response = request.response();
    response.setStatusCode(e.type().status());
    response.putHeader(HttpHeaders.CONTENT_TYPE, Problem.MEDIA_TYPE);
    if (e.type() == UNAUTHORIZED) {
      response.putHeader("WWW-Authenticate", "Bearer realm=\"tinyfaas\"");
    }
    response.end(Problem.of(e, request.path()).toJson());
  }

  private void endIfStillSending(HttpServerRequest request) {
    if (!request.isEnded()) {
      LOG.warnf("event=upload-ended path=%s after=%s", request.path(), uploadTimeout);
      request.connection().close();
    }
  }

  /**
   * Closing at once would reset the connection under the answer. Of one that is closed nothing is
   * held for that time: those who come and go are thousands in it.
   */
  private static void drain(RoutingContext context, Future<Void> whole) {
    HttpServerRequest request = context.request();
    if (!request.isEnded()) {
      request.resume();
      long timer =
          context.vertx().setTimer(DRAIN_TIME.toMillis(), id -> request.connection().close());
      whole.onComplete(ended -> context.vertx().cancelTimer(timer));
    }
  }
}
