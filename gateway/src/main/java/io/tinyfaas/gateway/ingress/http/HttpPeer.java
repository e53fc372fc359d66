package io.tinyfaas.gateway.ingress.http;

import io.tinyfaas.gateway.ingress.Protocol;
import io.tinyfaas.gateway.invoke.Invocation;
import io.tinyfaas.gateway.memory.Holder;
import io.vertx.core.http.HttpServerRequest;
import java.util.Optional;

/**
 * Who is at the other end of connections, and what its requests are to the gateway. On the event
 * loop only.
 */
public interface HttpPeer {

  Protocol protocol();

  /** For whom its connections count. */
  Object place();

  /** For whom the bytes count that are held for it. */
  Holder holder();

  /** Which function, or call, a request is for. */
  Target target(String uri);

  /** The answer to a request that it may not make. */
  Optional<HttpProblem> refusal(HttpServerRequest request, Target target);

  /** A request that is not refused, as its function gets it. */
  Invocation toInvocation(HttpServerRequest request, Target target, byte[] body);

  /** The answer where too many of its invocations are running. */
  HttpProblem overloaded();

  /** Whether a gateway that is stopping waits for it: then it does what it is asked. */
  boolean isAwaited();
}
