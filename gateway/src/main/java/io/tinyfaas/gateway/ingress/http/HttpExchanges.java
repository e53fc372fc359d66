package io.tinyfaas.gateway.ingress.http;

import io.tinyfaas.gateway.call.CallOptions;
import io.tinyfaas.gateway.call.Calls;
import io.tinyfaas.gateway.ingress.http.HttpResponses.Response;
import io.tinyfaas.gateway.ingress.http.RequestBody.Received;
import io.tinyfaas.gateway.invoke.Invocation;
import io.tinyfaas.gateway.invoke.InvocationResult.PeerOverloaded;
import io.tinyfaas.gateway.loop.BugLog;
import io.tinyfaas.gateway.memory.BodyMemory;
import io.tinyfaas.gateway.memory.Holder;
import io.tinyfaas.gateway.metrics.InvocationMetrics;
import io.tinyfaas.gateway.result.Resource;
import io.tinyfaas.gateway.route.CurrentRoutes;
import io.vertx.core.Future;
import io.vertx.core.http.HttpConnection;
import io.vertx.core.http.HttpHeaders;
import io.vertx.core.http.HttpMethod;
import io.vertx.core.http.HttpServerOptions;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.http.HttpServerResponse;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;
import org.jboss.logging.Logger;

/**
 * From each request to its answer, of one ingress. On the event loop only, but for what is said
 * otherwise.
 */
public final class HttpExchanges {

  private static final BugLog BUGS =
      new BugLog(Logger.getLogger(HttpExchanges.class), "response-failed");

  /** An answer is there once as it came, and once as the kernel takes it. */
  private static final int COPIES = 2;

  /** For a client that still sends what has been refused: an answer would be lost in a reset. */
  private static final Duration LINGER = Duration.ofSeconds(2);

  private final int maxBody;
  private final HttpSettings settings;
  private final Invocations invocations;
  private final EventStreams streams;
  private final BodyMemory memory;
  private final BodyMemory refusals;
  private final RequestDecoder.Heads heads;
  private final InvocationMetrics metrics;
  private final HttpConnections connections;
  private final DateField date = new DateField();
  private final AtomicInteger sending = new AtomicInteger();
  private volatile boolean refusing;

  HttpExchanges(
      int maxBody,
      HttpSettings settings,
      Invocations invocations,
      EventStreams streams,
      HttpMemory memory,
      InvocationMetrics metrics,
      HttpConnections connections) {
    this.maxBody = maxBody;
    this.settings = settings;
    this.invocations = invocations;
    this.streams = streams;
    this.memory = memory.bodies();
    this.refusals = memory.refusals();
    this.heads = memory.heads();
    this.metrics = metrics;
    this.connections = connections;
  }

  void connected(HttpConnection connection, HttpServerOptions options, HttpPeer peer) {
    RequestDecoder decoder = RequestDecoder.decode(connection, options, heads, peer.holder());
    connections.opened(connection, peer, decoder, settings.headerTimeout());
  }

  /** The connections that are open. On any thread. */
  public int connections() {
    return connections.count();
  }

  /** Whether a request of this peer is at hand. */
  public boolean isBusy(HttpPeer peer) {
    return connections.isBusy(peer);
  }

  void sweep() {
    connections.sweep();
  }

  void requested(HttpServerRequest request) {
    HttpPeer peer = connections.peer(request.connection());
    if (peer != null && !connections.isEnding(request.connection())) {
      new Exchange(request, peer).begin();
    }
  }

  /** A request that could not be read. */
  void invalid(HttpServerRequest request) {
    HttpPeer peer = connections.peer(request.connection());
    if (peer != null) {
      new Exchange(request, peer).refuse(HttpRequests.unreadable(request.decoderResult().cause()));
    }
  }

  /** From now on the answer is 503, but to those who are waited for. On any thread. */
  public void refuseNew() {
    refusing = true;
  }

  /** On any thread. */
  public int waiting() {
    return sending.get();
  }

  private final class Exchange {

    private final HttpServerRequest request;
    private final HttpConnection connection;
    private final HttpPeer peer;
    private final Holder holder;
    private final Target target;
    private final boolean isOfCall;
    private final boolean isCall;

    /** What its head takes, which is there until the answer is sent. */
    private final long head;

    private boolean received;
    private boolean answered;
    private boolean sent;
    private boolean last;

    Exchange(HttpServerRequest request, HttpPeer peer) {
      this.request = request;
      this.connection = request.connection();
      this.peer = peer;
      this.holder = peer.holder();
      Target asked = peer.target(request.uri());
      boolean ofCalls = asked.function().equals(Calls.PATH);
      boolean post = request.method().equals(HttpMethod.POST);
      boolean isNew = ofCalls && post;
      this.target = isNew ? asked.below() : asked;
      this.isOfCall = ofCalls && !isNew;
      this.isCall =
          isNew
              || CallOptions.isAsked(request.headers())
              || post && invocations.calls().isDurable(target.function());
      this.head = BodyMemory.ofHeaders(request.headers()) + request.uri().length();
    }

    void begin() {
      connections.busy(connection, this);
      request.end().onSuccess(end -> received());
      if (HttpRequests.isLast(request)) {
        end();
      }
      Optional<HttpProblem> refusal = HttpRequests.refusal(request, target);
      if (refusal.isPresent()) {
        refuse(refusal.get());
        return;
      }
      if (isRefusing()) {
        end();
        answer(HttpProblem.stopping());
        return;
      }
      Optional<HttpProblem> forbidden = isOfCall ? Optional.empty() : peer.refusal(request, target);
      if (forbidden.isPresent()) {
        metrics.refused(peer.protocol(), "forbidden");
        answer(forbidden.get());
      } else if (isOfCall) {
        invocations.callRequests().answer(request.method(), target).onSuccess(this::answer);
      } else if (isUnknown()) {
        invoke(new byte[0]);
      } else {
        Optional<Resource> observed = isCall ? Optional.empty() : streams.asked(request, target);
        observed.ifPresentOrElse(this::observe, this::receive);
      }
    }

    /** Until the client goes; nothing follows on this connection. */
    private void observe(Resource resource) {
      Optional<HttpProblem> refusal = streams.open(request, connections, peer, head, resource);
      if (refusal.isPresent()) {
        metrics.refused(peer.protocol(), "too_many_streams");
        answer(refusal.get());
      } else {
        answered = true;
        end();
      }
    }

    private boolean isRefusing() {
      return refusing && !peer.isAwaited();
    }

    /** Or nobody knows yet whether there is such a function, and the client waits for an answer. */
    private boolean isUnknown() {
      CurrentRoutes routes = invocations.routes();
      return routes.find(target.function()).isEmpty() && (routes.areKnown() || !isCall);
    }

    /** Where the next request would begin is not certain: there is none. */
    void refuse(HttpProblem problem) {
      metrics.refused(peer.protocol(), "bad_request");
      end();
      answer(problem);
    }

    private void receive() {
      RequestBody body = new RequestBody(request, head, maxBody, memory, holder, this::received);
      connections.expect(
          connection,
          settings.bodyTimeout(),
          () -> {
            body.abandon();
            end();
            answer(HttpProblem.bodyTooSlow(settings.bodyTimeout().toSeconds()));
          });
      body.receive();
    }

    private void received(Received body) {
      connections.busy(connection, this);
      switch (body) {
        case Received.Whole(byte[] bytes) -> {
          if (isRefusing()) {
            end();
            answer(HttpProblem.stopping());
          } else if (isCall) {
            accept(bytes);
          } else {
            invoke(bytes);
          }
        }
        case Received.TooLarge _ -> {
          metrics.refused(peer.protocol(), "too_large");
          end();
          answer(HttpProblem.bodyTooLarge(maxBody));
        }
        case Received.NoRoom _ -> {
          metrics.refused(peer.protocol(), "overloaded");
          end();
          answer(HttpProblem.overloaded());
        }
      }
    }

    private void accept(byte[] body) {
      CallOptions options;
      try {
        options = CallOptions.of(request.headers());
      } catch (IllegalArgumentException e) {
        metrics.refused(peer.protocol(), "bad_request");
        answer(HttpProblem.badRequest(e.getMessage()));
        return;
      }
      invocations
          .calls()
          .accept(peer.toInvocation(request, target, body), options)
          .onSuccess(
              acceptance -> {
                acceptance
                    .refusal()
                    .ifPresent(outcome -> metrics.refused(peer.protocol(), outcome));
                answer(HttpCallRequests.toResponse(path(), acceptance));
              });
    }

    private void invoke(byte[] body) {
      Invocation invocation = peer.toInvocation(request, target, body);
      invocations
          .invoker()
          .invoke(invocation)
          .map(
              result ->
                  result instanceof PeerOverloaded
                      ? HttpResponses.problem(path(), peer.overloaded())
                      : HttpResponses.toResponse(path(), result))
          .recover(
              bug -> {
                BUGS.say(bug);
                return Future.succeededFuture(
                    HttpResponses.problem(path(), HttpProblem.internal()));
              })
          .onSuccess(this::answer);
    }

    /** Nothing follows on this connection. */
    private void end() {
      last = true;
      connections.end(connection);
    }

    private String path() {
      return request.path();
    }

    private void answer(HttpProblem problem) {
      answer(HttpResponses.problem(path(), problem));
    }

    private void answer(Response response) {
      HttpServerResponse out = request.response();
      if (answered || out.closed()) {
        return;
      }
      long held = held(response);
      if (memory.takeMore(held, holder)) {
        send(out, response).onComplete(end -> memory.give(held, holder));
        return;
      }
      Response refusal = HttpResponses.problem(path(), HttpProblem.overloaded());
      long small = held(refusal);
      if (refusals.take(small)) {
        send(out, refusal).onComplete(end -> refusals.give(small));
      } else {
        answered = true;
        connections.close(connection);
      }
    }

    /** In bytes, until the client has taken it. */
    private long held(Response response) {
      return COPIES * (long) response.body().length()
          + head
          + BodyMemory.ofManyHeaders(response.headers());
    }

    private Future<Void> send(HttpServerResponse out, Response response) {
      answered = true;
      sending.incrementAndGet();
      connections.expect(connection, settings.sendTimeout());
      out.setStatusCode(response.status());
      out.headers().addAll(response.headers());
      if (!out.headers().contains(HttpHeaders.DATE)) {
        out.putHeader(HttpHeaders.DATE, date.now());
      }
      if (last) {
        out.putHeader(HttpHeaders.CONNECTION, HttpHeaders.CLOSE);
      }
      if (response.mayHaveBody()) {
        out.putHeader(HttpHeaders.CONTENT_LENGTH, Integer.toString(response.body().length()));
      }
      boolean body = response.mayHaveBody() && !request.method().equals(HttpMethod.HEAD);
      return (body ? out.end(response.body()) : out.end())
          .onComplete(
              end -> {
                sending.decrementAndGet();
                sent = true;
                next();
              });
    }

    private void received() {
      received = true;
      next();
    }

    private void next() {
      if (!sent) {
        return;
      }
      boolean unwanted = !received && HttpRequests.isExpecting(request);
      if (!received && !unwanted) {
        connections.expect(connection, LINGER);
      } else if (last || unwanted) {
        connection.close();
      } else {
        connections.waitForNext(connection, this, settings.idleTimeout());
      }
    }
  }
}
