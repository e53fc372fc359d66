package io.tinyfaas.manager.compat;

import io.tinyfaas.manager.problem.Problem;
import io.tinyfaas.manager.problem.ProblemException;
import io.tinyfaas.manager.problem.ProblemType;
import jakarta.ws.rs.container.ContainerRequestContext;
import jakarta.ws.rs.core.HttpHeaders;
import jakarta.ws.rs.core.MediaType;
import jakarta.ws.rs.core.Response;
import java.util.Map;
import java.util.Optional;
import org.jboss.logging.Logger;
import org.jboss.resteasy.reactive.server.ServerRequestFilter;

/**
 * Failures of the management calls: the texts are those of {@code /functions}, the statuses the
 * ones that scripts know. A wrong method or a body that cannot be read is 400, all else 500.
 */
class CompatProblems {

  private static final Logger LOG = Logger.getLogger(CompatProblems.class);

  private static final Map<String, String> METHODS =
      Map.of(
          "/upload", "POST",
          "/uploadURL", "POST",
          "/delete", "POST",
          "/list", "GET",
          "/wipe", "POST",
          "/logs", "GET");

  /** Before a method without a resource would be answered 405, and a strange Content-Type 400. */
  @ServerRequestFilter(preMatching = true)
  Optional<Response> method(ContainerRequestContext request) {
    String method = METHODS.get(pathOf(request));
    if (method != null) {
      request.getHeaders().putSingle(HttpHeaders.CONTENT_TYPE, MediaType.APPLICATION_JSON);
    }
    return method == null || method.equals(request.getMethod())
        ? Optional.empty()
        : Optional.of(unreadable(pathOf(request) + " is called with " + method + ".", request));
  }

  static Response unreadable(String detail, ContainerRequestContext request) {
    return answer(Problem.of(ProblemType.INVALID_REQUEST, detail, pathOf(request)), 400);
  }

  static Response failure(ProblemException e, ContainerRequestContext request) {
    LOG.warnf(
        "event=request-failed problem=%s method=%s path=%s detail=\"%s\"",
        e.type(), request.getMethod(), pathOf(request), e.getMessage());
    return answer(Problem.of(e, pathOf(request)), 500);
  }

  private static Response answer(Problem problem, int status) {
    return Response.status(status)
        .type(Problem.MEDIA_TYPE)
        .entity(problem.withStatus(status).toJson())
        .build();
  }

  private static String pathOf(ContainerRequestContext request) {
    return request.getUriInfo().getRequestUri().getRawPath();
  }
}
