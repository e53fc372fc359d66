package io.tinyfaas.gateway.callback;

import io.tinyfaas.contract.handler.HandlerHttp;
import io.tinyfaas.gateway.callback.Callback.ToUrl;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpClient;
import io.vertx.core.http.HttpClientRequest;
import io.vertx.core.http.HttpClientResponse;
import io.vertx.core.http.HttpHeaders;
import io.vertx.core.http.HttpMethod;
import io.vertx.core.http.RequestOptions;
import io.vertx.core.impl.ContextInternal;
import io.vertx.core.net.SocketAddress;
import java.net.InetAddress;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;

/**
 * One attempt to send an answer to a server: a connection, a request, and of what the server says
 * its status and a little of its body. It may be ended from any thread; what it has is the event
 * loop's of connections.
 */
final class UrlExchange implements Telling {

  /** What is read of an answer's body, after which the connection is closed. */
  static final int MAX_BODY = 4 * 1_024;

  /** Of the body, for people. */
  private static final int EXCERPT_BYTES = 150;

  private static final List<String> SENT =
      List.of(
          HandlerHttp.RESULT_OF_HEADER,
          HandlerHttp.RESULT_FUNCTION_HEADER,
          HandlerHttp.RESULT_STATE_HEADER,
          HandlerHttp.RESULT_STATUS_HEADER,
          HandlerHttp.RESULT_REASON_HEADER,
          HandlerHttp.CALL_HEADER,
          HandlerHttp.ATTEMPT_HEADER,
          HttpHeaders.CONTENT_TYPE.toString());

  private final ToUrl to;
  private final Answer answer;
  private final ContextInternal invocations;
  private final ContextInternal network;
  private final Promise<Outcome> outcome = Promise.promise();

  // On the event loop of connections.
  private final Buffer body = Buffer.buffer();
  private boolean ended;
  private HttpClientRequest request;
  private HttpClientResponse response;

  UrlExchange(ToUrl to, Answer answer, ContextInternal invocations, ContextInternal network) {
    this.to = to;
    this.answer = answer;
    this.invocations = invocations;
    this.network = network;
  }

  @Override
  public Future<Outcome> outcome() {
    return outcome.future();
  }

  @Override
  public void callOff() {
    end(new Outcome.Refused(Outcome.NO_STATUS, "it was called off"));
  }

  /** What has come counts: the status is known before the body is whole. */
  void timeUp(Duration timeout) {
    network.runOnContext(
        late -> {
          if (response == null) {
            finish(
                new Outcome.Failed(
                    "the server has not answered within " + timeout.toSeconds() + " s"));
          } else {
            finish(outcomeOf(response));
          }
        });
  }

  /** On any thread. */
  void end(Outcome how) {
    network.runOnContext(now -> finish(how));
  }

  /** To this address, whatever the name stands for by now. On any thread. */
  void send(HttpClient client, InetAddress address) {
    network.runOnContext(
        now -> {
          if (!ended) {
            client.request(options(address)).onSuccess(this::opened).onFailure(this::failed);
          }
        });
  }

  private RequestOptions options(InetAddress address) {
    RequestOptions options =
        new RequestOptions()
            .setMethod(HttpMethod.POST)
            .setServer(SocketAddress.inetSocketAddress(to.port(), address.getHostAddress()))
            .setHost(to.host())
            .setPort(to.port())
            .setSsl(to.isEncrypted())
            .setURI(to.target())
            .setFollowRedirects(false)
            .putHeader(HttpHeaders.USER_AGENT, "tinyFaaS");
    for (String name : SENT) {
      String value = answer.headers().get(name);
      if (value != null) {
        options.putHeader(name, value);
      }
    }
    return options;
  }

  private void opened(HttpClientRequest open) {
    request = open;
    if (ended) {
      close();
      return;
    }
    open.send(Buffer.buffer(answer.body())).onSuccess(this::answered).onFailure(this::failed);
  }

  private void answered(HttpClientResponse head) {
    response = head;
    if (ended) {
      return;
    }
    head.handler(
            piece -> {
              body.appendBuffer(piece, 0, Math.min(piece.length(), MAX_BODY - body.length()));
              if (body.length() >= MAX_BODY) {
                finish(outcomeOf(head));
              }
            })
        .endHandler(end -> finish(outcomeOf(head)))
        .exceptionHandler(cut -> finish(outcomeOf(head)));
  }

  private void failed(Throwable why) {
    Throwable root = why;
    while (root.getCause() != null && root.getCause() != root) {
      root = root.getCause();
    }
    finish(new Outcome.Failed("the server could not be reached: " + root.getMessage()));
  }

  private Outcome outcomeOf(HttpClientResponse head) {
    int status = head.statusCode();
    if (status >= 200 && status < 300) {
      return new Outcome.Heard(status);
    }
    if (status >= 300 && status < 400) {
      return new Outcome.Refused(
          status, "status " + status + ": redirects are not followed, name where it leads to");
    }
    String excerpt =
        body.getString(0, Math.min(EXCERPT_BYTES, body.length()), StandardCharsets.UTF_8.name())
            .replaceAll("\\p{Cntrl}+", " ")
            .strip();
    String why = "status " + status + (excerpt.isEmpty() ? "" : ": " + excerpt);
    boolean isTemporary = status < 400 || status >= 500 || List.of(408, 425, 429).contains(status);
    if (!isTemporary) {
      return new Outcome.Refused(status, why);
    }
    String retryAfter = head.getHeader(HttpHeaders.RETRY_AFTER);
    return new Outcome.Failed(status, why, retryAfter == null ? "" : retryAfter);
  }

  private void finish(Outcome how) {
    if (!ended) {
      ended = true;
      close();
      invocations.runOnContext(now -> outcome.complete(how));
    }
  }

  /** Nothing more is read. */
  private void close() {
    if (request != null) {
      request.connection().close();
    }
  }
}
