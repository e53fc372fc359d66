package io.tinyfaas.manager.api;

import io.smallrye.common.annotation.RunOnVirtualThread;
import io.tinyfaas.contract.control.CallId;
import io.tinyfaas.contract.control.CallState;
import io.tinyfaas.contract.route.FunctionName;
import io.tinyfaas.manager.call.GatewayCalls;
import io.tinyfaas.manager.deploy.FunctionStates;
import io.tinyfaas.manager.problem.ProblemException;
import io.tinyfaas.manager.problem.ProblemType;
import jakarta.ws.rs.DELETE;
import jakarta.ws.rs.GET;
import jakarta.ws.rs.POST;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.PathParam;
import jakarta.ws.rs.Produces;
import jakarta.ws.rs.core.Context;
import jakarta.ws.rs.core.MediaType;
import jakarta.ws.rs.core.UriInfo;
import java.util.Optional;
import java.util.Set;

/**
 * Calls that are not tried again unless somebody asks for it here. They stay when their function is
 * deleted, and so they are seen and removed by a name that no function has any more.
 */
@Path("/functions/{name}/failed")
@Produces(MediaType.APPLICATION_JSON)
@RunOnVirtualThread
class FailedCallsResource {

  private final GatewayCalls calls;
  private final FunctionStates states;

  FailedCallsResource(GatewayCalls calls, FunctionStates states) {
    this.calls = calls;
    this.states = states;
  }

  /** How many calls it concerned. */
  record Count(int count) {}

  @GET
  public CallsPage list(@PathParam("name") String name, @Context UriInfo uri) {
    QueryParameters.requireOnly(uri, "limit", "after");
    FunctionName function = FunctionResource.functionName(name);
    return CallsPage.of(
        calls.list(function, Set.of(CallState.FAILED), CallsPage.limit(uri), CallsPage.after(uri)));
  }

  @POST
  @Path("redrive")
  public Count redrive(@PathParam("name") String name, @Context UriInfo uri) {
    QueryParameters.requireOnly(uri, "call");
    FunctionName function = FunctionResource.functionName(name);
    Optional<CallId> call = call(uri);
    states.require(function);
    return count(calls.redrive(function, call), function, call);
  }

  @DELETE
  public Count remove(@PathParam("name") String name, @Context UriInfo uri) {
    QueryParameters.requireOnly(uri, "call");
    FunctionName function = FunctionResource.functionName(name);
    Optional<CallId> call = call(uri);
    return count(calls.remove(function, call), function, call);
  }

  private static Optional<CallId> call(UriInfo uri) {
    return QueryParameters.single(uri, "call")
        .map(
            text -> {
              if (!CallId.isValid(text)) {
                throw ProblemException.ofField(
                    ProblemType.INVALID_REQUEST, "call", "A call's id has " + CallId.RULE + ".");
              }
              return new CallId(text);
            });
  }

  private static Count count(int count, FunctionName function, Optional<CallId> call) {
    if (count == 0 && call.isPresent()) {
      throw ProblemException.ofField(
          ProblemType.UNKNOWN_CALL,
          "call",
          "No call of "
              + function
              + " that has failed has this id: GET /functions/"
              + function
              + "/failed lists those that there are.");
    }
    return new Count(count);
  }
}
