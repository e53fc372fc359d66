package io.tinyfaas.gateway.control;

import io.tinyfaas.contract.control.ControlMessages;
import io.tinyfaas.contract.control.ControlTopics;
import io.tinyfaas.contract.control.GatewayStatus;
import io.tinyfaas.gateway.device.CurrentDevices;
import io.tinyfaas.gateway.device.DeviceSubscriber;
import io.tinyfaas.gateway.route.CurrentRoutes;
import io.tinyfaas.gateway.route.RouteListener;
import io.tinyfaas.gateway.route.RouteSubscriber;
import io.tinyfaas.gateway.route.RoutedHandler;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import jakarta.inject.Singleton;
import java.util.HashMap;
import java.util.Map;
import java.util.UUID;
import java.util.function.Consumer;

/**
 * Says on the broker which tables this gateway routes and lets devices in by, and which handlers it
 * still waits for: after each connect, each table, and each handler that has become idle. Only the
 * newest state matters, so one message is on its way at a time.
 */
@Singleton
public final class GatewayStatusPublisher implements RouteListener {

  private final String instance = UUID.randomUUID().toString();
  private final BrokerConnection broker;
  private final RouteSubscriber subscriber;
  private final CurrentRoutes routes;
  private final DeviceSubscriber deviceSubscriber;
  private final CurrentDevices devices;
  private final QuestionResponder responder;

  // On the broker's event loop only.
  private boolean publishing;
  private boolean changed;
  private boolean gone;

  GatewayStatusPublisher(
      BrokerConnection broker,
      RouteSubscriber subscriber,
      CurrentRoutes routes,
      DeviceSubscriber deviceSubscriber,
      CurrentDevices devices,
      QuestionResponder responder) {
    this.broker = broker;
    this.subscriber = subscriber;
    this.routes = routes;
    this.deviceSubscriber = deviceSubscriber;
    this.devices = devices;
    this.responder = responder;
  }

  /** Connects to the broker, without waiting for it, and takes tables from it. */
  public void start() {
    routes.addListener(this);
    devices.onApplied(() -> broker.run(this::publish));
    Map<String, Consumer<byte[]>> topics = new HashMap<>(responder.topics());
    topics.put(ControlTopics.ROUTES, subscriber::receive);
    topics.put(ControlTopics.DEVICES, deviceSubscriber::receive);
    broker.start(
        new BrokerConnection.Session(
            topics,
            ControlTopics.GATEWAY_STATUS,
            ControlMessages.encode(GatewayStatus.gone(instance)),
            this::connected));
  }

  public boolean isConnected() {
    return broker.isConnected();
  }

  /**
   * Says that this gateway is gone and ends the connection.
   *
   * @return completes when the broker has heard it; may never complete if the broker is away
   */
  public Future<Void> stop() {
    Promise<Void> stopped = Promise.promise();
    broker.run(
        () -> {
          gone = true;
          broker
              .publish(
                  ControlTopics.GATEWAY_STATUS,
                  ControlMessages.encode(GatewayStatus.gone(instance)),
                  true)
              .transform(published -> broker.stop())
              .onComplete(stopped);
        });
    return stopped.future();
  }

  @Override
  public void onTableApplied() {
    broker.run(this::publish);
  }

  @Override
  public void onHandlerIdle(RoutedHandler handler) {
    broker.run(this::publish);
  }

  private void connected() {
    publishing = false;
    publish();
  }

  private void publish() {
    if (gone) {
      return;
    }
    if (publishing) {
      changed = true;
      return;
    }
    publishing = true;
    changed = false;
    CurrentRoutes.Applied applied = routes.applied();
    GatewayStatus status =
        new GatewayStatus(
            true, instance, applied.revision(), devices.applied(), applied.draining());
    broker
        .publish(ControlTopics.GATEWAY_STATUS, ControlMessages.encode(status), true)
        .onComplete(
            published -> {
              publishing = false;
              if (changed) {
                publish();
              }
            });
  }
}
