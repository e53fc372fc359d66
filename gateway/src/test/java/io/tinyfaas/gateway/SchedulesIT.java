package io.tinyfaas.gateway;

import static io.tinyfaas.harness.Eventually.eventually;
import static io.tinyfaas.harness.Eventually.within;
import static org.assertj.core.api.Assertions.assertThat;

import io.tinyfaas.contract.control.ScheduleStatus;
import io.tinyfaas.contract.control.SchedulesRequest;
import io.tinyfaas.contract.route.CallPolicy;
import io.tinyfaas.contract.route.Exposure;
import io.tinyfaas.contract.route.FunctionName;
import io.tinyfaas.contract.route.Route;
import io.tinyfaas.contract.route.Schedule;
import io.tinyfaas.contract.route.Schedule.Missed;
import io.tinyfaas.contract.route.Schedule.Overlap;
import io.tinyfaas.harness.Seed;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpServerRequest;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Collectors;
import java.util.stream.LongStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;

/** The packaged gateway calls functions by the clock. */
@Timeout(value = 10, unit = TimeUnit.MINUTES)
class SchedulesIT {

  private static final int KILLS = 25;

  @RegisterExtension final Seed seed = new Seed();

  @TempDir Path folder;

  private final List<Map<String, String>> heard = new CopyOnWriteArrayList<>();

  /** By the time for which they were made, the calls. */
  private final Map<Instant, Set<String>> calls = new ConcurrentSkipListMap<>();

  private ServedGateway system;

  @AfterEach
  void stop() {
    if (system != null) {
      system.close();
    }
  }

  private void function(HttpServerRequest request, Buffer body) {
    Map<String, String> headers =
        request.headers().entries().stream()
            .collect(Collectors.toMap(Map.Entry::getKey, Map.Entry::getValue));
    headers.put("body", body.toString());
    heard.add(headers);
    calls
        .computeIfAbsent(
            Instant.parse(request.getHeader("X-tinyFaaS-Scheduled-For")),
            time -> ConcurrentHashMap.newKeySet())
        .add(request.getHeader("X-tinyFaaS-Call"));
    request.response().end("done");
  }

  private void start() {
    system = new ServedGateway(folder, Map.of(), this::function);
  }

  private Route route(Exposure exposure, Schedule... schedules) {
    return new Route(
        new FunctionName("f"),
        1,
        10_000,
        exposure,
        CallPolicy.DEFAULT,
        List.of(schedules),
        List.of(system.handler()));
  }

  private static Schedule everySecond(String path, String body) {
    return new Schedule(
        Optional.empty(), Optional.of(1_000L), "UTC", "PUT", path, body, Missed.ALL, Overlap.ALLOW);
  }

  private ScheduleStatus status() {
    return system
        .manager()
        .ask(new SchedulesRequest(UUID.randomUUID(), new FunctionName("f")))
        .schedules()
        .getFirst();
  }

  @Test
  void shouldCallWithWhatIsSaidAlsoWhileTheBrokerStandsStill() {
    start();
    Exposure devicesOnly = new Exposure(Exposure.Access.DEVICE, Exposure.Observable.NO, Map.of());
    system.serve(route(devicesOnly, everySecond("/report", "short")));
    system.manager().awaitStatus(status -> status.online());

    eventually().until(() -> heard.size() > 1);
    assertThat(heard.getFirst())
        .containsEntry("X-tinyFaaS-Method", "PUT")
        .containsEntry("X-tinyFaaS-Path", "/report")
        .containsEntry("X-tinyFaaS-Protocol", "schedule")
        .containsEntry("X-tinyFaaS-Schedule", "1s")
        .containsEntry("X-tinyFaaS-Attempt", "1")
        .containsEntry("body", "short");
    ScheduleStatus status = status();
    assertThat(status.schedule().text()).isEqualTo("1s");
    assertThat(Duration.between(status.last().orElseThrow(), status.next().orElseThrow()))
        .isEqualTo(Duration.ofSeconds(1));
    assertThat(system.process().get("/q/metrics").body())
        .contains("tinyfaas_schedules 1.0", "tinyfaas_clock_trusted 1.0")
        .contains("tinyfaas_schedules_events_total{event=\"called\"}");

    system.broker().standsStill();
    int before = heard.size();
    eventually().until(() -> heard.size() > before + 2);
    system.broker().goesOn();
    system.manager().apply(1, 2, route(devicesOnly));
    assertThat(system.manager().ask(new SchedulesRequest(UUID.randomUUID(), new FunctionName("f"))))
        .satisfies(reply -> assertThat(reply.schedules()).isEmpty());
  }

  /** Most are killed near one of their times. */
  @Test
  @Tag("slow")
  void shouldCallOnceForEachTimeHoweverOftenItIsKilled() {
    start();
    system.serve(route(Exposure.DEFAULT, everySecond("", "")));
    eventually().until(() -> !calls.isEmpty());
    Instant first = calls.keySet().iterator().next();
    Random random = seed.random();
    for (int kill = 0; kill < KILLS; kill++) {
      int seen = calls.size();
      within(Duration.ofSeconds(30)).until(() -> calls.size() > seen);
      long untilNext =
          1_000 - Math.floorMod(System.currentTimeMillis() - first.toEpochMilli(), 1_000L);
      LockSupport.parkNanos(
          TimeUnit.MILLISECONDS.toNanos(Math.max(0, untilNext + random.nextInt(30) - 10)));
      system.process().kill();
      if (random.nextInt(3) == 0) {
        LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(random.nextInt(2_500)));
      }
      system.startAgain();
    }
    Instant until = Instant.now();
    within(Duration.ofSeconds(60))
        .untilAsserted(() -> assertThat(last(calls)).isAfter(until.plusSeconds(1)));
    system.process().terminate();
    system.process().awaitExit();

    assertThat(calls).allSatisfy((time, its) -> assertThat(its).as(time.toString()).hasSize(1));
    long seconds = Duration.between(first, last(calls)).toSeconds();
    assertThat(calls.keySet())
        .containsExactlyElementsOf(
            LongStream.rangeClosed(0, seconds).mapToObj(first::plusSeconds).toList());
  }

  private static Instant last(Map<Instant, Set<String>> calls) {
    return calls.keySet().stream().reduce((one, other) -> other).orElseThrow();
  }
}
