package io.tinyfaas.gateway.metrics;

import io.micrometer.prometheus.PrometheusMeterRegistry;
import io.prometheus.client.exporter.common.TextFormat;
import io.tinyfaas.gateway.ingress.Protocol;
import io.tinyfaas.gateway.metrics.Meters.Durations;
import io.vertx.core.http.HttpServerResponse;
import io.vertx.ext.web.Router;
import jakarta.enterprise.event.Observes;
import jakarta.inject.Singleton;
import java.util.Iterator;
import java.util.Map;
import java.util.stream.Stream;

/**
 * {@code /q/metrics} in the format of OpenMetrics 1.0: what Micrometer has, and then, function by
 * function as the client takes it, what is counted of invocations. The text of a thousand functions
 * is several megabytes, which would not be there all at once.
 */
@Singleton
@SuppressWarnings("deprecation") // Quarkus' registry is the one on Prometheus' earlier client
final class MetricsPage {

  private static final String TYPE = TextFormat.CONTENT_TYPE_OPENMETRICS_100;
  private static final String END = "# EOF\n";
  private static final int CHUNK_CHARS = 16 * 1_024;
  private static final double NANOS_PER_SECOND = 1e9;

  /** Before Quarkus' own. */
  private static final int FIRST = -1_000;

  private final PrometheusMeterRegistry registry;
  private final InvocationMetrics invocations;

  MetricsPage(PrometheusMeterRegistry registry, InvocationMetrics invocations) {
    this.registry = registry;
    this.invocations = invocations;
  }

  void serve(@Observes Router router) {
    router
        .get("/q/metrics")
        .order(FIRST)
        .handler(
            asked -> {
              HttpServerResponse response = asked.response();
              response.putHeader("Content-Type", TYPE).setChunked(true);
              response.write(registry.scrape(TYPE).replace(END, ""));
              new Page(response, lines().iterator()).writeMore();
            });
  }

  /** Written as fast as the client takes it; of one that takes no more, nothing is left. */
  private record Page(HttpServerResponse response, Iterator<String> lines) {

    void writeMore() {
      while (!response.closed() && !response.writeQueueFull()) {
        StringBuilder chunk = new StringBuilder(CHUNK_CHARS);
        while (lines.hasNext() && chunk.length() < CHUNK_CHARS) {
          chunk.append(lines.next());
        }
        if (chunk.isEmpty()) {
          response.end();
          return;
        }
        response.write(chunk.toString());
      }
      if (!response.closed()) {
        response.drainHandler(drained -> writeMore());
      }
    }
  }

  private record Row(String labels, Meters meters) {}

  private Stream<Row> rows() {
    return invocations.all().entrySet().stream()
        .flatMap(
            function ->
                function.getValue().entrySet().stream()
                    .map(each -> row(function.getKey(), each.getKey(), each.getValue())));
  }

  private static Row row(String function, Protocol protocol, Meters meters) {
    return new Row("function=\"" + function + "\",protocol=\"" + protocol.label() + '"', meters);
  }

  /** A function's name has nothing that a label would have to escape. */
  private Stream<String> lines() {
    long now = System.nanoTime();
    return Stream.of(
            Stream.of(
                family(
                    "tinyfaas_invocations",
                    "counter",
                    "Invocations by function, protocol and outcome")),
            rows().map(MetricsPage::counts),
            Stream.of(
                family(
                    "tinyfaas_invocation_seconds",
                    "histogram",
                    "From the request at the gateway to the result")),
            rows().map(row -> durations(row.labels(), row.meters().durations(now))),
            Stream.of(
                family(
                    "tinyfaas_invocation_seconds_max",
                    "gauge",
                    "The longest of the last one or two minutes")),
            rows().map(row -> longest(row.labels(), row.meters().durations(now))),
            Stream.of(END))
        .flatMap(lines -> lines);
  }

  private static String family(String name, String type, String help) {
    return "# TYPE %s %s\n# HELP %s %s\n".formatted(name, type, name, help);
  }

  private static String counts(Row row) {
    StringBuilder text = new StringBuilder();
    int protocol = row.labels().indexOf(",protocol=");
    for (Map.Entry<String, Long> outcome : row.meters().counts().entrySet()) {
      text.append("tinyfaas_invocations_total{")
          .append(row.labels(), 0, protocol)
          .append(",outcome=\"")
          .append(outcome.getKey())
          .append('"')
          .append(row.labels(), protocol, row.labels().length())
          .append("} ")
          .append((double) outcome.getValue())
          .append('\n');
    }
    return text.toString();
  }

  /** Nothing of what was only refused. */
  private static String durations(String labels, Durations durations) {
    if (durations.count() == 0) {
      return "";
    }
    StringBuilder text = new StringBuilder();
    for (int i = 0; i < durations.within().length; i++) {
      text.append("tinyfaas_invocation_seconds_bucket{").append(labels).append(",le=\"");
      if (i < Meters.BUCKETS.length) {
        text.append(Meters.BUCKETS[i] / 1_000d);
      } else {
        text.append("+Inf");
      }
      text.append("\"} ").append((double) durations.within()[i]).append('\n');
    }
    return text.append("tinyfaas_invocation_seconds_count{")
        .append(labels)
        .append("} ")
        .append((double) durations.count())
        .append("\ntinyfaas_invocation_seconds_sum{")
        .append(labels)
        .append("} ")
        .append(durations.sum() / NANOS_PER_SECOND)
        .append('\n')
        .toString();
  }

  private static String longest(String labels, Durations durations) {
    return durations.count() == 0
        ? ""
        : "tinyfaas_invocation_seconds_max{"
            + labels
            + "} "
            + durations.longest() / NANOS_PER_SECOND
            + '\n';
  }
}
