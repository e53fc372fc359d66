package io.tinyfaas.gateway.ingress.coap.observe;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import io.tinyfaas.contract.route.Exposure.Access;
import io.tinyfaas.contract.route.Route;
import io.tinyfaas.gateway.device.CurrentDevices;
import io.tinyfaas.gateway.ingress.coap.message.CoapResponses;
import io.tinyfaas.gateway.invoke.Invocation;
import io.tinyfaas.gateway.invoke.InvocationResult;
import io.tinyfaas.gateway.invoke.InvocationResult.Answered;
import io.tinyfaas.gateway.invoke.InvocationResult.Unauthorized;
import io.tinyfaas.gateway.invoke.Invoker;
import io.tinyfaas.gateway.invoke.ResultListener;
import io.tinyfaas.gateway.loop.InvocationLoop;
import io.tinyfaas.gateway.loop.LoopExecutor;
import io.tinyfaas.gateway.memory.HeapBudget;
import io.tinyfaas.gateway.memory.HeapSettings;
import io.tinyfaas.gateway.route.CurrentRoutes;
import io.tinyfaas.gateway.route.RouteListener;
import io.tinyfaas.gateway.route.RoutedFunction;
import io.vertx.core.Vertx;
import jakarta.inject.Singleton;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Executor;
import java.util.concurrent.ThreadLocalRandom;
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
 * Observable functions as resources whose state is the last result (RFC 7641). A GET with Observe
 * is answered with that, or runs the function if there is none yet; each result that differs is
 * told to all observers, whatever protocol it came by. On the event loop.
 */
@Singleton
public final class Observers implements ResultListener, RouteListener, ObservingPeer.Notifier {

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

  private Function<String, Optional<Representation>> others = path -> Optional.empty();
  private volatile boolean stopping;
  private volatile int left;
  private long number;
  private int tag = ThreadLocalRandom.current().nextInt();

  Observers(
      Vertx vertx,
      InvocationLoop loop,
      HeapSettings settings,
      HeapBudget budget,
      CurrentRoutes routes,
      CurrentDevices devices,
      Invoker invoker,
      MeterRegistry registry) {
    this.routes = routes;
    this.loop = new LoopExecutor(loop.context().nettyEventLoop());
    this.clock = steadyMillis();
    this.observers = new ObserverList(settings.coap().maxObservers(), this);
    this.turns = new Turns<>(loop.context().nettyEventLoop(), this::tell);
    this.results = new LastResults(budget.results());
    this.notifications =
        Counter.builder("tinyfaas.notifications")
            .description("Notifications sent to observers")
            .register(registry);
    registry.gauge("tinyfaas.observers", observers, ObserverList::size);
    routes.addListener(this);
    devices.addListener(() -> this.loop.execute(() -> followDevices(devices)));
    invoker.addListener(this);
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
    if (!(further || observe) || !isOfResult(exchange.getRequest(), invocation)) {
      return Optional.empty();
    }
    if (isObserve(asked, CANCEL)) {
      observers.find(Observation.Key.of(exchange)).ifPresent(this::lost);
    }
    return results
        .get(invocation.function())
        .map(
            state ->
                isObserve(asked, REGISTER) && !further
                    ? register(exchange, invocation.function(), state)
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
    if (!isObserve(request.getOptions(), REGISTER) || !isOfResult(request, invocation)) {
      return response;
    }
    onResult(invocation.function(), answered);
    return results
        .get(invocation.function())
        .map(state -> register(exchange, invocation.function(), state))
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
   * @param states gives the state of what is no function, by its path
   */
  void alsoObserve(Function<String, Optional<Representation>> states) {
    others = states;
  }

  /** Tells those who observe it the last they hear of it. */
  void end(String path, Function<OptionSet, Response> last) {
    for (Observation observation : observers.of(path)) {
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

  /** Paths below the function and queries are resources of their own, which have no state. */
  private boolean isOfResult(Request request, Invocation invocation) {
    OptionSet options = request.getOptions();
    return request.getCode() == Code.GET
        && options.getURIPathCount() == 1
        && options.getURIQueryCount() == 0
        && options.getIfMatchCount() == 0
        && !options.hasIfNoneMatch()
        && invocation.body().length == 0
        && observable(invocation.function())
            .filter(route -> mayAsk(route, !invocation.device().isEmpty()))
            .isPresent();
  }

  private Optional<Route> observable(String function) {
    return routes
        .find(function)
        .map(RoutedFunction::route)
        .filter(route -> route.exposure().observable());
  }

  private static boolean mayAsk(Route route, boolean device) {
    return route.exposure().access() == Access.ANY || device;
  }

  /**
   * @param resource a function's name, or the path of what is none
   */
  Response register(Exchange exchange, String resource, Representation state) {
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

  /** On the event loop. An error is no new state. */
  @Override
  public void onResult(String function, Answered result) {
    Optional<Representation> state = Representation.of(result, tag);
    if (state.isEmpty() || observable(function).isEmpty()) {
      return;
    }
    Optional<Representation> before = results.get(function);
    if (before.isPresent() && !state.get().differsFrom(before.get())) {
      return;
    }
    tag++;
    if (results.put(function, state.get(), observers::has)) {
      turns.add(observers.of(function));
    } else {
      observers
          .of(function)
          .forEach(
              observation ->
                  end(
                      observation,
                      () ->
                          CoapResponses.unavailable(
                              "the results that are observed are too large")));
    }
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

  private void followTable() {
    results.keepOnly(function -> observable(function).isPresent());
    for (Observation observation : observers.all()) {
      if (isNoFunction(observation.resource())) {
        continue;
      }
      Optional<Route> route = observable(observation.resource());
      if (route.isEmpty()) {
        end(
            observation,
            () ->
                CoapResponses.diagnostic(
                    ResponseCode.NOT_FOUND, "the function is gone, or not observable any more"));
      } else if (!mayAsk(route.get(), observation.device().isPresent())) {
        end(observation, () -> CoapResponses.toResponse(observation.request(), new Unauthorized()));
      }
    }
  }

  private static boolean isNoFunction(String resource) {
    return resource.indexOf('/') >= 0;
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
  public Optional<Representation> state(String resource) {
    return isNoFunction(resource) ? others.apply(resource) : results.get(resource);
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
