package io.tinyfaas.gateway.ingress.mqtt;

import java.util.Optional;

/**
 * What is to be published when a device's connection ends without a farewell.
 *
 * @param publication empty if there is nothing
 */
record Will(Optional<Publication> publication) {

  static final Will NONE = new Will(Optional.empty());

  /** For functions; the broker has its own copy for those who subscribe. */
  void tell(PublicationReceiver receiver) {
    publication.ifPresent(receiver::receive);
  }
}
