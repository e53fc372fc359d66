package io.tinyfaas.manager.api;

import static io.restassured.RestAssured.given;
import static org.assertj.core.api.Assertions.assertThat;
import static org.hamcrest.Matchers.equalTo;
import static org.hamcrest.Matchers.not;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.quarkus.test.junit.QuarkusTest;
import io.quarkus.test.junit.TestProfile;
import io.tinyfaas.manager.spec.FunctionSpec;
import jakarta.ws.rs.HttpMethod;
import jakarta.ws.rs.Path;
import java.lang.reflect.Method;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;

/** The description of the REST API. */
@QuarkusTest
@TestProfile(WithoutEngine.class)
class OpenApiTest extends RestCalls {

  @Test
  void shouldDocumentEveryCall() {
    Map<String, Map<String, ?>> paths =
        given().accept("application/json").get("/q/openapi").then().extract().path("paths");
    Set<String> documented = new TreeSet<>();
    paths.forEach(
        (path, operations) ->
            operations.keySet().stream()
                .filter(method -> !method.equals("parameters"))
                .forEach(method -> documented.add(method.toUpperCase(Locale.ROOT) + " " + path)));
    Set<String> calls =
        callsOf(
            FunctionResource.class,
            FunctionLogsResource.class,
            FunctionCallsResource.class,
            FailedCallsResource.class,
            RuntimeResource.class,
            DeviceResource.class,
            CertificateResource.class);
    calls.addAll(
        Set.of(
            "POST /upload",
            "POST /uploadURL",
            "POST /delete",
            "GET /list",
            "POST /wipe",
            "GET /logs"));
    assertThat(documented).isEqualTo(calls);
    given()
        .accept("application/json")
        .get("/q/openapi")
        .then()
        .body("components.securitySchemes.token.scheme", equalTo("bearer"))
        .body(
            "components.schemas.Spec.properties.handlers.maximum",
            equalTo(FunctionSpec.MAX_HANDLERS))
        .body("paths.'/functions/{name}'.put.responses.'413'", not(equalTo(null)));
  }

  @Test
  void shouldBeWhatGeneratorsOfClientsTake() {
    JsonNode document = document();
    assertThat(document.path("servers").path(0).path("url").asText()).isNotEmpty();
    List<String> ids = document.findValuesAsText("operationId");
    assertThat(ids).doesNotHaveDuplicates();

    document
        .findValues("type")
        .forEach(type -> assertThat(type.isArray()).as("%s", type).isFalse());
    document
        .findValuesAsText("$ref")
        .forEach(
            reference ->
                assertThat(document.at(reference.substring(1)).isMissingNode())
                    .as(reference)
                    .isFalse());
    // What is not named stays as it is: a client that sent defaults would undo what others set.
    assertThat(document.at("/components/schemas/Spec/properties").findValues("default")).isEmpty();
    assertThat(document.at("/paths/~1functions~1{name}/put/parameters").findValues("default"))
        .isEmpty();
    assertThat(
            document.findParents("requestBody").stream()
                .filter(operation -> operation.at("/requestBody/content").size() > 1)
                .map(operation -> operation.path("operationId").asText()))
        .as("bodies of more than one media type")
        .containsExactly("registerDevice");
  }

  private static JsonNode document() {
    try {
      return new ObjectMapper()
          .readTree(given().accept("application/json").get("/q/openapi").asString());
    } catch (JsonProcessingException e) {
      throw new AssertionError("/q/openapi is no JSON", e);
    }
  }

  private static Set<String> callsOf(Class<?>... resources) {
    Set<String> calls = new TreeSet<>();
    for (Class<?> resource : resources) {
      for (Method method : resource.getDeclaredMethods()) {
        Path path = method.getAnnotation(Path.class);
        Arrays.stream(method.getAnnotations())
            .map(annotation -> annotation.annotationType().getAnnotation(HttpMethod.class))
            .filter(Objects::nonNull)
            .map(HttpMethod::value)
            .map(verb -> verb + " " + resource.getAnnotation(Path.class).value())
            .forEach(call -> calls.add(path == null ? call : call + "/" + path.value()));
      }
    }
    return calls;
  }
}
