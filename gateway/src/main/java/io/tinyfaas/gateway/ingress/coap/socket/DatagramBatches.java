package io.tinyfaas.gateway.ingress.coap.socket;

import io.netty.channel.DefaultMaxMessagesRecvByteBufAllocator;

/**
 * How many datagrams the next system call may read: about as many as came before. Room for each is
 * made ready beforehand, which costs more than the call where one comes. On the loop only.
 */
final class DatagramBatches extends DefaultMaxMessagesRecvByteBufAllocator {

  private static final int MIN = 4;
  private static final int MAX = 64;

  private final int slot;
  private int size = MIN;
  private int received;

  /**
   * @param slot of a datagram, in bytes
   */
  DatagramBatches(int slot) {
    super(1); // a read in a turn of the loop
    this.slot = slot;
  }

  void received() {
    received++;
  }

  void complete() {
    size = received < size ? Math.max(MIN, size / 2) : Math.min(MAX, 4 * size);
    received = 0;
  }

  @Override
  @SuppressWarnings("deprecation") // what Netty itself implements
  public Handle newHandle() {
    return new MaxMessageHandle() {
      @Override
      public int guess() {
        return size * slot;
      }
    };
  }
}
