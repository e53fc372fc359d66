package io.tinyfaas.manager.api;

import static io.tinyfaas.manager.problem.ProblemType.INVALID_REQUEST;
import static io.tinyfaas.manager.problem.ProblemType.UNSUPPORTED_MEDIA_TYPE;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.smallrye.common.annotation.RunOnVirtualThread;
import io.tinyfaas.contract.route.FunctionName;
import io.tinyfaas.contract.route.Schedule;
import io.tinyfaas.manager.api.FunctionDescription.Version;
import io.tinyfaas.manager.api.access.AccessPolicy;
import io.tinyfaas.manager.archive.ArchiveUploads;
import io.tinyfaas.manager.archive.FunctionArchive;
import io.tinyfaas.manager.call.GatewaySchedules;
import io.tinyfaas.manager.deploy.FunctionDeployer;
import io.tinyfaas.manager.deploy.FunctionDeployer.Deployment;
import io.tinyfaas.manager.deploy.FunctionState;
import io.tinyfaas.manager.deploy.FunctionStates;
import io.tinyfaas.manager.problem.Problem;
import io.tinyfaas.manager.problem.ProblemException;
import io.tinyfaas.manager.spec.FunctionSpec;
import io.tinyfaas.manager.spec.FunctionSpecJson;
import io.tinyfaas.manager.spec.PartialSpec;
import io.tinyfaas.manager.store.FunctionStore;
import io.tinyfaas.manager.text.JsonDocument;
import jakarta.ws.rs.Consumes;
import jakarta.ws.rs.DELETE;
import jakarta.ws.rs.GET;
import jakarta.ws.rs.PATCH;
import jakarta.ws.rs.POST;
import jakarta.ws.rs.PUT;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.PathParam;
import jakarta.ws.rs.Produces;
import jakarta.ws.rs.core.Context;
import jakarta.ws.rs.core.HttpHeaders;
import jakarta.ws.rs.core.MediaType;
import jakarta.ws.rs.core.Response;
import jakarta.ws.rs.core.UriInfo;
import java.io.IOException;
import java.io.InputStream;
import java.util.List;
import java.util.OptionalInt;
import java.util.function.Function;
import org.jboss.resteasy.reactive.server.multipart.MultipartFormDataInput;

/** Deploys functions, and says what runs. {@code META-INF/openapi.yaml} tells the whole of it. */
@Path("/functions")
@Produces(MediaType.APPLICATION_JSON)
@RunOnVirtualThread
class FunctionResource {

  private final FunctionDeployer deployer;
  private final FunctionStates states;
  private final FunctionStore store;
  private final ArchiveUploads uploads;
  private final InvocationUrls urls;
  private final GatewaySchedules schedules;
  private final AccessPolicy access;

  FunctionResource(
      FunctionDeployer deployer,
      FunctionStates states,
      FunctionStore store,
      ArchiveUploads uploads,
      InvocationUrls urls,
      GatewaySchedules schedules,
      AccessPolicy access) {
    this.deployer = deployer;
    this.states = states;
    this.store = store;
    this.uploads = uploads;
    this.urls = urls;
    this.schedules = schedules;
    this.access = access;
  }

  @PUT
  @Path("{name}")
  @Consumes({"application/zip", "application/x-zip-compressed"})
  public Response deploy(
      @PathParam("name") String name, @Context UriInfo uri, InputStream archive) {
    PartialSpec spec = SpecParameters.read(uri.getQueryParameters());
    return deploy(functionName(name), spec, archive, uri);
  }

  @PUT
  @Path("{name}")
  @Consumes(MediaType.MULTIPART_FORM_DATA)
  public Response deploy(
      @PathParam("name") String name, @Context UriInfo uri, MultipartFormDataInput form)
      throws IOException {
    if (!uri.getQueryParameters().isEmpty()) {
      throw invalid(
          uri.getQueryParameters().keySet().iterator().next(),
          "With multipart/form-data the specification is in the part spec: leave the query away.");
    }
    DeployForm parts = DeployForm.read(form);
    try (InputStream archive = parts.archive()) {
      return deploy(functionName(name), parts.spec(), archive, uri);
    }
  }

  private Response deploy(FunctionName name, PartialSpec spec, InputStream upload, UriInfo uri) {
    try (FunctionArchive archive = uploads.receive(upload::transferTo, "")) {
      Deployment deployment = deployer.deploy(name, spec, archive);
      Response.ResponseBuilder response =
          deployment.created() ? Response.created(uri.getAbsolutePath()) : Response.ok();
      return response.entity(FunctionDescription.of(deployment.state(), urls)).build();
    }
  }

  @GET
  public List<FunctionDescription> list(@Context UriInfo uri) {
    QueryParameters.requireOnly(uri);
    return states.list().stream().map(state -> FunctionDescription.of(state, urls)).toList();
  }

  @GET
  @Path("{name}")
  public FunctionDescription get(@PathParam("name") String name, @Context UriInfo uri) {
    Function<FunctionSpec, ObjectNode> spec = asAskedFor(uri);
    FunctionState state = states.get(functionName(name));
    FunctionDescription description = FunctionDescription.of(state, urls, spec);
    List<Schedule> all = state.version().spec().schedules();
    return all.isEmpty()
        ? description
        : description.withSchedules(all, schedules.of(state.version().function()));
  }

  /** With values of the environment only for who asks for them and has shown the token. */
  private Function<FunctionSpec, ObjectNode> asAskedFor(UriInfo uri) {
    QueryParameters.requireOnly(uri, "environment");
    List<String> asked = uri.getQueryParameters().getOrDefault("environment", List.of());
    if (asked.isEmpty()) {
      return FunctionSpecJson::writeHidden;
    }
    if (!asked.equals(List.of("values"))) {
      throw invalid(
          "environment", "Write environment=values to see values, or leave it out to see none.");
    }
    access.requireToken("the environment's values");
    return FunctionSpecJson::write;
  }

  @PATCH
  @Path("{name}")
  @Consumes({"application/merge-patch+json", MediaType.APPLICATION_JSON})
  public FunctionDescription patch(
      @PathParam("name") String name, @Context UriInfo uri, InputStream body) throws IOException {
    QueryParameters.requireOnly(uri);
    ObjectNode patch = JsonDocument.parse(bounded(body));
    Deployment deployment =
        deployer.update(functionName(name), spec -> FunctionSpecJson.patch(spec, patch));
    return FunctionDescription.of(deployment.state(), urls);
  }

  @DELETE
  @Path("{name}")
  @Produces({MediaType.APPLICATION_JSON, Problem.MEDIA_TYPE})
  public void delete(@PathParam("name") String name, @Context UriInfo uri) {
    QueryParameters.requireOnly(uri);
    deployer.delete(functionName(name));
  }

  @GET
  @Path("{name}/versions")
  public List<Version> versions(@PathParam("name") String name, @Context UriInfo uri) {
    FunctionName function = functionName(name);
    Function<FunctionSpec, ObjectNode> spec = asAskedFor(uri);
    int active = store.active(function).map(version -> version.number()).orElse(0);
    return states.versions(function).stream()
        .map(version -> Version.of(version, version.number() == active, spec))
        .toList();
  }

  @POST
  @Path("{name}/rollback")
  public FunctionDescription rollback(
      @PathParam("name") String name,
      @Context UriInfo uri,
      @Context HttpHeaders headers,
      InputStream body)
      throws IOException {
    FunctionName function = functionName(name);
    QueryParameters.requireOnly(uri, "version");
    OptionalInt version = rollbackVersion(uri, headers, bounded(body));
    return FunctionDescription.of(deployer.rollback(function, version).state(), urls);
  }

  private static OptionalInt rollbackVersion(UriInfo uri, HttpHeaders headers, byte[] body) {
    List<String> query = uri.getQueryParameters().getOrDefault("version", List.of());
    if (body.length == 0) {
      return query.isEmpty() ? OptionalInt.empty() : OptionalInt.of(versionNumber(query));
    }
    if (!MediaType.APPLICATION_JSON_TYPE.isCompatible(headers.getMediaType())) {
      throw ProblemException.of(
          UNSUPPORTED_MEDIA_TYPE,
          "Send JSON with -H 'Content-Type: application/json', or ?version=N and no body.");
    }
    if (!query.isEmpty()) {
      throw invalid("version", "version is in the query and in the body: send it once.");
    }
    ObjectNode document = JsonDocument.parse(body);
    JsonNode number = document.path("version");
    if (document.isEmpty()) {
      return OptionalInt.empty();
    }
    if (document.size() != 1 || number.isMissingNode()) {
      throw invalid("version", "The body is {\"version\": N}, or empty for the one before.");
    }
    return OptionalInt.of(versionNumber(List.of(number.isTextual() ? "" : number.toString())));
  }

  private static int versionNumber(List<String> texts) {
    if (texts.size() == 1 && texts.getFirst().matches("[1-9]\\d{0,8}")) {
      return Integer.parseInt(texts.getFirst());
    }
    throw invalid("version", "version is one whole number from 1.");
  }

  /**
   * @throws ProblemException INVALID_REQUEST if it breaks the rule for names
   */
  static FunctionName functionName(String name) {
    if (!FunctionName.isValid(name)) {
      throw invalid("name", "A function's name has " + FunctionName.RULE + ".");
    }
    return new FunctionName(name);
  }

  /** One byte more than a document may have, so that a larger one is told from it. */
  private static byte[] bounded(InputStream body) throws IOException {
    return body.readNBytes(JsonDocument.MAX_BYTES + 1);
  }

  private static ProblemException invalid(String field, String detail) {
    return ProblemException.ofField(INVALID_REQUEST, field, detail);
  }
}
