package io.tinyfaas.gateway.callback;

import io.tinyfaas.gateway.Settings;
import io.tinyfaas.gateway.loop.InvocationLoop;
import io.tinyfaas.gateway.memory.BodyMemory;
import io.tinyfaas.gateway.mqtt.MessagePublisher;
import io.vertx.core.impl.ContextInternal;
import java.net.InetAddress;
import java.time.Duration;
import java.util.Optional;
import java.util.Set;

/** Callbacks to a broker that is played, and to servers on {@link #ADDRESS}. */
public final class PlayedCallbacks {

  /** Of the test's servers, which the operator allows. */
  public static final String ADDRESS = "127.0.0.2";

  private PlayedCallbacks() {}

  /** An installation without a broker for devices. */
  public static Callbacks none(InvocationLoop loop) {
    return of(loop, Optional.empty(), InetAddress::getAllByName, UrlCallbacks.TIMEOUT);
  }

  public static Callbacks to(InvocationLoop loop, MessagePublisher publisher) {
    return of(loop, Optional.of(publisher), InetAddress::getAllByName, UrlCallbacks.TIMEOUT);
  }

  static Callbacks of(
      InvocationLoop loop,
      Optional<MessagePublisher> publisher,
      UrlCallbacks.Resolver resolver,
      Duration timeout) {
    ContextInternal network = loop.context().owner().createEventLoopContext();
    return new Callbacks(
        loop,
        new TopicCallbacks(loop, publisher),
        new UrlCallbacks(
            loop,
            network,
            Settings.with(CallbackSettings.class, "tinyfaas.fetch-allow", ADDRESS),
            resolver,
            Set::of,
            timeout),
        new BodyMemory(16 << 20));
  }
}
