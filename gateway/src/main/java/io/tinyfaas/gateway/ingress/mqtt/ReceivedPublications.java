package io.tinyfaas.gateway.ingress.mqtt;

import io.tinyfaas.contract.mqtt.MqttTrigger;
import io.tinyfaas.contract.mqtt.MqttTrigger.Source;
import io.tinyfaas.gateway.ingress.mqtt.Receipt.NotMeant;
import io.tinyfaas.gateway.ingress.mqtt.TriggerIndex.Entry;
import io.vertx.core.Future;
import jakarta.inject.Singleton;
import java.util.List;

/** What devices publish: requests, and what triggers are for. */
@Singleton
final class ReceivedPublications implements PublicationReceiver {

  private final Requests requests;
  private final Triggers triggers;

  ReceivedPublications(Requests requests, Triggers triggers) {
    this.requests = requests;
    this.triggers = triggers;
  }

  @Override
  public boolean isRequest(String topic) {
    return MqttTrigger.isRequest(topic);
  }

  @Override
  public Future<Receipt> receive(Publication publication) {
    if (isRequest(publication.topic())) {
      return requests.receive(publication);
    }
    List<Entry> meant = triggers.find(Source.BOX, publication.topic());
    return meant.isEmpty()
        ? Future.succeededFuture(new NotMeant())
        : triggers.accept(publication, meant).map(Refusals::receipt);
  }
}
