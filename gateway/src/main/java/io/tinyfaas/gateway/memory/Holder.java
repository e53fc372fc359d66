package io.tinyfaas.gateway.memory;

/**
 * What one address, or one function, has of what all share: invocations that run, and bytes of
 * {@link BodyMemory}. On the event loop only.
 */
public final class Holder {

  private int running;
  private long bytes;

  /**
   * Counts one more in either case; {@link #end} takes it off again.
   *
   * @return false if that is more than so many
   */
  public boolean begin(int max) {
    return ++running <= max;
  }

  public void end() {
    running--;
  }

  long bytes() {
    return bytes;
  }

  void add(long more) {
    bytes += more;
  }

  boolean isIdle() {
    return running == 0 && bytes == 0;
  }
}
