package io.tinyfaas.manager.reconcile;

import io.tinyfaas.contract.handler.HandlerHttp;
import io.tinyfaas.contract.route.HandlerEndpoint;
import io.tinyfaas.manager.engine.EngineSettings;
import io.tinyfaas.manager.handler.Ending;
import io.tinyfaas.manager.handler.HandlerContainer;
import io.tinyfaas.manager.handler.HandlerContainers;
import io.tinyfaas.manager.handler.HandlerEndings;
import io.tinyfaas.manager.handler.HandlerSockets;
import io.tinyfaas.manager.handler.Health;
import io.tinyfaas.manager.problem.ProblemException;
import io.vertx.core.Vertx;
import io.vertx.core.http.HttpClient;
import io.vertx.core.http.HttpClientOptions;
import io.vertx.core.http.HttpClientRequest;
import io.vertx.core.http.HttpMethod;
import io.vertx.core.http.RequestOptions;
import io.vertx.core.net.SocketAddress;
import jakarta.enterprise.context.ApplicationScoped;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.BooleanSupplier;

/** Asks handlers for their health, the way the contract has it, and remembers what they said. */
@ApplicationScoped
public class HandlerMonitor {

  private static final Duration PROBE_TIMEOUT = Duration.ofSeconds(2);
  private static final Duration POLL_INTERVAL = Duration.ofMillis(5);

  /** The engine is asked whether the process is still there once in so many polls. */
  private static final int POLLS_PER_INSPECTION = 24;

  private final EngineSettings settings;
  private final HandlerContainers containers;
  private final HandlerEndings endings;
  private final HandlerSockets sockets;
  private final HttpClient client;
  private final Map<String, HandlerHealth> health = new ConcurrentHashMap<>();

  HandlerMonitor(
      EngineSettings settings,
      HandlerContainers containers,
      HandlerEndings endings,
      HandlerSockets sockets,
      Vertx vertx) {
    this.settings = settings;
    this.containers = containers;
    this.endings = endings;
    this.sockets = sockets;
    // A connection for each question: one that is kept would be to a handler of an earlier life.
    this.client =
        vertx.createHttpClient(new HttpClientOptions().setKeepAlive(false).setMaxPoolSize(32));
  }

  HandlerHealth of(HandlerContainer handler) {
    return health.computeIfAbsent(handler.handler().id(), id -> new HandlerHealth());
  }

  /** For people: {@code STARTING} until it has been asked. */
  public Health health(HandlerContainer handler) {
    if (!handler.isRunning()) {
      return Health.STOPPED;
    }
    HandlerHealth known = health.get(handler.handler().id());
    return known == null ? Health.STARTING : known.state();
  }

  /** How often it was started again since this manager runs. */
  public int restarts(HandlerContainer handler) {
    HandlerHealth known = health.get(handler.handler().id());
    return known == null ? 0 : known.restarts();
  }

  /** How it last ended, as this manager has found it; empty if it did not. */
  public Optional<Ending> lastEnd(HandlerContainer handler) {
    return Optional.ofNullable(health.get(handler.handler().id())).flatMap(HandlerHealth::lastEnd);
  }

  void forget(HandlerContainer handler) {
    health.remove(handler.handler().id());
  }

  void forgetAllBut(Set<String> ids) {
    health.keySet().retainAll(ids);
  }

  /** Asks now. */
  boolean answers(HandlerContainer handler) {
    return isWell(handler, ask(handler.handler().endpoint()));
  }

  /**
   * Asks until there is an answer of any kind: one that is busy, or asked by a manager that has
   * just started, may need more time than one question has.
   *
   * @param deadline by {@link System#nanoTime}; a question that was asked by then is the last
   */
  boolean answers(HandlerContainer handler, long deadline) {
    Answer answer = ask(handler.handler().endpoint());
    while (answer == Answer.NONE_IN_TIME && System.nanoTime() - deadline < 0) {
      answer = ask(handler.handler().endpoint());
    }
    return isWell(handler, answer);
  }

  private boolean isWell(HandlerContainer handler, Answer answer) {
    HandlerHealth known = of(handler);
    if (answer == Answer.HEALTHY && (known.isRoutable() || containers.confine(handler).isEmpty())) {
      known.answered();
      return true;
    }
    known.didNotAnswer();
    return false;
  }

  /**
   * Waits for a handler that was just started.
   *
   * @param givenUp ends the wait early, with the handler as it is then
   * @return why it will not do; empty if it is healthy or the wait was given up
   */
  Optional<ProblemException> awaitHealthy(HandlerContainer handler, BooleanSupplier givenUp) {
    Duration atMost = settings.startTimeout();
    long deadline = System.nanoTime() + atMost.toNanos();
    for (int polls = 1; !givenUp.getAsBoolean(); polls++) {
      if (ask(handler.handler().endpoint()) == Answer.HEALTHY) {
        Optional<ProblemException> broken = containers.confine(handler);
        if (broken.isEmpty()) {
          of(handler).answered();
        }
        return broken;
      }
      if (System.nanoTime() > deadline
          || polls % POLLS_PER_INSPECTION == 0 && !containers.isRunning(handler)) {
        of(handler).didNotAnswer();
        return Optional.of(endings.whyNotRunning(handler, atMost));
      }
      try {
        Thread.sleep(POLL_INTERVAL);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        return Optional.empty();
      }
    }
    return Optional.empty();
  }

  private enum Answer {
    HEALTHY,
    /** Another one, or none of a handler that does not listen. */
    NOT_HEALTHY,
    NONE_IN_TIME
  }

  /** Blocks until the handler has answered, or anything else has become of the question. */
  private Answer ask(HandlerEndpoint endpoint) {
    RequestOptions question =
        new RequestOptions()
            .setMethod(HttpMethod.GET)
            .setURI(HandlerHttp.HEALTH_PATH)
            .setHost("handler")
            .setTimeout(PROBE_TIMEOUT.toMillis());
    switch (endpoint) {
      case HandlerEndpoint.Unix unix -> {
        Path socket = sockets.path(unix);
        if (!Files.exists(socket, LinkOption.NOFOLLOW_LINKS) || Files.isSymbolicLink(socket)) {
          return Answer.NOT_HEALTHY;
        }
        question.setServer(SocketAddress.domainSocketAddress(socket.toString()));
      }
      case HandlerEndpoint.Tcp tcp ->
          question.setServer(SocketAddress.inetSocketAddress(tcp.port(), tcp.address()));
    }
    try {
      return client
          .request(question)
          .compose(HttpClientRequest::send)
          .map(response -> response.statusCode() == 200 ? Answer.HEALTHY : Answer.NOT_HEALTHY)
          .toCompletionStage()
          .toCompletableFuture()
          .get(PROBE_TIMEOUT.toMillis(), TimeUnit.MILLISECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return Answer.NOT_HEALTHY;
    } catch (TimeoutException e) {
      return Answer.NONE_IN_TIME;
    } catch (ExecutionException e) {
      return e.getCause() instanceof TimeoutException ? Answer.NONE_IN_TIME : Answer.NOT_HEALTHY;
    }
  }
}
