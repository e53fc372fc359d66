package io.tinyfaas.gateway.ingress.http;

import io.micrometer.core.instrument.MeterRegistry;
import io.tinyfaas.contract.route.Exposure.Access;
import io.tinyfaas.gateway.loop.InvocationLoop;
import io.tinyfaas.gateway.loop.Turns;
import io.tinyfaas.gateway.memory.BodyMemory;
import io.tinyfaas.gateway.memory.HeapSettings;
import io.tinyfaas.gateway.memory.Holder;
import io.tinyfaas.gateway.memory.Places;
import io.tinyfaas.gateway.result.LastResults;
import io.tinyfaas.gateway.result.Resource;
import io.tinyfaas.gateway.result.StateListener;
import io.tinyfaas.gateway.route.CurrentRoutes;
import io.tinyfaas.gateway.route.RouteListener;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpHeaders;
import io.vertx.core.http.HttpMethod;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.http.HttpServerResponse;
import io.vertx.core.http.HttpVersion;
import jakarta.inject.Singleton;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;

/**
 * Who is told states by server-sent events: bounded, as observers are. On the event loop, but for
 * what is said otherwise.
 */
@Singleton
final class EventStreams implements StateListener, RouteListener {

  private static final String TYPE = "text/event-stream";

  /** A media range of this very type that is not refused by its weight (RFC 9110, 12.5.1). */
  private static final Pattern ACCEPTED =
      Pattern.compile(
          "(?:^|,)\\s*text/event-stream\\s*(?:;(?!\\s*q=0(?:\\.0*)?\\s*(?:[,;]|$))[^,]*)?(?:,|$)",
          Pattern.CASE_INSENSITIVE);

  /** A client that was cut off comes again after so long. */
  private static final Buffer FIRST = Buffer.buffer("retry: 3000\n\n");

  private static final String LAST_EVENT_ID = "Last-Event-ID";
  private static final String GONE = "the function is gone, or not observable any more";

  /** How long clients have to take that the gateway is stopping. */
  private static final long FAREWELL_NANOS = TimeUnit.SECONDS.toNanos(2);

  private final HttpSettings settings;
  private final LastResults results;
  private final BodyMemory memory;
  private final CurrentRoutes routes;
  private final InvocationLoop loop;
  private final Places<Object> places;
  private final int max;
  private final Map<Resource, Set<EventStream>> byResource = new HashMap<>();
  private final Turns<EventStream> turns;
  private volatile int size;
  private volatile boolean stopping;
  private volatile long farewell;

  EventStreams(
      HeapSettings heap,
      HttpSettings settings,
      LastResults results,
      BodyMemory memory,
      CurrentRoutes routes,
      InvocationLoop loop,
      MeterRegistry registry) {
    this.settings = settings;
    this.results = results;
    this.memory = memory;
    this.routes = routes;
    this.loop = loop;
    this.max = heap.http().maxEventStreams();
    this.places = new Places<>(max);
    this.turns = new Turns<>(loop.context().nettyEventLoop(), EventStream::tell);
    registry.gauge("tinyfaas.event.streams", this, streams -> streams.size);
    results.addListener(this);
    routes.addListener(this);
  }

  /**
   * What a request asks to be told of; empty if it is one like any other. That is also one of a
   * client with HTTP/1.0, to which nothing can be sent in parts.
   */
  Optional<Resource> asked(HttpServerRequest request, Target target) {
    if (!request.method().equals(HttpMethod.GET)
        || request.version() == HttpVersion.HTTP_1_0
        || target.query() != null) {
      return Optional.empty();
    }
    String accepted = request.getHeader(HttpHeaders.ACCEPT);
    return accepted != null && ACCEPTED.matcher(accepted).find()
        ? results
            .find(target.function(), target.rest())
            .filter(resource -> isForAll(resource.function()))
        : Optional.empty();
  }

  private boolean isForAll(String function) {
    return routes
        .find(function)
        .filter(its -> its.route().exposure().access() == Access.ANY)
        .isPresent();
  }

  /**
   * Tells the client from now on.
   *
   * @param head what the request takes as long as it is not answered, in bytes
   * @return why not, if there is no place
   */
  Optional<HttpProblem> open(
      HttpServerRequest request,
      HttpConnections connections,
      HttpPeer peer,
      long head,
      Resource resource) {
    if (!places.take(peer.place())) {
      return Optional.of(
          places.taken() == max ? HttpProblem.noEventStream() : HttpProblem.tooManyEventStreams());
    }
    Holder holder = peer.holder();
    if (!memory.take(head, holder)) {
      places.give(peer.place());
      return Optional.of(HttpProblem.overloaded());
    }
    HttpServerResponse response = request.response();
    EventStream stream =
        new EventStream(
            resource,
            peer.place(),
            holder,
            new EventStream.Out(
                response, request.connection(), connections, settings.sendTimeout()),
            memory,
            () -> results.get(resource),
            request.getHeader(LAST_EVENT_ID));
    byResource.computeIfAbsent(resource, first -> new LinkedHashSet<>()).add(stream);
    size = places.taken();
    response.exceptionHandler(
        left -> {
          // it is told to the other handler, too
        });
    Runnable over =
        () -> {
          if (remove(stream)) {
            memory.give(head, holder);
          }
        };
    response.closeHandler(closed -> over.run());
    response.endHandler(ended -> over.run());
    response
        .setChunked(true)
        .putHeader(HttpHeaders.CONTENT_TYPE, TYPE)
        .putHeader(HttpHeaders.CACHE_CONTROL, "no-store")
        .putHeader(HttpHeaders.CONNECTION, HttpHeaders.CLOSE);
    stream.begin(FIRST);
    return Optional.empty();
  }

  /** Whether it was still there: of one that ends both handlers may hear. */
  private boolean remove(EventStream stream) {
    Set<EventStream> its = byResource.get(stream.resource());
    if (its == null || !its.remove(stream)) {
      return false;
    }
    places.give(stream.place());
    size = places.taken();
    if (its.isEmpty()) {
      byResource.remove(stream.resource());
    }
    return true;
  }

  private List<EventStream> of(Resource resource) {
    return List.copyOf(byResource.getOrDefault(resource, Set.of()));
  }

  private List<EventStream> all() {
    return byResource.values().stream().flatMap(Set::stream).toList();
  }

  @Override
  public void onChanged(Resource resource) {
    turns.add(of(resource));
  }

  @Override
  public void onForgotten(Resource resource) {
    end(resource, GONE);
  }

  @Override
  public void onNoRoom(Resource resource) {
    end(resource, "the results that are observed are too large");
  }

  private void end(Resource resource, String why) {
    of(resource).forEach(stream -> stream.end(why));
  }

  @Override
  public boolean isObserved(Resource resource) {
    return byResource.containsKey(resource);
  }

  /** On any thread. */
  @Override
  public void onTableApplied() {
    loop.context().runOnContext(on -> followTable());
  }

  /** Also of those that have had no state yet. */
  private void followTable() {
    for (Resource resource : List.copyOf(byResource.keySet())) {
      boolean goesOn =
          isForAll(resource.function())
              && results
                  .find(resource.function(), resource.path())
                  .filter(resource::equals)
                  .isPresent();
      if (!goesOn) {
        end(resource, GONE);
      }
    }
  }

  /** To be called every now and then. */
  void tick() {
    all().forEach(EventStream::tick);
  }

  /** Tells all that it is over; on any thread. */
  void stop() {
    farewell = System.nanoTime() + FAREWELL_NANOS;
    stopping = true;
    loop.context()
        .runOnContext(on -> all().forEach(stream -> stream.end("the gateway is stopping")));
  }

  /** How many have not taken that it is over; on any thread. */
  int leaving() {
    return stopping && System.nanoTime() - farewell < 0 ? size : 0;
  }
}
