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
import org.eclipse.microprofile.openapi.annotations.Operation;
import org.eclipse.microprofile.openapi.annotations.enums.ParameterIn;
import org.eclipse.microprofile.openapi.annotations.enums.SchemaType;
import org.eclipse.microprofile.openapi.annotations.media.Schema;
import org.eclipse.microprofile.openapi.annotations.parameters.Parameter;
import org.eclipse.microprofile.openapi.annotations.tags.Tag;

/** The output of a function's handlers. */
@Path("/functions/{name}/logs")
@Tag(name = "functions")
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
  @Operation(
      summary = "What the function's handlers print",
      description =
          "Each line as `function=NAME handler=ID TIMESTAMP text`. With follow=true the answer goes"
              + " on, over restarts and new versions, until the client leaves.")
  @Parameter(
      name = "follow",
      in = ParameterIn.QUERY,
      schema = @Schema(type = SchemaType.BOOLEAN, defaultValue = "false"))
  public Multi<String> logs(
      @PathParam("name") String name,
      @Parameter(description = "lines of each handler to begin with, 0 to 10,000")
          @QueryParam("tail")
          @DefaultValue("100")
          String tail,
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
