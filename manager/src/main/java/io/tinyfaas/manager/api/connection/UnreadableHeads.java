package io.tinyfaas.manager.api.connection;

import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.handler.codec.http.DefaultFullHttpResponse;
import io.netty.handler.codec.http.FullHttpResponse;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpHeaderValues;
import io.netty.handler.codec.http.HttpRequest;
import io.netty.handler.codec.http.HttpResponseStatus;
import io.netty.handler.codec.http.HttpVersion;
import io.netty.handler.codec.http.TooLongHttpHeaderException;
import io.netty.handler.codec.http.TooLongHttpLineException;
import io.netty.util.ReferenceCountUtil;
import io.tinyfaas.manager.problem.Problem;
import io.tinyfaas.manager.text.PlainText;
import io.vertx.core.net.HostAndPort;
import java.net.URI;
import java.net.URISyntaxException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Optional;

/**
 * Of one connection: a head that is none of HTTP/1.1 is told what is wrong with it, once, as nobody
 * knows where the next one begins. Vert.x and Quarkus would say no more than a status, or write a
 * stack trace into the log, before anybody is asked for a token.
 */
final class UnreadableHeads extends ChannelInboundHandlerAdapter {

  private static final int MAX_REASON = 200;

  private boolean refused;

  @Override
  public void channelRead(ChannelHandlerContext context, Object message) {
    Optional<Problem> problem =
        message instanceof HttpRequest request ? problemOf(request) : Optional.empty();
    if (problem.isPresent() && !refused) {
      refused = true;
      context.writeAndFlush(answer(problem.get())).addListener(ChannelFutureListener.CLOSE);
    }
    if (refused) {
      ReferenceCountUtil.release(message);
    } else {
      context.fireChannelRead(message);
    }
  }

  private static Optional<Problem> problemOf(HttpRequest request) {
    if (request.decoderResult().isFailure()) {
      return Optional.of(problemOf(request.decoderResult().cause()));
    }
    if (request.protocolVersion().majorVersion() != 1) {
      return Optional.of(
          problem(
              HttpResponseStatus.HTTP_VERSION_NOT_SUPPORTED,
              "The REST API is HTTP/1.1 only: curl --http1.1."));
    }
    return hostProblem(request).or(() -> targetProblem(request.uri()));
  }

  /** RFC 9112, section 3.2. Of HTTP/1.0 only where there is one. */
  private static Optional<Problem> hostProblem(HttpRequest request) {
    List<String> hosts = request.headers().getAll(HttpHeaderNames.HOST);
    boolean optional = request.protocolVersion().minorVersion() == 0;
    boolean valid =
        hosts.isEmpty() && optional
            || hosts.size() == 1 && HostAndPort.parseAuthority(hosts.getFirst(), -1) != null;
    return valid
        ? Optional.empty()
        : Optional.of(
            problem(
                HttpResponseStatus.BAD_REQUEST,
                "The request needs one Host, a name or an address: Host: localhost:8080."));
  }

  /** Of the two forms that a server is asked in (RFC 9112, section 3.2). */
  private static Optional<Problem> targetProblem(String target) {
    try {
      URI uri = new URI(target);
      if (target.startsWith("/") || "http".equalsIgnoreCase(uri.getScheme())) {
        return Optional.empty();
      }
    } catch (URISyntaxException e) {
      // Told below, without the place: it may be in the middle of what the caller sees as one sign.
    }
    return Optional.of(
        problem(
            HttpResponseStatus.BAD_REQUEST,
            "This is no path with a query (RFC 3986): it begins with a slash, a percent sign is"
                + " %25, and what is not ASCII is UTF-8 in escapes."));
  }

  private static Problem problemOf(Throwable cause) {
    return switch (cause) {
      case TooLongHttpLineException e ->
          problem(
              HttpResponseStatus.REQUEST_URI_TOO_LONG,
              "The request's first line is longer than 4096 bytes: send a long specification in the"
                  + " part spec of multipart/form-data.");
      case TooLongHttpHeaderException e ->
          problem(
              HttpResponseStatus.REQUEST_HEADER_FIELDS_TOO_LARGE,
              "The request's header fields are larger than 4 KiB together: leave some out.");
      default -> {
        String reason = PlainText.of(String.valueOf(cause.getMessage()));
        yield problem(
            HttpResponseStatus.BAD_REQUEST,
            "This is not HTTP/1.1 (RFC 9112): "
                + reason.substring(0, Math.min(MAX_REASON, reason.length())));
      }
    };
  }

  private static Problem problem(HttpResponseStatus status, String detail) {
    return Problem.ofStatus(status.code(), status.reasonPhrase(), detail, "/");
  }

  private static FullHttpResponse answer(Problem problem) {
    FullHttpResponse response =
        new DefaultFullHttpResponse(
            HttpVersion.HTTP_1_1,
            HttpResponseStatus.valueOf(problem.status()),
            Unpooled.copiedBuffer(problem.toJson(), StandardCharsets.UTF_8));
    response
        .headers()
        .set(HttpHeaderNames.CONTENT_TYPE, Problem.MEDIA_TYPE)
        .set(HttpHeaderNames.CONTENT_LENGTH, response.content().readableBytes())
        .set(HttpHeaderNames.CONNECTION, HttpHeaderValues.CLOSE);
    return response;
  }
}
