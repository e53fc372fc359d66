package io.tinyfaas.gateway.mqtt;

import io.quarkus.arc.DefaultBean;
import io.vertx.core.Future;
import jakarta.inject.Singleton;

/** Where there is no broker of devices. */
@Singleton
@DefaultBean
final class NoPublisher implements MessagePublisher {

  @Override
  public boolean isEnabled() {
    return false;
  }

  @Override
  public boolean isConnected() {
    return false;
  }

  @Override
  public Future<Void> publish(Message message) {
    return Future.failedFuture("there is no broker of devices");
  }

  @Override
  public void onConnected(Runnable listener) {}
}
