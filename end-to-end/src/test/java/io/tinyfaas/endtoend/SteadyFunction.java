package io.tinyfaas.endtoend;

import static io.tinyfaas.harness.Eventually.eventually;
import static org.assertj.core.api.Assertions.assertThat;

import io.restassured.path.json.JsonPath;
import io.restassured.response.Response;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.extension.RegisterExtension;

/**
 * What people and programs send by mistake or with intent. Each is answered by its problem, leaves
 * nothing behind, and the version that ran before goes on serving.
 */
abstract class SteadyFunction {

  @RegisterExtension static final Installation SYSTEM = Installation.UNIX;
  static Device device;

  /** Runs before, during and after everything here. */
  static final String STEADY = "steady";

  /** What each bad deployment is also sent to: a name that nobody has. */
  static final String FRESH = "fresh";

  static final Functions STEADY_FUNCTION = new Functions(SYSTEM);

  @RegisterExtension final Functions functions = new Functions(SYSTEM);

  static List<String> before;

  @BeforeAll
  static void start() {
    device = new Device(SYSTEM);
    STEADY_FUNCTION.deploy(STEADY, Code.answering("steady"));
    before = SYSTEM.inventory();
  }

  @AfterAll
  static void end() {
    assertUnchanged();
    STEADY_FUNCTION.afterEach(null);
    device.switchOff();
  }

  /** Not a container, network, image or file more or less than before. */
  static void assertUnchanged() {
    eventually().untilAsserted(() -> assertThat(SYSTEM.inventory()).isEqualTo(before));
    assertServing();
  }

  static void assertServing() {
    assertThat(SYSTEM.rest().get("/functions").jsonPath().getList("name"))
        .contains(STEADY)
        .doesNotContain(FRESH);
    assertThat(device.get(STEADY).getResponseText()).isEqualTo("steady");
  }

  /** For the function that is there and as a new one, at once: the same answer to both. */
  static JsonPath assertRefused(
      Map<String, ?> spec, byte[] archive, int status, String type, String detail)
      throws Exception {
    JsonPath problem;
    try (ExecutorService both = Executors.newVirtualThreadPerTaskExecutor()) {
      Future<Response> fresh = both.submit(() -> STEADY_FUNCTION.put(FRESH, spec, archive));
      Future<Response> steady = both.submit(() -> STEADY_FUNCTION.put(STEADY, spec, archive));
      problem = Problems.assertProblem(fresh.get(), status, type, detail);
      Problems.assertProblem(steady.get(), status, type, detail);
    }
    // What ends before the engine is asked is looked at when all is over.
    if (type.equals("invalid-spec")) {
      assertServing();
    } else {
      assertUnchanged();
    }
    return problem;
  }
}
