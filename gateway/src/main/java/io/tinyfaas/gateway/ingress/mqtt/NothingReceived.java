package io.tinyfaas.gateway.ingress.mqtt;

import io.quarkus.arc.DefaultBean;
import io.vertx.core.Future;
import jakarta.inject.Singleton;

/** While nothing makes calls of what is published. */
@Singleton
@DefaultBean
final class NothingReceived implements PublicationReceiver {

  @Override
  public boolean isRequest(String topic) {
    return topic.startsWith("functions/");
  }

  @Override
  public Future<Receipt> receive(Publication publication) {
    return Future.succeededFuture(
        isRequest(publication.topic())
            ? new Receipt.Refused(0x83, "this gateway takes no requests by MQTT")
            : new Receipt.NotMeant());
  }
}
