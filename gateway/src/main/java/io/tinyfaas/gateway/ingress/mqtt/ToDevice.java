package io.tinyfaas.gateway.ingress.mqtt;

import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import java.util.ArrayDeque;
import java.util.Deque;

/**
 * What goes to a device: packets of the broker, in parts as they come, and between two of them what
 * the gateway says itself.
 */
final class ToDevice {

  private static final int MAX_AFTER_PACKET = 64;

  private final Channel device;
  private final Deque<Object> afterPacket = new ArrayDeque<>(0);
  private boolean withinPacket;

  ToDevice(Channel device) {
    this.device = device;
  }

  /** A packet of the gateway's own. */
  void write(Object packet) {
    if (withinPacket) {
      afterPacket.add(packet);
    } else {
      device.write(packet);
    }
  }

  /**
   * A part of a packet of the broker.
   *
   * @param last whether the packet ends with it
   */
  void pass(ByteBuf part, boolean last) {
    withinPacket = !last;
    device.write(part);
    while (last && !afterPacket.isEmpty()) {
      device.write(afterPacket.poll());
    }
  }

  void flush() {
    device.flush();
  }

  /** Whether there may be more to say to it. */
  boolean hasRoom() {
    return device.isWritable() && afterPacket.size() < MAX_AFTER_PACKET;
  }

  /** Whether the device takes what is sent to it. */
  boolean isWritable() {
    return device.isWritable();
  }
}
