package io.tinyfaas.gateway.ingress.coap.peer;

/** What the transfers of one address hold. On the event loop. */
public final class TransferShare {

  public int count;

  /** Of memory. */
  public long bytes;
}
