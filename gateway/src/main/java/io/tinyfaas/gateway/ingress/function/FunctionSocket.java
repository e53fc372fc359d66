package io.tinyfaas.gateway.ingress.function;

import io.tinyfaas.contract.handler.HandlerHttp;
import io.tinyfaas.contract.route.Handler;
import io.tinyfaas.contract.route.HandlerEndpoint;
import io.tinyfaas.contract.route.Route;
import io.tinyfaas.gateway.ingress.http.HttpExchanges;
import io.tinyfaas.gateway.ingress.http.HttpServing;
import io.vertx.core.Future;
import io.vertx.core.http.HttpServer;
import io.vertx.core.net.SocketAddress;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import org.jboss.logging.Logger;

/** The socket of one handler. On the invocation loop only. */
final class FunctionSocket {

  private static final Logger LOG = Logger.getLogger(FunctionSocket.class);

  /** Of Linux, for the whole path with a zero behind it. */
  private static final int MAX_PATH_BYTES = 107;

  /** Whose folder it is mounted in decides who reaches it. */
  private static final String FOR_ALL = "rw-rw-rw-";

  private final CallingHandler peer;
  private final Path path;
  private HttpServer server;
  private boolean opening;
  private boolean leaving;
  private boolean closed;
  private boolean isFailureSaid;

  /**
   * @param folder below which handlers have theirs
   */
  FunctionSocket(CallingHandler peer, Path folder, Route route, Handler handler) {
    this.peer = peer;
    // Looked at as an endpoint: no name leads out of the folder.
    this.path =
        folder.resolve(
            new HandlerEndpoint.Unix(
                    route.function() + "/" + handler.id() + "/" + HandlerHttp.SOCKET_FILE)
                .path());
  }

  CallingHandler peer() {
    return peer;
  }

  boolean isListening() {
    return server != null;
  }

  /**
   * Listens if it does not yet.
   *
   * @return never fails; where it cannot be, that is said once, and it can be tried again
   */
  Future<Void> open(HttpServing serving, HttpExchanges exchanges) {
    if (server != null || opening) {
      return Future.succeededFuture();
    }
    opening = true;
    return bind(serving, exchanges)
        .onComplete(tried -> opening = false)
        .onSuccess(this::opened)
        .onFailure(this::say)
        .<Void>mapEmpty()
        .otherwiseEmpty();
  }

  private Future<HttpServer> bind(HttpServing serving, HttpExchanges exchanges) {
    try {
      if (path.toString().length() > MAX_PATH_BYTES) {
        throw new IOException("its path is longer than " + MAX_PATH_BYTES + " bytes");
      }
      if (!Files.isDirectory(path.getParent())) {
        throw new IOException("the manager has not made its folder");
      }
      Files.deleteIfExists(path); // of an earlier life
    } catch (IOException e) {
      return Future.failedFuture(e);
    }
    return serving
        .listen(SocketAddress.domainSocketAddress(path.toString()), exchanges, connection -> peer)
        .map(
            bound -> {
              try {
                Files.setPosixFilePermissions(path, PosixFilePermissions.fromString(FOR_ALL));
              } catch (IOException e) {
                bound.close();
                throw new UncheckedIOException(e);
              }
              return bound;
            });
  }

  private void opened(HttpServer bound) {
    if (closed) {
      bound.close();
    } else {
      server = bound;
    }
  }

  private void say(Throwable why) {
    if (!isFailureSaid) {
      isFailureSaid = true;
      LOG.warnf(
          "event=function-socket outcome=failed socket=%s reason=\"%s\" action=\"it is tried"
              + " again\"",
          path, why.getMessage());
    }
  }

  /** Its handler answers nothing any more. */
  void leave() {
    leaving = true;
  }

  /** It is routed again. */
  void stay() {
    leaving = false;
  }

  boolean isLeaving() {
    return leaving;
  }

  /** Its file has been removed by somebody: it has to be opened again, after a while. */
  void closeIfLost() {
    if (server != null && !Files.exists(path)) {
      server.close();
      server = null;
    }
  }

  /** Removes the file, too. */
  void close() {
    closed = true;
    if (server != null) {
      server.close();
      server = null;
    }
  }
}
