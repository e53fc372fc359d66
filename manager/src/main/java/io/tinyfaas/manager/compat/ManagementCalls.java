package io.tinyfaas.manager.compat;

import static io.tinyfaas.manager.problem.ProblemType.INVALID_SPEC;
import static io.tinyfaas.manager.problem.ProblemType.UNKNOWN_FUNCTION;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.smallrye.common.annotation.RunOnVirtualThread;
import io.tinyfaas.contract.route.FunctionName;
import io.tinyfaas.manager.archive.ArchiveUploads;
import io.tinyfaas.manager.archive.FunctionArchive;
import io.tinyfaas.manager.deploy.FunctionDeployer;
import io.tinyfaas.manager.problem.ProblemException;
import io.tinyfaas.manager.spec.PartialSpec;
import io.tinyfaas.manager.store.FunctionStore;
import jakarta.ws.rs.GET;
import jakarta.ws.rs.POST;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.container.ContainerRequestContext;
import jakarta.ws.rs.core.MediaType;
import jakarta.ws.rs.core.Response;
import java.io.InputStream;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Collectors;
import org.jboss.resteasy.reactive.server.ServerExceptionMapper;

/**
 * The management calls of the existing tinyFaaS, translated to what {@code /functions} does.
 * Requests are JSON whatever their Content-Type says, answers are lines of text.
 */
@Path("/")
@RunOnVirtualThread
class ManagementCalls {

  /** Leaves the engine answering others. */
  private static final int DELETIONS_AT_ONCE = 8;

  private final FunctionDeployer deployer;
  private final FunctionStore store;
  private final ArchiveUploads uploads;
  private final ArchiveFetch fetch;
  private final CompatSettings settings;

  ManagementCalls(
      FunctionDeployer deployer,
      FunctionStore store,
      ArchiveUploads uploads,
      ArchiveFetch fetch,
      CompatSettings settings) {
    this.deployer = deployer;
    this.store = store;
    this.uploads = uploads;
    this.fetch = fetch;
    this.settings = settings;
  }

  @POST
  @Path("upload")
  public Response upload(InputStream body) {
    try (UploadRequest request = UploadRequest.read(body, uploads)) {
      FunctionName name = name(request);
      FunctionArchive archive =
          request
              .archive()
              .orElseThrow(
                  () ->
                      ProblemException.ofField(
                          INVALID_SPEC, "zip", "zip is needed: a zip of the function, in base64."));
      return deploy(name, request, archive);
    }
  }

  @POST
  @Path("uploadURL")
  public Response uploadUrl(InputStream body) {
    try (UploadRequest request = UploadRequest.read(body, uploads)) {
      FunctionName name = name(request);
      try (FetchedArchive fetched = fetch.open(request.text("url"));
          FunctionArchive archive =
              uploads.receive(fetched::writeTo, request.text("subfolder_path"))) {
        return deploy(name, request, archive);
      }
    }
  }

  private Response deploy(FunctionName name, UploadRequest request, FunctionArchive archive) {
    deployer.deploy(name, fields(request), archive);
    return text(
        line("coap", settings.coapPort(), name)
            + line("http", settings.httpPort(), name)
            + line("grpc", settings.grpcPort(), name));
  }

  /** Of a protocol that the gateway speaks. */
  private static String line(String protocol, int port, FunctionName name) {
    return port < 0 ? "" : protocol + "://:" + port + "/" + name + "\n";
  }

  private PartialSpec fields(UploadRequest request) {
    ObjectNode fields = JsonNodeFactory.instance.objectNode();
    fields.put("runtime", request.text("env"));
    fields.put("handlers", request.threads());
    ObjectNode environment = fields.putObject("environment");
    request.environment().forEach(environment::put);
    return PartialSpec.of(
        fields,
        JsonNodeFactory.instance.objectNode().put("networkAccess", settings.uploadNetworkAccess()));
  }

  @POST
  @Path("delete")
  public Response delete(InputStream body) {
    try (UploadRequest request = UploadRequest.read(body, uploads)) {
      deployer.delete(name(request));
      return text("");
    }
  }

  @GET
  @Path("list")
  public Response list() {
    return text(
        store.functions().stream()
            .filter(function -> store.active(function).isPresent())
            .map(function -> function + "\n")
            .collect(Collectors.joining()));
  }

  /** Tries all; where some fail, one of them is told of. */
  @POST
  @Path("wipe")
  public Response wipe() throws InterruptedException {
    RuntimeException failure = null;
    try (ExecutorService threads =
        Executors.newFixedThreadPool(
            DELETIONS_AT_ONCE, Thread.ofVirtual().name("wipe-", 0).factory())) {
      List<? extends Future<?>> deletions =
          store.functions().stream()
              .map(function -> threads.submit(() -> deployer.delete(function)))
              .toList();
      for (Future<?> deletion : deletions) {
        try {
          deletion.get();
        } catch (ExecutionException e) {
          if (!isGone(e.getCause())) {
            failure = (RuntimeException) e.getCause();
          }
        }
      }
    }
    if (failure != null) {
      throw failure;
    }
    return text("");
  }

  private static boolean isGone(Throwable failure) {
    return failure instanceof ProblemException problem && problem.type() == UNKNOWN_FUNCTION;
  }

  private static FunctionName name(UploadRequest request) {
    String name = request.text("name");
    if (!FunctionName.isValid(name)) {
      throw ProblemException.ofField(
          INVALID_SPEC, "name", "A function's name has " + FunctionName.RULE + ".");
    }
    return new FunctionName(name);
  }

  private static Response text(String text) {
    return Response.ok(text, MediaType.TEXT_PLAIN_TYPE).build();
  }

  @ServerExceptionMapper
  Response unreadable(UnreadableRequest e, ContainerRequestContext request) {
    return CompatProblems.unreadable(e.getMessage(), request);
  }

  @ServerExceptionMapper
  Response failure(ProblemException e, ContainerRequestContext request) {
    return CompatProblems.failure(e, request);
  }
}
