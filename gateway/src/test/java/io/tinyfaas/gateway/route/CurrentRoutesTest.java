package io.tinyfaas.gateway.route;

import static io.tinyfaas.harness.Eventually.patient;
import static org.assertj.core.api.Assertions.assertThat;

import io.tinyfaas.contract.control.Revision;
import io.tinyfaas.contract.control.RouteTable;
import io.tinyfaas.contract.route.CallPolicy;
import io.tinyfaas.contract.route.Exposure;
import io.tinyfaas.contract.route.FunctionName;
import io.tinyfaas.contract.route.Handler;
import io.tinyfaas.contract.route.HandlerEndpoint;
import io.tinyfaas.contract.route.Route;
import io.tinyfaas.gateway.memory.DefaultHeap;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class CurrentRoutesTest {

  /** Of two threads. */
  private static final Duration BEGIN = Duration.ofSeconds(20);

  private final CurrentRoutes routes = new CurrentRoutes(DefaultHeap.tables());
  private final List<String> idle = Collections.synchronizedList(new ArrayList<>());
  private final List<String> removed = new ArrayList<>();

  @BeforeEach
  void listen() {
    routes.addListener(
        new RouteListener() {
          @Override
          public void onHandlerIdle(RoutedHandler handler) {
            idle.add(handler.handler().id());
          }

          @Override
          public void onFunctionRemoved(String function) {
            removed.add(function);
          }
        });
  }

  private static RouteTable table(long epoch, long number, String... handlers) {
    List<Handler> all = Arrays.stream(handlers).map(CurrentRoutesTest::handler).toList();
    return new RouteTable(
        new Revision(epoch, number),
        List.of(
            new Route(
                new FunctionName("f"),
                1,
                1000,
                Exposure.DEFAULT,
                CallPolicy.DEFAULT,
                List.of(),
                all)));
  }

  private static Handler handler(String id) {
    return new Handler(id, new HandlerEndpoint.Tcp("127.0.0.1", 8000));
  }

  private RoutedHandler pick() {
    return routes.find("f").orElseThrow().pick(List.of()).orElseThrow();
  }

  @Test
  void shouldKnowNothingAtFirst() {
    assertThat(routes.find("f")).isEmpty();
    assertThat(routes.revision()).isEqualTo(Revision.NONE);
    assertThat(routes.areKnown()).isFalse();
  }

  @Test
  void shouldKnowThatThereIsNoFunctionOnceAnEmptyTableSaysSo() {
    assertThat(routes.apply(new RouteTable(new Revision(1, 0), List.of()))).isTrue();
    assertThat(routes.find("f")).isEmpty();
    assertThat(routes.areKnown()).isTrue();
  }

  @Test
  void shouldTellAllListenersThoughOneFails() {
    CurrentRoutes told = new CurrentRoutes(DefaultHeap.tables());
    told.addListener(
        new RouteListener() {
          @Override
          public void onTableApplied() {
            throw new IllegalStateException("a bug");
          }

          @Override
          public void onHandlerIdle(RoutedHandler handler) {
            throw new IllegalStateException("a bug");
          }
        });
    List<String> heard = new ArrayList<>();
    told.addListener(
        new RouteListener() {
          @Override
          public void onTableApplied() {
            heard.add("table");
          }

          @Override
          public void onHandlerIdle(RoutedHandler handler) {
            heard.add(handler.handler().id());
          }
        });

    assertThat(told.apply(table(1, 1, "a", "b"))).isTrue();
    RoutedHandler busy = told.find("f").orElseThrow().pick(List.of()).orElseThrow();
    assertThat(busy.enter()).isTrue();
    assertThat(told.apply(table(1, 2))).isTrue();
    busy.leave();

    String idle = busy.handler().id().equals("a") ? "b" : "a";
    assertThat(heard).containsExactly("table", idle, "table", busy.handler().id());
  }

  @Test
  void shouldApplyOnlyNewerTables() {
    assertThat(routes.apply(table(2, 5, "a"))).isTrue();
    assertThat(routes.apply(table(2, 5, "b"))).isFalse();
    assertThat(routes.apply(table(2, 4, "b"))).isFalse();
    assertThat(routes.apply(table(1, 99, "b"))).isFalse();
    assertThat(pick().handler().id()).isEqualTo("a");
    assertThat(routes.apply(table(3, 1, "b"))).isTrue();
    assertThat(pick().handler().id()).isEqualTo("b");
    assertThat(idle).containsExactly("a");
  }

  @Test
  void shouldReportAHandlerThatLeftAsDrainingUntilItIsIdle() {
    routes.apply(table(1, 1, "a"));
    RoutedHandler a = pick();
    assertThat(a.enter()).isTrue();
    assertThat(a.enter()).isTrue();
    routes.apply(table(1, 2, "b"));
    assertThat(routes.applied())
        .isEqualTo(new CurrentRoutes.Applied(new Revision(1, 2), Set.of("a")));
    a.leave();
    assertThat(routes.applied().draining()).containsExactly("a");
    assertThat(idle).isEmpty();
    a.leave();
    assertThat(routes.applied().draining()).isEmpty();
    assertThat(idle).containsExactly("a");
  }

  @Test
  void shouldLetNobodyIntoAHandlerThatLeft() {
    routes.apply(table(1, 1, "a"));
    RoutedHandler a = pick();
    routes.apply(table(1, 2, "b"));
    assertThat(a.enter()).isFalse();
    assertThat(idle).containsExactly("a");
  }

  @Test
  void shouldKeepAHandlerThatStays() {
    routes.apply(table(1, 1, "a"));
    RoutedHandler a = pick();
    a.enter();
    routes.apply(table(1, 2, "a", "b"));
    assertThat(routes.applied().draining()).isEmpty();
    assertThat(pick().handler().id()).as("the one that is free").isEqualTo("b");
    a.leave();
    assertThat(idle).isEmpty();
  }

  @Test
  void shouldTakeADrainingHandlerBack() {
    routes.apply(table(1, 1, "a"));
    RoutedHandler a = pick();
    a.enter();
    routes.apply(table(1, 2));
    assertThat(routes.applied().draining()).containsExactly("a");
    routes.apply(table(1, 3, "a"));
    assertThat(routes.applied().draining()).isEmpty();
    assertThat(pick()).isSameAs(a);
    a.leave();
    assertThat(idle).isEmpty();
    assertThat(a.enter()).isTrue();
  }

  @Test
  void shouldSayWhichFunctionLeft() {
    routes.apply(table(1, 1, "a"));
    routes.apply(new RouteTable(new Revision(1, 2), List.of()));
    assertThat(removed).containsExactly("f");
    assertThat(idle).containsExactly("a");
  }

  @Test
  void shouldSpreadOverHandlersAndAvoidOneThatRefused() {
    routes.apply(table(1, 1, "a", "b"));
    RoutedHandler first = pick();
    RoutedHandler second = pick();
    assertThat(first).isNotSameAs(second);
    first.refused();
    assertThat(pick()).isSameAs(second);
    assertThat(pick()).isSameAs(second);
    assertThat(routes.find("f").orElseThrow().pick(List.of(second))).hasValue(first);
    assertThat(routes.find("f").orElseThrow().pick(List.of(first, second))).isEmpty();
  }

  /** The promise that the manager stops handlers by. */
  @Test
  void shouldNeverLetAnInvocationSlipToAHandlerReportedIdle() throws Exception {
    AtomicBoolean stop = new AtomicBoolean();
    CountDownLatch invoking = new CountDownLatch(2);
    try (ExecutorService threads = Executors.newFixedThreadPool(2)) {
      routes.apply(table(1, 1, "h1"));
      List<Future<Integer>> invokers = new ArrayList<>();
      for (int i = 0; i < 2; i++) {
        invokers.add(
            threads.submit(
                () -> {
                  int entered = 0;
                  while (!stop.get()) {
                    RoutedHandler handler = pick();
                    if (handler.enter()) {
                      entered++;
                      if (entered == 1) {
                        invoking.countDown();
                      }
                      // Asked under the lock of apply(): it is either in the table or draining.
                      CurrentRoutes.Applied applied = routes.applied();
                      String id = handler.handler().id();
                      if (!id.equals("h" + applied.revision().number())
                          && !applied.draining().contains(id)) {
                        throw new AssertionError("slipped to " + id + " in " + applied);
                      }
                      handler.leave();
                    }
                  }
                  return entered;
                }));
      }
      assertThat(invoking.await(patient(BEGIN).toMillis(), TimeUnit.MILLISECONDS)).isTrue();
      for (int number = 2; number < 5_000; number++) {
        routes.apply(table(1, number, "h" + number));
      }
      stop.set(true);
      for (Future<Integer> invoker : invokers) {
        assertThat(invoker.get()).isPositive();
      }
    }
    assertThat(routes.applied().draining()).isEmpty();
    assertThat(idle).doesNotHaveDuplicates().hasSize(4_998);
  }
}
