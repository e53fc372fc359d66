package io.tinyfaas.gateway.result;

import static org.assertj.core.api.Assertions.assertThat;

import io.tinyfaas.contract.handler.HandlerHttp;
import io.tinyfaas.contract.route.CallPolicy;
import io.tinyfaas.contract.route.Exposure;
import io.tinyfaas.contract.route.Exposure.Access;
import io.tinyfaas.contract.route.Exposure.Observable;
import io.tinyfaas.contract.route.FunctionName;
import io.tinyfaas.contract.route.Route;
import io.tinyfaas.gateway.ingress.Protocol;
import io.tinyfaas.gateway.invoke.Invocation;
import io.tinyfaas.gateway.invoke.InvocationResult.Answered;
import io.tinyfaas.gateway.mqtt.Message;
import io.tinyfaas.gateway.mqtt.MessagePublisher;
import io.vertx.core.Future;
import io.vertx.core.MultiMap;
import io.vertx.core.Promise;
import io.vertx.core.http.HttpHeaders;
import java.net.InetAddress;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class RetainedResultsTest {

  /** A broker that takes what is published when the test says so. */
  private static final class PlayedBroker implements MessagePublisher {

    private final List<Message> sent = new ArrayList<>();
    private final Queue<Promise<Void>> untaken = new ArrayDeque<>();
    private final Map<String, String> kept = new LinkedHashMap<>();
    private Runnable listener;
    private boolean connected;

    @Override
    public boolean isEnabled() {
      return true;
    }

    @Override
    public boolean isConnected() {
      return connected;
    }

    @Override
    public Future<Void> publish(Message message) {
      sent.add(message);
      Promise<Void> taken = Promise.promise();
      untaken.add(taken);
      return taken
          .future()
          .onSuccess(
              on -> {
                String body = new String(message.body(), StandardCharsets.UTF_8);
                if (body.isEmpty()) {
                  kept.remove(message.topic());
                } else {
                  kept.put(message.topic(), body);
                }
              });
    }

    @Override
    public void onConnected(Runnable each) {
      listener = each;
    }

    void connect() {
      connected = true;
      listener.run();
    }

    void disconnect() {
      connected = false;
      while (!untaken.isEmpty()) {
        untaken.remove().fail("away");
      }
    }

    void takeAll() {
      while (!untaken.isEmpty()) {
        untaken.remove().complete();
      }
    }
  }

  private final Map<String, Observable> functions = new LinkedHashMap<>();
  private final LastResults results =
      new LastResults(
          name -> functions.getOrDefault(name, Observable.NO), 10_000_000, Runnable::run);
  private final PlayedBroker broker = new PlayedBroker();
  private final Queue<Runnable> later = new ArrayDeque<>();
  private final RetainedResults retained =
      new RetainedResults(results, broker, this::routes, Runnable::run, later::add);

  @BeforeEach
  void begin() {
    functions.put("lamp", Observable.PATH);
    functions.put("f", Observable.FUNCTION);
  }

  private List<Route> routes() {
    return functions.entrySet().stream()
        .map(
            function ->
                new Route(
                    new FunctionName(function.getKey()),
                    1,
                    1,
                    new Exposure(Access.ANY, function.getValue(), Map.of()),
                    CallPolicy.DEFAULT,
                    List.of(),
                    List.of()))
        .toList();
  }

  private void follow() {
    results.onTableApplied();
    retained.onTableApplied();
  }

  private void result(String function, String path, String body) {
    MultiMap headers = HttpHeaders.headers().set(HandlerHttp.PATH_HEADER, path);
    results.onResult(
        new Invocation(
            function, Protocol.HTTP, InetAddress.getLoopbackAddress(), headers, new byte[0]),
        new Answered(
            201,
            HttpHeaders.headers().set("Content-Type", "text/plain"),
            body.getBytes(StandardCharsets.UTF_8)));
  }

  private String etag(String function, String path) {
    return results.get(new Resource(function, path)).orElseThrow().etag();
  }

  private List<String> sent() {
    return broker.sent.stream()
        .map(each -> each.topic() + "=" + new String(each.body(), StandardCharsets.UTF_8))
        .toList();
  }

  @Test
  void shouldPublishAStateRetainedWithWhatItIs() {
    broker.connect();
    result("lamp", "/7", "on");
    Message message = broker.sent.getFirst();
    assertThat(message.topic()).isEqualTo("functions/lamp/result/7");
    assertThat(message.qos()).isEqualTo(1);
    assertThat(message.retain()).isTrue();
    assertThat(message.contentType()).isEqualTo("text/plain");
    assertThat(message.properties())
        .containsExactly(Map.entry("status", "201"), Map.entry("etag", etag("lamp", "/7")));
    assertThat(message.body()).asString().isEqualTo("on");
  }

  @Test
  void shouldPublishTheNewestOnlyToABrokerThatIsSlow() {
    broker.connect();
    result("f", "", "1");
    result("f", "", "22");
    result("f", "", "333");
    assertThat(sent()).containsExactly("functions/f/result=1");
    broker.takeAll();
    assertThat(sent()).containsExactly("functions/f/result=1", "functions/f/result=333");
  }

  @Test
  void shouldPublishAllAnewWhenTheBrokerIsBack() {
    result("f", "", "1");
    assertThat(broker.sent).isEmpty();
    broker.connect();
    broker.takeAll();
    broker.disconnect();
    broker.kept.clear();
    result("lamp", "/1", "on");
    broker.connect();
    broker.takeAll();
    assertThat(broker.kept)
        .containsOnly(
            Map.entry("functions/f/result", "1"), Map.entry("functions/lamp/result/1", "on"));
  }

  @Test
  void shouldTryAgainWhatTheBrokerHasNotTaken() {
    broker.connect();
    result("f", "", "1");
    broker.untaken.remove().fail("too much");
    assertThat(broker.sent).hasSize(1);
    later.remove().run();
    broker.takeAll();
    assertThat(broker.kept).containsEntry("functions/f/result", "1");
    assertThat(later).isEmpty();
  }

  @Test
  void shouldHaveFewUnderWayAtOnce() {
    broker.connect();
    for (int i = 0; i < 100; i++) {
      result("lamp", "/" + i, "on");
    }
    assertThat(broker.sent).hasSize(RetainedResults.MAX_UNDER_WAY);
    broker.takeAll();
    assertThat(broker.kept).hasSize(100);
  }

  @Test
  void shouldHaveForgottenWhatIsGone() {
    broker.connect();
    follow();
    result("f", "", "1");
    result("lamp", "/1", "on");
    result("lamp", "/2", "on");
    broker.takeAll();
    broker.disconnect();
    functions.clear();
    follow();
    broker.connect();
    broker.takeAll();
    assertThat(broker.kept).isEmpty();
    broker.sent.clear();
    broker.connect();
    assertThat(broker.sent).isEmpty();
  }

  @Test
  void shouldHaveForgottenWhatAGatewayBeforeThisOnePublishedAsFarAsItIsKnown() {
    functions.put("plain", Observable.NO);
    broker.kept.put("functions/plain/result", "old");
    broker.kept.put("functions/f/result", "last");
    follow();
    broker.connect();
    broker.takeAll();
    assertThat(broker.kept).containsOnlyKeys("functions/f/result");
  }
}
