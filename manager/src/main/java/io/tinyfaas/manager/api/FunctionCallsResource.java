package io.tinyfaas.manager.api;

import io.smallrye.common.annotation.RunOnVirtualThread;
import io.tinyfaas.contract.control.CallState;
import io.tinyfaas.contract.route.FunctionName;
import io.tinyfaas.manager.call.GatewayCalls;
import io.tinyfaas.manager.deploy.FunctionStates;
import io.tinyfaas.manager.problem.ProblemException;
import io.tinyfaas.manager.problem.ProblemType;
import jakarta.ws.rs.GET;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.PathParam;
import jakarta.ws.rs.Produces;
import jakarta.ws.rs.core.Context;
import jakarta.ws.rs.core.MediaType;
import jakarta.ws.rs.core.UriInfo;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;

/** A function's calls: requests that the gateway has accepted and runs later. */
@Path("/functions/{name}/calls")
@Produces(MediaType.APPLICATION_JSON)
@RunOnVirtualThread
class FunctionCallsResource {

  private final GatewayCalls calls;
  private final FunctionStates states;

  FunctionCallsResource(GatewayCalls calls, FunctionStates states) {
    this.calls = calls;
    this.states = states;
  }

  @GET
  public CallsPage list(@PathParam("name") String name, @Context UriInfo uri) {
    QueryParameters.requireOnly(uri, "state", "limit", "after");
    FunctionName function = FunctionResource.functionName(name);
    Set<CallState> wanted = states(uri);
    int limit = CallsPage.limit(uri);
    var after = CallsPage.after(uri);
    states.require(function);
    return CallsPage.of(calls.list(function, wanted, limit, after));
  }

  /** All, if none is named. */
  private static Set<CallState> states(UriInfo uri) {
    List<String> named = uri.getQueryParameters().getOrDefault("state", List.of());
    if (named.isEmpty()) {
      return EnumSet.allOf(CallState.class);
    }
    Set<CallState> states = EnumSet.noneOf(CallState.class);
    for (String name : named) {
      states.add(
          CallState.of(name)
              .orElseThrow(
                  () ->
                      ProblemException.ofField(
                          ProblemType.INVALID_REQUEST,
                          "state",
                          "state is waiting, running, done or failed; for several of them it is"
                              + " given several times.")));
    }
    return states;
  }
}
