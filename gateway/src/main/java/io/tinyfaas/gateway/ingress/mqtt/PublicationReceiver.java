package io.tinyfaas.gateway.ingress.mqtt;

import io.vertx.core.Future;

/** Makes calls and invocations of what is published. On the invocation loop. */
interface PublicationReceiver {

  /**
   * Whether the topic is below {@code functions/}: it is a request, which no broker gets to see.
   */
  boolean isRequest(String topic);

  /**
   * @return never fails; a request is at most {@link Receipt.Refused}, never {@link
   *     Receipt.NotMeant}
   */
  Future<Receipt> receive(Publication publication);
}
