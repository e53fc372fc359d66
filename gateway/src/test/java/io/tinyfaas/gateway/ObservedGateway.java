package io.tinyfaas.gateway;

import static io.tinyfaas.harness.Eventually.eventually;
import static io.tinyfaas.harness.Eventually.patient;
import static org.assertj.core.api.Assertions.assertThat;

import io.tinyfaas.contract.route.Exposure;
import io.tinyfaas.contract.route.Exposure.Access;
import io.tinyfaas.contract.route.Exposure.Observable;
import io.tinyfaas.contract.route.Route;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpServerRequest;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;

/**
 * The packaged gateway with functions that devices may observe. They answer with the body, or with
 * {@code off}, in the manner that the query asks for.
 */
final class ObservedGateway implements AutoCloseable {

  static final Exposure OBSERVABLE = new Exposure(Access.ANY, Observable.FUNCTION, Map.of());

  private final ServedGateway system;
  private int revision;

  /**
   * @param maxObservers at once
   */
  ObservedGateway(Path folder, int maxObservers) {
    this(folder, Map.of(), maxObservers);
  }

  /**
   * @param more of the gateway's environment
   * @param maxObservers at once
   */
  ObservedGateway(Path folder, Map<String, String> more, int maxObservers) {
    Map<String, String> environment = new HashMap<>(more);
    environment.put("TINYFAAS_COAP_MAX_OBSERVERS", Integer.toString(maxObservers));
    environment.put("TINYFAAS_COAP_TRUSTED_NETWORKS", "127.0.0.1/32");
    system = new ServedGateway(folder, environment, ObservedGateway::function);
    system.process().healthPort(); // it has started, which takes longest on a busy machine
  }

  private static void function(HttpServerRequest request, Buffer body) {
    String query = Optional.ofNullable(request.getHeader("X-tinyFaaS-Query")).orElse("");
    for (String argument : query.split("&")) {
      String value = argument.substring(argument.indexOf('=') + 1);
      switch (argument.split("=")[0]) {
        case "status" -> request.response().setStatusCode(Integer.parseInt(value));
        case "type" -> request.response().putHeader("Content-Type", value.replace("%2F", "/"));
        case "etag" -> request.response().putHeader("ETag", '"' + value + '"');
        case "age" -> request.response().putHeader("Cache-Control", "max-age=" + value);
        default -> {}
      }
    }
    request.response().end(body.length() == 0 ? Buffer.buffer("off") : body);
  }

  Route route(String name, Exposure exposure) {
    return PlayedManager.route(
        name, patient(Duration.ofMinutes(1)).toMillis(), exposure, system.handler());
  }

  void apply(Route... table) {
    system.manager().apply(1, ++revision, table);
  }

  GatewayProcess process() {
    return system.process();
  }

  ObservingDevice device() throws IOException {
    return new ObservingDevice(process().coapPort());
  }

  ObservingDevice device(String own) throws IOException {
    return new ObservingDevice(own, process().coapPort());
  }

  /** How often the functions have been run. */
  int runs() {
    return system.runs();
  }

  void awaitObservers(int count) {
    eventually()
        .untilAsserted(
            () ->
                assertThat(process().get("/q/metrics").body())
                    .contains("tinyfaas_observers " + count + ".0"));
  }

  @Override
  public void close() {
    system.close();
  }
}
