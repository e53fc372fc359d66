package io.tinyfaas.gateway.callback;

import io.tinyfaas.gateway.callback.Callback.OfFunction;
import io.tinyfaas.gateway.callback.Callback.ToTopic;
import io.tinyfaas.gateway.callback.Callback.ToUrl;
import io.tinyfaas.gateway.loop.InvocationLoop;
import io.tinyfaas.gateway.memory.BodyMemory;
import io.tinyfaas.gateway.memory.Holder;
import io.vertx.core.Future;
import jakarta.inject.Singleton;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;

/** Tells topics and servers what has become of calls. On the invocation loop. */
@Singleton
public final class Callbacks {

  private final InvocationLoop loop;
  private final TopicCallbacks topics;
  private final UrlCallbacks urls;
  private final BodyMemory memory;
  private final Holder holder = new Holder();
  private final AtomicInteger underWay = new AtomicInteger();

  Callbacks(InvocationLoop loop, TopicCallbacks topics, UrlCallbacks urls, BodyMemory memory) {
    this.loop = loop;
    this.topics = topics;
    this.urls = urls;
    this.memory = memory;
  }

  /** Why this one will not hear anything in this installation, for whoever has named it. */
  public Optional<String> refusal(Callback to) {
    return switch (to) {
      case OfFunction _ -> Optional.empty();
      case ToTopic _ -> topics.refusal();
      case ToUrl url -> urls.refusal(url);
    };
  }

  /** Runs each time that what was not taken may be. */
  public void onReady(Runnable listener) {
    topics.onReady(listener);
  }

  /** Attempts that have not ended. On any thread. */
  public int underWay() {
    return underWay.get();
  }

  /**
   * @param to a topic or a URL
   */
  public Telling tell(Callback to, Answer answer) {
    long held = BodyMemory.ofInvocation(answer.body().length, answer.headers());
    if (!memory.take(held, holder)) {
      return new Ended(new Outcome.NotTaken("there is no memory for it"));
    }
    underWay.incrementAndGet();
    Telling telling =
        switch (to) {
          case OfFunction function ->
              new Ended(new Outcome.Refused(Outcome.NO_STATUS, function + " is a function"));
          case ToTopic topic -> topics.tell(topic, answer);
          case ToUrl url -> urls.tell(url, answer);
        };
    telling
        .outcome()
        .onComplete(
            ended -> {
              memory.give(held, holder);
              // After whoever waits for the outcome has begun to write it down.
              loop.context().runOnContext(later -> underWay.decrementAndGet());
            });
    return telling;
  }

  private record Ended(Future<Outcome> outcome) implements Telling {
    Ended(Outcome outcome) {
      this(Future.succeededFuture(outcome));
    }

    @Override
    public void callOff() {}
  }
}
