package io.tinyfaas.manager;

import static io.tinyfaas.harness.Eventually.eventually;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.InstanceOfAssertFactories.type;

import io.quarkus.test.common.WithTestResource;
import io.quarkus.test.junit.QuarkusTest;
import io.tinyfaas.manager.archive.FunctionArchive;
import io.tinyfaas.manager.archive.Zip;
import io.tinyfaas.manager.problem.ProblemException;
import io.tinyfaas.manager.problem.ProblemType;
import io.tinyfaas.manager.spec.FunctionSpec;
import io.tinyfaas.manager.spec.Specs;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** A deployment that fails says why and changes nothing. */
@Tag("slow")
@QuarkusTest
@WithTestResource(RealParts.class)
class FailedDeploymentIT extends FunctionOnAnEngine {

  /** Never healthy, and no work for the processor meanwhile. */
  private static final String STANDS_STILL =
      "Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0)";

  record Broken(String what, FunctionSpec spec, FunctionArchive archive, ProblemType type) {
    @Override
    public String toString() {
      return what;
    }
  }

  static List<Broken> broken() {
    return List.of(
        new Broken(
            "does not load", spec(), Zip.node("syntax error here"), ProblemType.START_FAILED),
        new Broken("exits", spec(), Zip.node("process.exit(3)"), ProblemType.START_FAILED),
        new Broken("never healthy", spec(), Zip.node(STANDS_STILL), ProblemType.START_FAILED),
        new Broken(
            "leaves a file beside its socket",
            spec(),
            Zip.node(
                "require('fs').writeFileSync('/run/tinyfaas/more', 'x');"
                    + "module.exports = (req, res) => res.send('hello')"),
            ProblemType.START_FAILED),
        new Broken(
            "a build that fails",
            spec(),
            Zip.of(
                Map.of(
                    "index.js",
                    "module.exports = 1",
                    "package.json",
                    "{\"scripts\": {\"install\": \"exit 7\"}}")),
            ProblemType.BUILD_FAILED),
        new Broken(
            "nothing the runtime can run",
            spec(),
            Zip.of(Map.of("fn.txt", "x")),
            ProblemType.INVALID_ARCHIVE),
        new Broken(
            "an entry in the folder that does not count",
            Specs.of("{\"runtime\": \"nodejs\", \"entry\": \"src/index.js\"}"),
            Zip.of(Map.of("src/index.js", "module.exports = 1")),
            ProblemType.INVALID_SPEC),
        new Broken(
            "no such runtime", spec("cobol", 1, 0.5), Zip.saying("x"), ProblemType.UNKNOWN_RUNTIME),
        new Broken(
            "more cores than there are",
            spec("nodejs", 1, 64),
            Zip.saying("x"),
            ProblemType.INVALID_SPEC));
  }

  @ParameterizedTest
  @MethodSource("broken")
  void shouldGoOnWithTheVersionThatRanAndLeaveNothingOf(Broken broken) {
    deploy(spec(), Zip.saying("good"));
    List<String> containers = containers();
    List<String> images = images();

    assertProblem(broken.type(), () -> deploy(broken.spec(), broken.archive()));

    assertThat(invoke(onlyHandler())).endsWith("good");
    assertThat(containers()).isEqualTo(containers);
    assertThat(store.versions(FUNCTION)).hasSize(1);
    eventually().until(() -> images().equals(images));
  }

  @ParameterizedTest
  @MethodSource("broken")
  void shouldLeaveNothingOfANewFunctionThat(Broken broken) {
    assertProblem(broken.type(), () -> deploy(broken.spec(), broken.archive()));

    assertThat(store.functions()).isEmpty();
    assertThat(gateway.route("Thing")).isEmpty();
    assertNothingIsLeft();
  }

  @Test
  void shouldSayWhatAFunctionPrintedThatDoesNotStart() {
    assertThatThrownBy(() -> deploy(spec(), Zip.node("throw new Error('no database here')")))
        .asInstanceOf(type(ProblemException.class))
        .extracting(problem -> String.join("\n", problem.output()))
        .asString()
        .contains("no database here");
  }

  @ParameterizedTest
  @ValueSource(strings = {"process.exit(3)", STANDS_STILL})
  void shouldSayThatAFunctionPrintedNothingThatDoesNotStart(String code) {
    assertThatThrownBy(() -> deploy(spec(), Zip.node(code)))
        .hasMessageContaining("It printed nothing.")
        .hasMessageNotContaining("output");
  }

  @Test
  void shouldChangeNothingWhileTheGatewayIsAway() {
    gateway.goesAway();

    assertProblem(ProblemType.GATEWAY_UNAVAILABLE, () -> deploy(spec(), Zip.saying("x")));

    assertThat(store.functions()).isEmpty();
    gateway.isBack();
    assertNothingIsLeft();
  }

  @Test
  void shouldGoBackToTheVersionBeforeWhenTheGatewayDoesNotTakeOver() {
    deploy(spec(), Zip.saying("one"));
    gateway.confirms(false);

    assertProblem(ProblemType.GATEWAY_UNAVAILABLE, () -> deploy(spec(), Zip.saying("two")));

    gateway.confirms(true);
    assertThat(store.active(FUNCTION).orElseThrow().number()).isEqualTo(1);
    eventually().until(() -> containers().size() == 1);
    assertThat(invoke(onlyHandler())).endsWith("one");
  }
}
