package io.tinyfaas.manager.api;

import static io.tinyfaas.manager.problem.ProblemType.DISK_FULL;
import static io.tinyfaas.manager.problem.ProblemType.ENGINE_UNAVAILABLE;
import static io.tinyfaas.manager.problem.ProblemType.GATEWAY_UNAVAILABLE;
import static io.tinyfaas.manager.problem.ProblemType.INTERNAL;
import static io.tinyfaas.manager.problem.ProblemType.INVALID_REQUEST;
import static io.tinyfaas.manager.problem.ProblemType.RUNTIME_UNAVAILABLE;
import static io.tinyfaas.manager.problem.ProblemType.UNSUPPORTED_MEDIA_TYPE;

import io.tinyfaas.manager.problem.Problem;
import io.tinyfaas.manager.problem.ProblemException;
import jakarta.ws.rs.WebApplicationException;
import jakarta.ws.rs.container.ContainerRequestContext;
import jakarta.ws.rs.core.HttpHeaders;
import jakarta.ws.rs.core.Response;
import java.io.IOException;
import java.util.Arrays;
import java.util.Optional;
import java.util.UUID;
import org.jboss.logging.Logger;
import org.jboss.resteasy.reactive.common.headers.HeaderUtil;
import org.jboss.resteasy.reactive.common.headers.MediaTypeHeaderDelegate;
import org.jboss.resteasy.reactive.server.ServerExceptionMapper;
import org.jboss.resteasy.reactive.server.core.multipart.FormData;

/** Turns every failure of a call into a problem. The only place that does. */
class ProblemMapper {

  private static final Logger LOG = Logger.getLogger(ProblemMapper.class);

  /** Engine and gateway are restarted within seconds. */
  private static final int RETRY_AFTER_SECONDS = 5;

  private static final int RETRY_AFTER_A_BUILD_SECONDS = 30;

  private static final String FORMS = FormData.class.getPackageName() + ".";

  @ServerExceptionMapper
  Response problem(ProblemException e, ContainerRequestContext request) {
    if (e.type() == INTERNAL) {
      return internal(e, request);
    }
    if (e.type().status() >= 500) {
      LOG.warnf(
          "event=request-failed problem=%s method=%s path=%s detail=\"%s\"",
          e.type(), request.getMethod(), pathOf(request), e.getMessage());
    }
    Response.ResponseBuilder response = response(Problem.of(e, pathOf(request)));
    if (e.type() == ENGINE_UNAVAILABLE || e.type() == GATEWAY_UNAVAILABLE) {
      response.header(HttpHeaders.RETRY_AFTER, RETRY_AFTER_SECONDS);
    } else if (e.type() == RUNTIME_UNAVAILABLE) {
      response.header(HttpHeaders.RETRY_AFTER, RETRY_AFTER_A_BUILD_SECONDS);
    } else if (e.retryAfter() > 0) {
      response.header(HttpHeaders.RETRY_AFTER, e.retryAfter());
    }
    return response.build();
  }

  @ServerExceptionMapper
  Response status(WebApplicationException e, ContainerRequestContext request) {
    Response cause = e.getResponse();
    if (cause.getStatus() == 415) {
      return response(Problem.of(UNSUPPORTED_MEDIA_TYPE, mediaTypeFor(request), pathOf(request)))
          .build();
    }
    if (cause.getStatus() >= 500) {
      return internal(e, request);
    }
    String detail =
        switch (cause.getStatus()) {
          case 404 -> "There is nothing at this path: /q/swagger-ui shows what there is.";
          case 405 -> request.getMethod() + " is not for this path: see /q/swagger-ui.";
          case 406 -> "Accept allows no type that this call can answer: leave it out.";
          case 413 -> "A part of the form is too large: spec takes 512 KiB.";
          default -> Optional.ofNullable(e.getMessage()).orElse("The request cannot be read.");
        };
    Response.ResponseBuilder response =
        response(
            Problem.ofStatus(
                cause.getStatus(),
                cause.getStatusInfo().getReasonPhrase(),
                detail,
                pathOf(request)));
    Optional.ofNullable(cause.getHeaderString(HttpHeaders.ALLOW))
        .ifPresent(allow -> response.header(HttpHeaders.ALLOW, allow));
    return response.build();
  }

  /** Of the body, as a form is read before the resource is called. */
  @ServerExceptionMapper
  Response body(IOException e, ContainerRequestContext request) {
    ProblemException disk = ProblemException.ofDisk("receiving the request", e);
    if (disk.type() == DISK_FULL) {
      return problem(disk, request);
    }
    LOG.infof(
        "event=request-broken method=%s path=%s reason=\"%s\"",
        request.getMethod(), pathOf(request), e.getMessage());
    String detail = "The request's body broke off or took too long: send it again.";
    return response(Problem.of(INVALID_REQUEST, detail, pathOf(request))).build();
  }

  @ServerExceptionMapper
  Response unexpected(Throwable e, ContainerRequestContext request) {
    String source = sourceOf(e);
    if (source.equals(MediaTypeHeaderDelegate.class.getName())) {
      return response(Problem.of(UNSUPPORTED_MEDIA_TYPE, mediaTypeFor(request), pathOf(request)))
          .build();
    }
    if (source.startsWith(FORMS) || source.equals(HeaderUtil.class.getName())) {
      String detail =
          "The form cannot be read"
              + (e instanceof IllegalArgumentException ? " (" + e.getMessage() + ")" : "")
              + ": it has a part spec and a part archive, each with its name, and no other, and its"
              + " Content-Type their boundary (curl -F sets it).";
      return response(Problem.of(INVALID_REQUEST, detail, pathOf(request))).build();
    }
    return internal(e, request);
  }

  /**
   * The class that did not like what it read: the readers of media types and of forms have no
   * exceptions of their own.
   */
  private static String sourceOf(Throwable e) {
    return Arrays.stream(e.getStackTrace())
        .map(StackTraceElement::getClassName)
        .filter(name -> !name.startsWith("java.") && !name.startsWith("jdk."))
        .findFirst()
        .orElse("");
  }

  private static Response internal(Throwable e, ContainerRequestContext request) {
    String reference = UUID.randomUUID().toString();
    LOG.errorf(
        e,
        "event=request-failed reference=%s method=%s path=%s",
        reference,
        request.getMethod(),
        pathOf(request));
    String detail = "The manager failed; its log tells why, at reference " + reference + ".";
    return response(Problem.of(INTERNAL, detail, pathOf(request))).build();
  }

  private static String mediaTypeFor(ContainerRequestContext request) {
    return switch (request.getMethod()) {
      case "PUT" ->
          "Say what the body is: -H 'Content-Type: application/zip' for a zip file (curl"
              + " --data-binary @function.zip needs it), or send multipart/form-data with the parts"
              + " spec and archive (curl -F spec=@spec.json -F archive=@function.zip).";
      case "PATCH" -> "Send a JSON merge patch: -H 'Content-Type: application/merge-patch+json'.";
      default -> "Send JSON: -H 'Content-Type: application/json'.";
    };
  }

  private static String pathOf(ContainerRequestContext request) {
    return request.getUriInfo().getRequestUri().getRawPath();
  }

  private static Response.ResponseBuilder response(Problem problem) {
    return Response.status(problem.status()).type(Problem.MEDIA_TYPE).entity(problem.toJson());
  }
}
