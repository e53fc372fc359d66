package io.tinyfaas.gateway.result;

import io.quarkus.runtime.Startup;
import io.tinyfaas.contract.route.Exposure.Observable;
import io.tinyfaas.contract.route.Route;
import io.tinyfaas.gateway.loop.InvocationLoop;
import io.tinyfaas.gateway.loop.LoopTimers;
import io.tinyfaas.gateway.mqtt.Message;
import io.tinyfaas.gateway.mqtt.MessagePublisher;
import io.tinyfaas.gateway.route.CurrentRoutes;
import io.tinyfaas.gateway.route.RouteListener;
import jakarta.inject.Inject;
import jakarta.inject.Singleton;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.Iterator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.Executor;
import java.util.function.Consumer;
import java.util.function.Supplier;
import java.util.stream.Collectors;

/**
 * States as retained messages. Of each only the newest is kept to be published, while the broker is
 * away or slow; when it is connected again all are published anew, since nobody knows what it has
 * lost. What has no state any more is published empty, which makes the broker forget it. On the
 * invocation loop, but for what is said otherwise.
 */
@Startup
@Singleton
final class RetainedResults implements StateListener, RouteListener {

  /** To the broker at once. */
  static final int MAX_UNDER_WAY = 16;

  /** Topics that are to be forgotten while the broker is away; beside those of states. */
  private static final int MAX_RETAINED = 2 * States.MAX;

  private static final int RETRY_MILLIS = 1_000;
  private static final byte[] NONE = {};

  private final LastResults results;
  private final MessagePublisher publisher;
  private final Supplier<List<Route>> routes;
  private final Executor loop;
  private final Consumer<Runnable> later;

  /** Those of which the broker does not have the newest state, the longest so first. */
  private final Set<Resource> due = new LinkedHashSet<>();

  private final Set<Resource> underWay = new HashSet<>();

  /** Those of which the broker may have a message. */
  private final Set<Resource> retained = new HashSet<>();

  /** Of the table before. */
  private Set<String> observable = Set.of();

  private Set<String> others = Set.of();
  private boolean waiting;

  @Inject
  RetainedResults(
      LastResults results,
      MessagePublisher publisher,
      CurrentRoutes routes,
      InvocationLoop loop,
      LoopTimers timers) {
    this(
        results,
        publisher,
        routes::routes,
        task -> loop.context().runOnContext(on -> task.run()),
        task -> timers.start(RETRY_MILLIS, task::run));
    if (publisher.isEnabled()) {
      routes.addListener(this);
    }
  }

  /**
   * @param later runs a task after a while
   */
  RetainedResults(
      LastResults results,
      MessagePublisher publisher,
      Supplier<List<Route>> routes,
      Executor loop,
      Consumer<Runnable> later) {
    this.results = results;
    this.publisher = publisher;
    this.routes = routes;
    this.loop = loop;
    this.later = later;
    if (publisher.isEnabled()) {
      results.addListener(this);
      publisher.onConnected(this::publishAll);
    }
  }

  @Override
  public void onChanged(Resource resource) {
    due.add(resource);
    publish();
  }

  @Override
  public void onForgotten(Resource resource) {
    if (retained.contains(resource)) {
      due.add(resource);
    } else {
      due.remove(resource);
    }
    publish();
  }

  @Override
  public void onNoRoom(Resource resource) {
    onForgotten(resource);
  }

  /** Who subscribes to its topic is the broker's to know. */
  @Override
  public boolean isObserved(Resource resource) {
    return false;
  }

  /** On any thread. */
  @Override
  public void onTableApplied() {
    loop.execute(this::followTable);
  }

  /**
   * Forgotten is also what a gateway before this one may have published of functions that are not
   * observable any more.
   */
  void followTable() {
    List<Route> table = routes.get();
    Set<String> before = observable;
    Set<String> knownOthers = others;
    observable = names(table, true);
    others = names(table, false);
    before.stream().filter(name -> !observable.contains(name)).forEach(this::clear);
    others.stream().filter(name -> !knownOthers.contains(name)).forEach(this::clear);
    publish();
  }

  private static Set<String> names(List<Route> table, boolean observable) {
    return table.stream()
        .filter(route -> (route.exposure().observable() != Observable.NO) == observable)
        .map(route -> route.function().value())
        .collect(Collectors.toUnmodifiableSet());
  }

  private void clear(String function) {
    Resource resource = Resource.of(function);
    if (retained.size() < MAX_RETAINED && retained.add(resource)) {
      due.add(resource);
    }
  }

  private void publishAll() {
    due.addAll(results.all());
    due.addAll(retained);
    publish();
  }

  private void publish() {
    if (waiting || !publisher.isConnected()) {
      return;
    }
    List<Resource> next = new ArrayList<>();
    Iterator<Resource> longest = due.iterator();
    while (underWay.size() + next.size() < MAX_UNDER_WAY && longest.hasNext()) {
      Resource resource = longest.next();
      if (!underWay.contains(resource)) { // else after that, so that the newest comes last
        next.add(resource);
        longest.remove();
      }
    }
    underWay.addAll(next);
    next.forEach(this::publish);
  }

  private void publish(Resource resource) {
    LastResult state = results.get(resource).orElse(null);
    if (state != null) {
      retained.add(resource);
    }
    publisher
        .publish(message(resource, state))
        .onComplete(
            done -> {
              underWay.remove(resource);
              if (done.failed()) {
                due.add(resource);
                tryLater();
              } else if (state == null && results.get(resource).isEmpty()) {
                retained.remove(resource);
              }
              publish();
            });
  }

  /** If it is disconnected, when it is connected again. */
  private void tryLater() {
    if (!waiting) {
      waiting = true;
      later.accept(
          () -> {
            waiting = false;
            publish();
          });
    }
  }

  private static Message message(Resource resource, LastResult state) {
    if (state == null) {
      return new Message(resource.topic(), 1, true, "", NONE, List.of(), NONE);
    }
    List<Map.Entry<String, String>> properties = new ArrayList<>();
    properties.add(Map.entry("status", Integer.toString(state.answer().status())));
    properties.add(Map.entry("etag", state.etag()));
    if (!state.contentEncoding().isEmpty()) {
      properties.add(Map.entry("content-encoding", state.contentEncoding()));
    }
    return new Message(
        resource.topic(), 1, true, state.contentType(), NONE, properties, state.body());
  }
}
