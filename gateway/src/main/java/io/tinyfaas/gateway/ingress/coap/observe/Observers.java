package io.tinyfaas.gateway.ingress.coap.observe;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import io.tinyfaas.contract.handler.HandlerHttp;
import io.tinyfaas.contract.route.Exposure.Access;
import io.tinyfaas.gateway.call.Calls;
import io.tinyfaas.gateway.device.CurrentDevices;
import io.tinyfaas.gateway.ingress.coap.message.CoapResponses;
import io.tinyfaas.gateway.invoke.Invocation;
import io.tinyfaas.gateway.invoke.InvocationResult;
import io.tinyfaas.gateway.invoke.InvocationResult.Answered;
import io.tinyfaas.gateway.invoke.InvocationResult.Unauthorized;
import io.tinyfaas.gateway.loop.InvocationLoop;
import io.tinyfaas.gateway.loop.LoopExecutor;
import io.tinyfaas.gateway.loop.Turns;
import io.tinyfaas.gateway.memory.HeapSettings;
import io.tinyfaas.gateway.result.LastResult;
import io.tinyfaas.gateway.result.LastResults;
import io.tinyfaas.gateway.result.Resource;
import io.tinyfaas.gateway.result.StateListener;
import io.tinyfaas.gateway.route.CurrentRoutes;
import io.tinyfaas.gateway.route.RouteListener;
import io.vertx.core.Vertx;
import jakarta.inject.Singleton;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Executor;
import java.util.function.Function;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import org.eclipse.californium.core.coap.BlockOption;
import org.eclipse.californium.core.coap.CoAP.Code;
import org.eclipse.californium.core.coap.CoAP.ResponseCode;
import org.eclipse.californium.core.coap.OptionSet;
import org.eclipse.californium.core.coap.Request;
import org.eclipse.californium.core.coap.Response;
import org.eclipse.californium.core.network.Exchange;

/**
 * Observable functions, and their paths, as resources whose state is the last result (RFC 7641). A
 * GET with Observe is answered with that, or runs the function if there is none yet; each state is
 * told to all observers, whatever protocol it came by. On the event loop.
 */
@Singleton
public final class Observers implements StateListener, RouteListener, ObservingPeer.Notifier {

  private static final int REGISTER = 0;
  private static final int CANCEL = 1;
  private static final int MAX_NUMBER = (1 << 24) - 1;
  private static final long TICK_MILLIS = 500;

  private final CurrentRoutes routes;
  private final Executor loop;
  private final LongSupplier clock;
  private final ObserverList observers;
  private final LastResults results;
  private final Turns<Observation> turns;
  private final Counter notifications;

  /** Those who have not acknowledged yet that the gateway is stopping. */
  private final Set<Observation> leaving = new HashSet<>();

  private Function<Resource, Optional<Representation>> others = resource -> Optional.empty();
  private volatile boolean stopping;
  private volatile int left;
  private long number;

  /** What was told last: most states are told to many, one after the other. */
  private LastResult shown;

  private Representation shownAs;

  Observers(
      Vertx vertx,
      InvocationLoop loop,
      HeapSettings settings,
      LastResults results,
      CurrentRoutes routes,
      CurrentDevices devices,
      MeterRegistry registry) {
    this.routes = routes;
    this.loop = new LoopExecutor(loop.context().nettyEventLoop());
    this.clock = steadyMillis();
    this.observers = new ObserverList(settings.coap().maxObservers(), this);
    this.turns = new Turns<>(loop.context().nettyEventLoop(), this::tell);
    this.results = results;
    this.notifications =
        Counter.builder("tinyfaas.notifications")
            .description("Notifications sent to observers")
            .register(registry);
    registry.gauge("tinyfaas.observers", observers, ObserverList::size);
    routes.addListener(this);
    devices.addListener(() -> this.loop.execute(() -> followDevices(devices)));
    results.addListener(this);
    loop.context().runOnContext(on -> vertx.setPeriodic(TICK_MILLIS, tick -> tick()));
  }

  /** The box's time at the start, going on steadily whatever is done to its clock. */
  private static LongSupplier steadyMillis() {
    long wall = System.currentTimeMillis();
    long from = System.nanoTime();
    return () -> wall + (System.nanoTime() - from) / 1_000_000;
  }

  /**
   * The answer that needs no run of the function: to a registration or the end of one, when there
   * is a last result, and to a request for a further block of it.
   */
  public Optional<Response> answer(Exchange exchange, Invocation invocation) {
    OptionSet asked = exchange.getRequest().getOptions();
    boolean further = isFurtherBlock(asked);
    boolean observe = isObserve(asked, REGISTER) || isObserve(asked, CANCEL);
    Optional<Resource> resource =
        further || observe ? resource(exchange.getRequest(), invocation) : Optional.empty();
    if (resource.isEmpty()) {
      return Optional.empty();
    }
    if (isObserve(asked, CANCEL)) {
      observers.find(Observation.Key.of(exchange)).ifPresent(this::lost);
    }
    return state(resource.get())
        .map(
            state ->
                isObserve(asked, REGISTER) && !further
                    ? register(exchange, resource.get(), state)
                    : state.answer(asked));
  }

  /**
   * The answer after a run of the function: the given one, unless it was to begin an observation.
   */
  public Response answered(
      Exchange exchange, Invocation invocation, InvocationResult result, Response response) {
    if (!(result instanceof Answered answered) || !response.isSuccess()) {
      return response;
    }
    Request request = exchange.getRequest();
    Optional<Resource> resource =
        isObserve(request.getOptions(), REGISTER)
            ? resource(request, invocation)
            : Optional.empty();
    if (resource.isEmpty()) {
      return response;
    }
    results.onResult(invocation, answered); // which it hears of after this answer otherwise
    return state(resource.get())
        .map(state -> register(exchange, resource.get(), state))
        .orElse(response);
  }

  static boolean isRegistration(OptionSet asked) {
    return isObserve(asked, REGISTER) && !isFurtherBlock(asked);
  }

  /** The end of an observation, if this is one. */
  void cancel(Exchange exchange) {
    if (isObserve(exchange.getRequest().getOptions(), CANCEL)) {
      observers.find(Observation.Key.of(exchange)).ifPresent(this::lost);
    }
  }

  /**
   * @param states gives the state of what is no function
   */
  void alsoObserve(Function<Resource, Optional<Representation>> states) {
    others = states;
  }

  /** Tells those who observe it the last they hear of it. */
  void end(Resource resource, Function<OptionSet, Response> last) {
    for (Observation observation : observers.of(resource)) {
      end(observation, () -> last.apply(observation.request().getOptions()));
    }
  }

  private static boolean isObserve(OptionSet options, int value) {
    return options.hasObserve() && options.getObserve() == value;
  }

  private static boolean isFurtherBlock(OptionSet options) {
    BlockOption block = options.getBlock2();
    return block != null && block.getNum() > 0;
  }

  /** What a request without a body asks to observe. A query makes a resource without a state. */
  private Optional<Resource> resource(Request request, Invocation invocation) {
    OptionSet options = request.getOptions();
    boolean reads =
        request.getCode() == Code.GET
            && options.getURIQueryCount() == 0
            && options.getIfMatchCount() == 0
            && !options.hasIfNoneMatch()
            && invocation.body().length == 0;
    return reads && mayAsk(invocation.function(), !invocation.device().isEmpty())
        ? results.find(invocation.function(), invocation.headers().get(HandlerHttp.PATH_HEADER))
        : Optional.empty();
  }

  /** Also where there is no such function. */
  private boolean mayAsk(String function, boolean device) {
    return device
        || routes
            .find(function)
            .filter(its -> its.route().exposure().access() == Access.DEVICE)
            .isEmpty();
  }

  Response register(Exchange exchange, Resource resource, Representation state) {
    Response response = state.answer(exchange.getRequest().getOptions());
    if (response.isError()) {
      return response;
    }
    Observation observation = new Observation(exchange, resource, state.format(), now());
    if (observers.add(observation, response)) {
      response.getOptions().setObserve(nextNumber());
    }
    return response;
  }

  @Override
  public void onChanged(Resource resource) {
    turns.add(observers.of(resource));
  }

  @Override
  public void onForgotten(Resource resource) {
    end(
        resource,
        asked ->
            CoapResponses.diagnostic(
                ResponseCode.NOT_FOUND, "the function is gone, or not observable any more"));
  }

  @Override
  public void onNoRoom(Resource resource) {
    end(
        resource,
        asked -> CoapResponses.unavailable("the results that are observed are too large"));
  }

  @Override
  public boolean isObserved(Resource resource) {
    return observers.has(resource);
  }

  private void tell(Observation observation) {
    if (observers.has(observation)) {
      observers.peer(observation).notify(observation);
    }
  }

  /** On any thread. */
  @Override
  public void onTableApplied() {
    loop.execute(this::followTable);
  }

  /** Of what is gone, the state is forgotten. */
  private void followTable() {
    for (Observation observation : observers.all()) {
      if (!mayAsk(observation.resource().function(), observation.device().isPresent())) {
        end(observation, () -> CoapResponses.toResponse(observation.request(), new Unauthorized()));
      }
    }
  }

  /** Whoever is no registered device any more is told nothing more. */
  private void followDevices(CurrentDevices devices) {
    for (Observation observation : observers.all()) {
      if (!observation.device().map(devices::isCurrent).orElse(true)) {
        lost(observation);
      }
    }
  }

  /** Tells all observers that they have to register again; on any thread. */
  public void stop() {
    left = observers.size(); // which nobody must miss until it is done
    loop.execute(
        () -> {
          stopping = true;
          List<Observation> all = observers.all();
          leaving.addAll(all);
          all.forEach(observation -> end(observation, CoapResponses::stopping));
          left = leaving.size();
        });
  }

  /** How many have not acknowledged it yet; on any thread. */
  public int leaving() {
    return left;
  }

  private void left(Observation observation) {
    if (stopping && leaving.remove(observation)) {
      left = leaving.size();
    }
  }

  private void end(Observation observation, Supplier<Response> error) {
    observation.end(error);
    ObservingPeer peer = observers.peer(observation);
    ended(observation);
    peer.notify(observation);
  }

  /** Sends what had to wait, and asks those who have been silent for a day. */
  void tick() {
    for (Observation observation : observers.all()) {
      observers.peer(observation).check(observation);
    }
    observers.tick();
  }

  @Override
  public long now() {
    return clock.getAsLong();
  }

  @Override
  public Optional<Representation> state(Resource resource) {
    return resource.function().equals(Calls.PATH)
        ? others.apply(resource)
        : results.get(resource).map(this::represented);
  }

  private Representation represented(LastResult state) {
    if (state != shown) {
      shown = state;
      shownAs = new Representation(state);
    }
    return shownAs;
  }

  /** From the time, so that they go on growing after a restart (RFC 7641, 4.4). */
  @Override
  public int nextNumber() {
    number = Math.max(number + 1, now());
    return (int) (number & MAX_NUMBER);
  }

  @Override
  public Exchange send(Observation to, Response notification, Optional<Exchange> earlier) {
    NotificationExchange exchange = new NotificationExchange(to, loop);
    earlier.ifPresent(exchange::follow);
    exchange.sendResponse(notification);
    notifications.increment();
    return exchange;
  }

  @Override
  public void onLoop(Runnable task) {
    loop.execute(task);
  }

  @Override
  public void heard(Observation observation) {
    left(observation);
    observers.heard(observation);
  }

  @Override
  public void lost(Observation observation) {
    left(observation);
    observers.remove(observation);
  }

  @Override
  public void ended(Observation observation) {
    observers.release(observation);
  }
}
