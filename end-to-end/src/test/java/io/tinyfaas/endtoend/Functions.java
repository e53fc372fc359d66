package io.tinyfaas.endtoend;

import static io.tinyfaas.harness.Eventually.eventually;
import static org.assertj.core.api.Assertions.assertThat;

import io.restassured.response.Response;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.extension.AfterEachCallback;
import org.junit.jupiter.api.extension.ExtensionContext;

/**
 * The functions of a test, deployed by REST. When it has ended they are deleted, and none may have
 * left a trace.
 */
final class Functions implements AfterEachCallback {

  /** Answers the headers that it got, a line each. */
  static final byte[] HEADERS =
      Code.node(
          "module.exports = (req, res) => res.send("
              + "Object.entries(req.headers).map(e => e.join(': ')).join('\\n'));");

  /** Throws, and says that there is no lamp. */
  static final byte[] FAILING =
      Code.node("module.exports = () => { throw new Error('no lamp'); };");

  private final Installation system;
  private final Set<String> names = new LinkedHashSet<>();

  Functions(Installation system) {
    this.system = system;
  }

  /** A function of the runtime nodejs. */
  Response put(String name, byte[] zip) {
    return put(name, Map.of("runtime", "nodejs"), zip);
  }

  /**
   * @param spec the query
   */
  Response put(String name, Map<String, ?> spec, byte[] zip) {
    willBe(name);
    return system
        .rest()
        .contentType("application/zip")
        .queryParams(spec)
        .body(zip)
        .put("/functions/{name}", name);
  }

  /** Of a name that may be none. */
  Response tryName(String name, byte[] zip) {
    String path = URLEncoder.encode(name, StandardCharsets.UTF_8).replace("+", "%20");
    return system
        .rest()
        .urlEncodingEnabled(false)
        .contentType("application/zip")
        .body(zip)
        .put("/functions/" + path.replace(".", "%2E") + "?runtime=nodejs");
  }

  /** As {@link #put}, when what matters comes afterwards. */
  void deploy(String name, Map<String, ?> spec, byte[] zip) {
    Response answer = put(name, spec, zip);
    while (answer.statusCode() == 503 && answer.asString().contains("runtime-unavailable")) {
      // Its image is being built, for longer than a call waits.
      answer = put(name, spec, zip);
    }
    assertThat(answer.statusCode()).as(answer.asString()).isIn(200, 201);
  }

  void deploy(String name, byte[] zip) {
    deploy(name, Map.of("runtime", "nodejs"), zip);
  }

  Response patch(String name, String json) {
    return system
        .rest()
        .contentType("application/merge-patch+json")
        .body(json)
        .patch("/functions/{name}", name);
  }

  Response get(String name) {
    return system.rest().get("/functions/{name}", name);
  }

  Response delete(String name) {
    return system.rest().delete("/functions/{name}", name);
  }

  /** The ids of its handlers, as REST tells them. */
  List<String> handlers(String name) {
    return get(name).jsonPath().getList("handlers.id");
  }

  /** Has the function deleted after the test, whoever deploys it. */
  void willBe(String name) {
    synchronized (names) {
      names.add(name);
    }
  }

  /** What there is of a function: on the engine, in the store, among the sockets. */
  List<String> traces(String name) {
    List<String> traces = new ArrayList<>(system.traces(name));
    traces.addAll(system.files(name));
    return traces;
  }

  @Override
  public void afterEach(ExtensionContext context) {
    removeAll();
  }

  /** Deletes them before the test has ended, or where several tests share them. */
  void removeAll() {
    List<String> deleted = List.copyOf(names);
    for (String name : deleted) {
      assertThat(delete(name).statusCode()).as("DELETE of " + name).isIn(204, 404);
    }
    names.clear();
    eventually()
        .untilAsserted(
            () ->
                assertThat(deleted)
                    .allSatisfy(
                        name -> assertThat(traces(name)).as("what is left of " + name).isEmpty()));
  }
}
