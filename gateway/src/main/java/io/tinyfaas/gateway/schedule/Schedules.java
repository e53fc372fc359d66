package io.tinyfaas.gateway.schedule;

import io.micrometer.core.instrument.MeterRegistry;
import io.tinyfaas.contract.control.CallId;
import io.tinyfaas.contract.control.CallState;
import io.tinyfaas.contract.control.SchedulesReply;
import io.tinyfaas.contract.control.SchedulesRequest;
import io.tinyfaas.contract.handler.HandlerHttp;
import io.tinyfaas.contract.route.Schedule;
import io.tinyfaas.gateway.call.Acceptance;
import io.tinyfaas.gateway.call.Beside;
import io.tinyfaas.gateway.call.CallOptions;
import io.tinyfaas.gateway.call.Calls;
import io.tinyfaas.gateway.ingress.Protocol;
import io.tinyfaas.gateway.invoke.Invocation;
import io.tinyfaas.gateway.journal.Batch;
import io.tinyfaas.gateway.loop.InvocationLoop;
import io.tinyfaas.gateway.route.CurrentRoutes;
import io.tinyfaas.gateway.route.RouteListener;
import io.vertx.core.Future;
import io.vertx.core.MultiMap;
import io.vertx.core.http.HttpHeaders;
import io.vertx.core.impl.ContextInternal;
import jakarta.inject.Singleton;
import java.net.InetAddress;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.List;

/**
 * Calls functions by the clock, as their specifications say. All of it on the {@link
 * InvocationLoop}, but for what is said otherwise.
 */
@Singleton
public final class Schedules implements RouteListener {

  private static final long NO_TIMER = -1;

  private final ContextInternal context;
  private final Calls calls;
  private final CurrentRoutes routes;
  private final ScheduleMetrics metrics;
  private Ticker ticker;
  private long timer = NO_TIMER;
  private boolean stopped;

  Schedules(InvocationLoop loop, Calls calls, CurrentRoutes routes, MeterRegistry registry) {
    this.context = loop.context();
    this.calls = calls;
    this.routes = routes;
    this.metrics = new ScheduleMetrics(registry);
  }

  /**
   * Goes on with what is on disk as soon as there is a route table. After {@link Calls#start}, on
   * the thread that starts the gateway.
   */
  public void start() {
    ScheduleClock clock =
        new ScheduleClock(
            System::currentTimeMillis, System::nanoTime, BuildTime.millis(), calls.latest());
    Ticker made = new Ticker(clock, new JournaledCalls(), metrics, calls.takeBeside());
    context.runOnContext(run -> ticker = made);
    routes.addListener(this);
  }

  /** Makes no calls any more. On any thread. */
  public void stop() {
    context.runOnContext(run -> stopped = true);
  }

  @Override
  public void onTableApplied() {
    context.runOnContext(
        run -> {
          ticker.plan(routes.routes());
          look();
        });
  }

  /** What the manager asks. */
  public SchedulesReply answer(SchedulesRequest request) {
    String function = request.function().value();
    List<Schedule> schedules =
        routes.find(function).map(found -> found.route().schedules()).orElse(List.of());
    return new SchedulesReply(request.id(), ticker.describe(function, schedules));
  }

  private void look() {
    if (timer != NO_TIMER) {
      context.owner().cancelTimer(timer);
    }
    timer = context.setTimer(1, time -> tick());
  }

  private void tick() {
    timer = NO_TIMER;
    if (stopped || ticker.isEmpty()) {
      return;
    }
    long delay = ticker.look();
    if (timer == NO_TIMER) { // none was made meanwhile
      timer = context.setTimer(delay, time -> tick());
    }
  }

  private final class JournaledCalls implements Ticker.TickCalls {

    @Override
    public Future<Acceptance> accept(Planned planned, Instant time, Beside beside) {
      Schedule schedule = planned.schedule;
      MultiMap headers =
          MultiMap.caseInsensitiveMultiMap()
              .set(HandlerHttp.METHOD_HEADER, schedule.method())
              .set(HandlerHttp.PROTOCOL_HEADER, Protocol.SCHEDULE.label())
              .set(HandlerHttp.SCHEDULE_HEADER, schedule.text())
              .set(HandlerHttp.SCHEDULED_FOR_HEADER, time.toString());
      if (!schedule.path().isEmpty()) {
        headers.set(HandlerHttp.PATH_HEADER, schedule.path());
      }
      if (!schedule.body().isEmpty()) {
        headers.set(HttpHeaders.CONTENT_TYPE, "text/plain; charset=utf-8");
      }
      Invocation invocation =
          new Invocation(
              planned.function,
              Protocol.SCHEDULE,
              InetAddress.getLoopbackAddress(),
              headers,
              schedule.body().getBytes(StandardCharsets.UTF_8));
      return calls.accept(invocation, CallOptions.NONE, beside);
    }

    @Override
    public boolean isUnfinished(CallId call) {
      return calls
          .find(call)
          .filter(its -> its.state() == CallState.WAITING || its.state() == CallState.RUNNING)
          .isPresent();
    }

    @Override
    public void whenEnded(CallId call, Runnable what) {
      if (!calls.watch(call, what)) {
        context.runOnContext(ended -> what.run());
      }
    }

    @Override
    public Future<Void> write(Batch batch) {
      return calls.writeBeside(batch);
    }

    @Override
    public void look() {
      Schedules.this.look();
    }
  }
}
