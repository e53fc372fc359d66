package io.tinyfaas.gateway.callback;

import io.tinyfaas.gateway.mqtt.Message;
import io.tinyfaas.gateway.mqtt.MessagePublisher;
import io.vertx.core.Future;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Function;

/** A devices' broker that does with messages what the test says. On the loop but for the rest. */
public final class PlayedPublisher implements MessagePublisher {

  private final List<Message> published = new CopyOnWriteArrayList<>();
  private final List<Runnable> listeners = new ArrayList<>();
  private volatile boolean connected = true;
  private volatile Function<Message, Future<Void>> broker = message -> Future.succeededFuture();

  @Override
  public boolean isEnabled() {
    return true;
  }

  @Override
  public boolean isConnected() {
    return connected;
  }

  @Override
  public Future<Void> publish(Message message) {
    return broker.apply(message).onSuccess(had -> published.add(message));
  }

  @Override
  public void onConnected(Runnable listener) {
    listeners.add(listener);
  }

  /** What becomes of further messages. */
  public void does(Function<Message, Future<Void>> what) {
    broker = what;
  }

  public void disconnect() {
    connected = false;
  }

  /** On the loop. */
  public void connect() {
    connected = true;
    listeners.forEach(Runnable::run);
  }

  /** Those that it has taken. */
  public List<Message> published() {
    return List.copyOf(published);
  }
}
