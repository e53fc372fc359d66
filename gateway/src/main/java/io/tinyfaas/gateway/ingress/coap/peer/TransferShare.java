package io.tinyfaas.gateway.ingress.coap.peer;

/** What the transfers of one address hold. On the event loop. */
public final class TransferShare {

  private int count;
  private long bytes;

  /** One more transfer, with so many bytes of memory. */
  public void begin(long more) {
    count++;
    bytes += more;
  }

  /** The end of one that had so many. */
  public void end(long less) {
    count--;
    bytes -= less;
  }

  public int count() {
    return count;
  }

  /** Of memory. */
  public long bytes() {
    return bytes;
  }
}
