package io.tinyfaas.gateway.result;

import static org.assertj.core.api.Assertions.assertThat;

import io.tinyfaas.contract.handler.HandlerHttp;
import io.tinyfaas.contract.route.Exposure.Observable;
import io.tinyfaas.gateway.ingress.Protocol;
import io.tinyfaas.gateway.invoke.Invocation;
import io.tinyfaas.gateway.invoke.InvocationResult.Answered;
import io.vertx.core.MultiMap;
import io.vertx.core.http.HttpHeaders;
import java.net.InetAddress;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class LastResultsTest {

  private final Map<String, Observable> functions = new HashMap<>();
  private final Set<String> observed = new HashSet<>();
  private final List<String> heard = new ArrayList<>();
  private LastResults results;

  @BeforeEach
  void begin() {
    functions.put("lamp", Observable.PATH);
    functions.put("f", Observable.FUNCTION);
    functions.put("g", Observable.FUNCTION);
    begin(100_000);
  }

  private void begin(long max) {
    results =
        new LastResults(name -> functions.getOrDefault(name, Observable.NO), max, Runnable::run);
    results.addListener(
        new StateListener() {
          @Override
          public void onChanged(Resource resource) {
            heard.add(resource + "=" + state(resource.toString()));
          }

          @Override
          public void onForgotten(Resource resource) {
            heard.add("-" + resource);
          }

          @Override
          public void onNoRoom(Resource resource) {
            heard.add("!" + resource);
          }

          @Override
          public boolean isObserved(Resource resource) {
            return observed.contains(resource.toString());
          }
        });
  }

  private String state(String name) {
    int slash = name.indexOf('/');
    Resource resource =
        slash < 0
            ? Resource.of(name)
            : new Resource(name.substring(0, slash), name.substring(slash));
    return results
        .get(resource)
        .map(state -> new String(state.body(), StandardCharsets.UTF_8))
        .orElse("none");
  }

  private void result(String target, String body) {
    result(target, 200, body);
  }

  private void result(String target, int status, String body) {
    int slash = target.indexOf('/');
    MultiMap headers = HttpHeaders.headers();
    if (slash >= 0) {
      headers.set(HandlerHttp.PATH_HEADER, target.substring(slash));
    }
    headers.set(HandlerHttp.QUERY_HEADER, "a=b");
    results.onResult(
        new Invocation(
            slash < 0 ? target : target.substring(0, slash),
            Protocol.HTTP,
            InetAddress.getLoopbackAddress(),
            headers,
            new byte[0]),
        new Answered(status, HttpHeaders.headers(), body.getBytes(StandardCharsets.UTF_8)));
  }

  @Test
  void shouldTellEachChangeOnce() {
    result("f", "on");
    result("f", "on");
    result("f", 500, "broken");
    result("f", 204, "");
    result("f", 201, "off");
    result("unknown", "on");
    assertThat(heard).containsExactly("f=on", "f=off");
  }

  @Test
  void shouldHaveOneStateForAllPathsOfAFunction() {
    result("f/1", "on");
    result("f/2", "off");
    assertThat(heard).containsExactly("f=on", "f=off");
    assertThat(results.find("f", null)).contains(Resource.of("f"));
    assertThat(results.find("f", "/1")).isEmpty();
  }

  @Test
  void shouldHaveAStateForEachPath() {
    result("lamp/1", "on");
    result("lamp/%32", "dim");
    result("lamp", "all");
    result("lamp/1", "off");
    assertThat(heard).containsExactly("lamp/1=on", "lamp/2=dim", "lamp=all", "lamp/1=off");
    assertThat(state("lamp/2")).isEqualTo("dim");
    assertThat(results.find("lamp", "/%31")).contains(new Resource("lamp", "/1"));
    assertThat(results.find("lamp", "")).contains(Resource.of("lamp"));
    assertThat(results.find("unknown", "")).isEmpty();
  }

  @Test
  void shouldForgetTheOldestThatNobodyObserves() {
    observed.add("lamp/0");
    begin(10_000_000);
    for (int i = 0; i <= States.MAX_OF_FUNCTION; i++) {
      result("lamp/" + i, "x");
    }
    heard.removeIf(line -> line.endsWith("=x"));
    assertThat(heard).containsExactly("-lamp/1");
    assertThat(state("lamp/0")).isEqualTo("x");
    assertThat(state("lamp/" + States.MAX_OF_FUNCTION)).isEqualTo("x");
  }

  @Test
  void shouldForgetPathsOfAFunctionWithMuchBeforeOthers() {
    result("f", "on");
    for (int i = 0; i < 300; i++) {
      result("lamp/" + i, "x");
    }
    assertThat(state("f")).isEqualTo("on");
    assertThat(state("lamp/0")).isEqualTo("none");
    assertThat(state("lamp/299")).isEqualTo("x");
    assertThat(heard).contains("-lamp/0").doesNotContain("-f");
  }

  @Test
  void shouldRefuseWhatHasNoRoom() {
    observed.add("f");
    result("f", "x".repeat(60_000));
    heard.clear();
    result("g", "x".repeat(60_000));
    assertThat(heard).containsExactly("!g");
    result("f", "y".repeat(100_000));
    assertThat(heard).containsExactly("!g", "!f");
    assertThat(state("f")).isEqualTo("none");
    observed.clear();
    result("g", "z");
    assertThat(state("g")).isEqualTo("z");
  }

  @Test
  void shouldForgetWhatIsGoneOrObservableInAnotherWay() {
    result("f", "1");
    result("g", "2");
    result("lamp/1", "3");
    result("lamp", "4");
    heard.clear();
    results.onTableApplied();
    assertThat(heard).isEmpty();

    functions.remove("f");
    functions.put("g", Observable.PATH);
    functions.put("lamp", Observable.FUNCTION);
    results.onTableApplied();
    assertThat(heard).containsExactlyInAnyOrder("-f", "-g", "-lamp/1", "-lamp");
    assertThat(state("lamp")).isEqualTo("none");
    result("lamp/9", "5");
    assertThat(state("lamp")).isEqualTo("5");
  }
}
