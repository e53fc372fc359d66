package io.tinyfaas.gateway.ingress.mqtt;

import io.tinyfaas.contract.mqtt.MqttTrigger;
import io.tinyfaas.contract.mqtt.MqttTrigger.Source;
import io.tinyfaas.gateway.call.Acceptance;
import io.tinyfaas.gateway.call.CallOptions;
import io.tinyfaas.gateway.call.Calls;
import io.tinyfaas.gateway.callback.Callback.ToTopic;
import io.tinyfaas.gateway.ingress.mqtt.TriggerIndex.Entry;
import io.tinyfaas.gateway.invoke.InvocationResult.BadRequest;
import io.tinyfaas.gateway.invoke.InvocationResult.UnknownFunction;
import io.tinyfaas.gateway.route.CurrentRoutes;
import io.tinyfaas.gateway.route.RouteListener;
import io.vertx.core.Future;
import jakarta.inject.Singleton;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** Calls the functions that a published message is for. On the invocation loop. */
@Singleton
final class Triggers implements RouteListener {

  private final CurrentRoutes routes;
  private final Calls calls;
  private volatile TriggerIndex ofBox = TriggerIndex.EMPTY;
  private volatile TriggerIndex ofExternal = TriggerIndex.EMPTY;

  Triggers(CurrentRoutes routes, Calls calls) {
    this.routes = routes;
    this.calls = calls;
    routes.addListener(this);
    onTableApplied(); // one may have come before
  }

  @Override
  public void onTableApplied() {
    ofBox = new TriggerIndex(routes.routes(), Source.BOX);
    ofExternal = new TriggerIndex(routes.routes(), Source.EXTERNAL);
  }

  List<Entry> find(Source broker, String topic) {
    return (broker == Source.BOX ? ofBox : ofExternal).find(topic);
  }

  /**
   * One call for each of them. Where some are accepted and others are not, those that are will run,
   * and once more when the message comes again.
   *
   * @return never fails: the first refusal, or else an acceptance; empty if none of the functions
   *     is there any more
   */
  Future<Optional<Acceptance>> accept(Publication publication, List<Entry> triggers) {
    CallOptions said;
    try {
      said = CallOptions.of(Invocations.toGateway(publication));
    } catch (IllegalArgumentException e) {
      return Future.succeededFuture(
          Optional.of(new Acceptance.Refused(new BadRequest(e.getMessage()))));
    }
    List<Future<Acceptance>> accepted = new ArrayList<>(triggers.size());
    for (Entry entry : triggers) {
      accepted.add(
          calls.accept(
              Invocations.of(publication, entry.function(), ""), options(said, entry.trigger())));
    }
    return Future.join(accepted).map(all -> worst(all.list()));
  }

  /** Who is called back is the specification's to say, not the sender's. */
  private static CallOptions options(CallOptions said, MqttTrigger trigger) {
    return new CallOptions(
        said.key(), said.delay(), said.notBefore(), trigger.reply().map(ToTopic::new));
  }

  private static Optional<Acceptance> worst(List<Acceptance> all) {
    List<Acceptance> meant = all.stream().filter(each -> !isGone(each)).toList();
    return meant.stream()
        .filter(each -> !(each instanceof Acceptance.Accepted))
        .findFirst()
        .or(() -> meant.stream().findFirst());
  }

  /** The function has left the table since it was looked up. */
  private static boolean isGone(Acceptance acceptance) {
    return acceptance instanceof Acceptance.Refused(UnknownFunction _);
  }
}
