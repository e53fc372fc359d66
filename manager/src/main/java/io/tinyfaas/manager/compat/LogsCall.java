package io.tinyfaas.manager.compat;

import static io.tinyfaas.manager.problem.ProblemType.INVALID_SPEC;

import io.smallrye.common.annotation.RunOnVirtualThread;
import io.tinyfaas.contract.route.FunctionName;
import io.tinyfaas.manager.deploy.FunctionStates;
import io.tinyfaas.manager.handler.HandlerLogs;
import io.tinyfaas.manager.problem.ProblemException;
import io.tinyfaas.manager.store.FunctionStore;
import jakarta.ws.rs.GET;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.QueryParam;
import jakarta.ws.rs.container.ContainerRequestContext;
import jakarta.ws.rs.core.MediaType;
import jakarta.ws.rs.core.Response;
import jakarta.ws.rs.core.StreamingOutput;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.jboss.resteasy.reactive.server.ServerExceptionMapper;

/** The call {@code /logs} of the existing tinyFaaS. */
@Path("/logs")
@RunOnVirtualThread
class LogsCall {

  /** Of each handler: as much as its container keeps, unless lines are very short. */
  private static final int TAIL = 100_000;

  private final FunctionStore store;
  private final FunctionStates states;
  private final HandlerLogs logs;

  LogsCall(FunctionStore store, FunctionStates states, HandlerLogs logs) {
    this.store = store;
    this.states = states;
    this.logs = logs;
  }

  @GET
  public Response logs(@QueryParam("name") String name) {
    List<FunctionName> functions =
        name == null || name.isEmpty() ? store.functions() : List.of(existing(name));
    StreamingOutput output =
        out -> {
          for (FunctionName function : functions) {
            logs.read(function, TAIL, line -> write(line, out));
          }
        };
    return Response.ok(output, MediaType.TEXT_PLAIN_TYPE).build();
  }

  private FunctionName existing(String name) {
    if (!FunctionName.isValid(name)) {
      throw ProblemException.ofField(
          INVALID_SPEC, "name", "A function's name has " + FunctionName.RULE + ".");
    }
    return states.get(new FunctionName(name)).version().function();
  }

  private static void write(String line, OutputStream out) {
    try {
      out.write(line.getBytes(StandardCharsets.UTF_8));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @ServerExceptionMapper
  Response failure(ProblemException e, ContainerRequestContext request) {
    return CompatProblems.failure(e, request);
  }
}
