package io.tinyfaas.manager.api;

import static io.tinyfaas.manager.problem.ProblemType.UNAUTHORIZED;

import io.quarkus.runtime.configuration.ConfigurationException;
import io.quarkus.vertx.http.runtime.filters.Filters;
import io.tinyfaas.contract.setting.SettingsCheck;
import io.tinyfaas.manager.problem.Problem;
import io.tinyfaas.manager.problem.ProblemException;
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
  private static final int FIRST = 10_000;

  /** How long a refused body is read on, so that its sender gets to see the answer. */
  private static final Duration DRAIN_TIME = Duration.ofSeconds(2);

  /** What monitoring and people need before they have a token; none of it tells a secret. */
  private static final List<String> OPEN_PATHS =
      List.of("/q/health", "/q/metrics", "/q/openapi", "/q/swagger-ui");

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
    idle.requested(request.connection());
    long timer =
        context.vertx().setTimer(uploadTimeout.toMillis(), id -> endIfStillSending(request));
    context.addEndHandler(
        ended -> {
          context.vertx().cancelTimer(timer);
          drain(context);
          idle.answered(request.connection());
        });
    try {
      if (!isOpen(context.normalizedPath())) {
        policy.check(
            header(request, HttpHeaders.AUTHORIZATION),
            header(request, HttpHeaders.HOST),
            header(request, HttpHeaders.ORIGIN),
            header(request, "Sec-Fetch-Site"));
      }
      bodyLimit.check(context.normalizedPath(), header(request, HttpHeaders.CONTENT_LENGTH));
    } catch (ProblemException e) {
      refuse(request, e);
      return;
    }
    context.next();
  }

  private static boolean isOpen(String path) {
    return OPEN_PATHS.stream().anyMatch(open -> path.equals(open) || path.startsWith(open + "/"));
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

  /** Closing at once would reset the connection under the answer. */
  private static void drain(RoutingContext context) {
    HttpServerRequest request = context.request();
    if (!request.isEnded()) {
      request.resume();
      context
          .vertx()
          .setTimer(
              DRAIN_TIME.toMillis(),
              id -> {
                if (!request.isEnded()) {
                  request.connection().close();
                }
              });
    }
  }
}
