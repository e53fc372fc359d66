package io.tinyfaas.gateway.ingress.coap.socket;

/** Takes datagrams: a socket offers each of them to its readers in turn. On the event loop. */
@FunctionalInterface
public interface DatagramReader {

  /**
   * @param message not to be changed any more
   * @return false if it is for another
   */
  boolean take(Sender from, byte[] message);
}
