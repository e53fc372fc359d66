package io.tinyfaas.gateway.ingress.mqtt;

import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.handler.codec.mqtt.MqttMessageType;

/**
 * What the broker sends to one device: passed on as it comes, so that no packet is held here,
 * whatever its size; but the few that the gateway adds something to are given to the decoder whole.
 */
final class BrokerPackets extends ChannelInboundHandlerAdapter {

  private static final int MAX_LENGTH_BYTES = 4;

  private final ToDevice device;
  private final MqttMetrics metrics;

  /** The beginning of a packet of which more is needed. */
  private ByteBuf begun;

  /** Of the packet that is being passed on, in bytes. */
  private int left;

  private boolean farewell;

  BrokerPackets(ToDevice device, MqttMetrics metrics) {
    this.device = device;
    this.metrics = metrics;
  }

  /** Whether the broker has told the device that it ends the connection. */
  boolean hasSaidFarewell() {
    return farewell;
  }

  @Override
  public void channelRead(ChannelHandlerContext context, Object read) {
    ByteBuf bytes = (ByteBuf) read;
    if (begun != null) {
      ByteBuf both = context.alloc().buffer(begun.readableBytes() + bytes.readableBytes());
      both.writeBytes(begun).writeBytes(bytes);
      begun.release();
      bytes.release();
      begun = null;
      bytes = both;
    }
    try {
      while (bytes.isReadable()) {
        if (!packet(context, bytes)) {
          begun = bytes.readRetainedSlice(bytes.readableBytes());
        }
      }
    } finally {
      bytes.release();
    }
  }

  /**
   * @return false if more is needed of it
   */
  private boolean packet(ChannelHandlerContext context, ByteBuf bytes) {
    if (left > 0) {
      pass(bytes);
      return true;
    }
    int header = headerLength(bytes);
    if (header == 0) {
      return false;
    }
    int length = header + remaining(bytes, header);
    MqttMessageType type = MqttMessageType.valueOf(bytes.getUnsignedByte(bytes.readerIndex()) >> 4);
    if (type == MqttMessageType.CONNACK || type == MqttMessageType.SUBACK) {
      if (bytes.readableBytes() < length) {
        return false;
      }
      context.fireChannelRead(bytes.readRetainedSlice(length));
      return true;
    }
    farewell |= type == MqttMessageType.DISCONNECT;
    if (type == MqttMessageType.PUBLISH) {
      metrics.sent();
    }
    left = length;
    pass(bytes);
    return true;
  }

  private void pass(ByteBuf bytes) {
    int part = Math.min(left, bytes.readableBytes());
    left -= part;
    device.pass(bytes.readRetainedSlice(part), left == 0);
  }

  /** 0 if it is not whole. */
  private static int headerLength(ByteBuf bytes) {
    for (int i = 1; i <= MAX_LENGTH_BYTES && i < bytes.readableBytes(); i++) {
      if ((bytes.getByte(bytes.readerIndex() + i) & 0x80) == 0) {
        return i + 1;
      }
    }
    return 0;
  }

  private static int remaining(ByteBuf bytes, int header) {
    int length = 0;
    for (int i = 1; i < header; i++) {
      length |= (bytes.getByte(bytes.readerIndex() + i) & 0x7f) << 7 * (i - 1);
    }
    return length;
  }

  @Override
  public void channelReadComplete(ChannelHandlerContext context) {
    device.flush();
    context.channel().config().setAutoRead(device.isWritable());
    context.fireChannelReadComplete();
  }

  @Override
  public void channelInactive(ChannelHandlerContext context) {
    if (begun != null) {
      begun.release();
      begun = null;
    }
    context.fireChannelInactive();
  }
}
