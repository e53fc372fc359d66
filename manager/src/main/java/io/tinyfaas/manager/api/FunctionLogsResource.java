package io.tinyfaas.manager.api;

import io.smallrye.common.annotation.Blocking;
import io.smallrye.common.annotation.RunOnVirtualThread;
import io.smallrye.mutiny.Multi;
import io.tinyfaas.contract.route.FunctionName;
import io.tinyfaas.manager.deploy.FunctionStates;
import io.tinyfaas.manager.handler.HandlerLogs;
import io.tinyfaas.manager.problem.ProblemException;
import io.tinyfaas.manager.problem.ProblemType;
import jakarta.ws.rs.DefaultValue;
import jakarta.ws.rs.GET;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.PathParam;
import jakarta.ws.rs.Produces;
import jakarta.ws.rs.QueryParam;
import jakarta.ws.rs.core.Context;
import jakarta.ws.rs.core.MediaType;
import jakarta.ws.rs.core.UriInfo;

/** The output of a function's handlers. */
@Path("/functions/{name}/logs")
class FunctionLogsResource {

  private static final int MAX_TAIL = 10_000;

  private final FunctionStates states;
  private final HandlerLogs logs;

  FunctionLogsResource(FunctionStates states, HandlerLogs logs) {
    this.states = states;
    this.logs = logs;
  }

  @GET
  @Blocking
  @RunOnVirtualThread
  @Produces(MediaType.TEXT_PLAIN)
  public Multi<String> logs(
      @PathParam("name") String name,
      @QueryParam("tail") @DefaultValue("100") String tail,
      @Context UriInfo uri) {
    QueryParameters.requireOnly(uri, "tail", "follow");
    FunctionName function = states.get(FunctionResource.functionName(name)).version().function();
    // The empty line's status and headers tell a follower that it is there before anything is
    // printed.
    return Multi.createBy()
        .concatenating()
        .streams(
            Multi.createFrom().item(""), logs.lines(function, parseTail(tail), isFollowed(uri)));
  }

  private static int parseTail(String tail) {
    try {
      int lines = Integer.parseInt(tail);
      if (lines >= 0 && lines <= MAX_TAIL) {
        return lines;
      }
    } catch (NumberFormatException e) {
      // Said below, as for a number out of range.
    }
    throw ProblemException.ofField(
        ProblemType.INVALID_REQUEST, "tail", "tail is a number from 0 to " + MAX_TAIL + ".");
  }

  /** {@code ?follow} is said as often as {@code ?follow=true}. */
  private static boolean isFollowed(UriInfo uri) {
    return switch (uri.getQueryParameters().getFirst("follow")) {
      case "", "true" -> true;
      case "false" -> false;
      case null -> false;
      default ->
          throw ProblemException.ofField(
              ProblemType.INVALID_REQUEST, "follow", "follow is true or false.");
    };
  }
}
