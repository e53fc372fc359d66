package io.tinyfaas.gateway.ingress.mqtt;

import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.handler.codec.mqtt.MqttMessageType;
import io.netty.util.ReferenceCountUtil;
import io.tinyfaas.gateway.memory.BodyMemory;
import io.tinyfaas.gateway.memory.Holder;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;

/**
 * What comes from a device, cut into packets before anything is made of them: each is bounded by
 * what it is, counted while it arrives, and given on whole, one by one, for as long as the one who
 * takes them is ready. Else nothing is read, and the device has to wait.
 */
final class PacketFrames extends ChannelInboundHandlerAdapter {

  /** What one connection may hold uncounted: it is a part of what a connection costs. */
  static final int UNCOUNTED_BYTES = 4 * 1_024;

  /** How soon it is looked again whether there is memory. */
  private static final long RETRY_MILLIS = 50;

  /** A packet that waits is there twice: as it came, and as its body is for those who get it. */
  private static final int COPIES = 2;

  /** Of a publication besides its bytes. */
  private static final int PUBLICATION_BYTES = 512;

  private final PacketSizes sizes;
  private final BodyMemory memory;
  private final Holder peer;
  private BooleanSupplier ready = () -> true;
  private Consumer<MqttMessageType> others = type -> {};
  private ByteBuf received;
  private ByteBuf more;
  private ByteBuf packet;
  private int decoded;
  private long counted;
  private long heldByFrame;
  private long began;
  private boolean delivering;
  private boolean ended;
  private boolean waitsForMemory;
  private long lastRead = System.nanoTime();

  PacketFrames(PacketSizes sizes, BodyMemory memory, Holder peer) {
    this.sizes = sizes;
    this.memory = memory;
    this.peer = peer;
  }

  /** Who takes the packets says when; {@link #resume} has to follow once that changes. */
  void readWhile(BooleanSupplier condition) {
    ready = condition;
  }

  /** Gets those that are not decoded: {@link #packet} is the one. */
  void giveOthers(Consumer<MqttMessageType> taker) {
    others = taker;
  }

  /** When something came last, as {@link System#nanoTime}. */
  long lastRead() {
    return lastRead;
  }

  /** For how long a packet has been arriving; 0 if none is. */
  long arrivingNanos() {
    return received == null ? 0 : System.nanoTime() - began;
  }

  /** The one that is being given on, as it came. */
  ByteBuf packet() {
    return packet;
  }

  /** To be called for each message that has been read from a packet; that has one. */
  void decoded() {
    decoded++;
  }

  /** What the frame that has just been given on holds; who takes it gives that back. */
  long takeHeld() {
    long held = heldByFrame;
    heldByFrame = 0;
    return held;
  }

  void give(long held) {
    memory.give(held, peer);
  }

  @Override
  public void channelRead(ChannelHandlerContext context, Object read) {
    lastRead = System.nanoTime();
    if (ended) {
      ReferenceCountUtil.release(read);
      return;
    }
    ByteBuf bytes = (ByteBuf) read;
    more = more == null ? bytes : joined(context, more, bytes);
    proceed(context);
  }

  /** Only TLS gives on several reads while nothing is wanted: what it had read already. */
  private static ByteBuf joined(ChannelHandlerContext context, ByteBuf first, ByteBuf second) {
    ByteBuf both = context.alloc().buffer(first.readableBytes() + second.readableBytes());
    both.writeBytes(first).writeBytes(second);
    first.release();
    second.release();
    return both;
  }

  /** On the loop: whoever takes packets is ready again, or there may be memory. */
  void resume(ChannelHandlerContext context) {
    proceed(context);
  }

  private void proceed(ChannelHandlerContext context) {
    if (delivering) {
      return;
    }
    delivering = true;
    try {
      while (!ended && hasRoom(context) && ready.getAsBoolean() && deliverOne(context)) {
        continue;
      }
    } finally {
      delivering = false;
    }
    context.channel().config().setAutoRead(!ended && !waitsForMemory && ready.getAsBoolean());
  }

  /** Whether what was read last is with the rest. */
  private boolean hasRoom(ChannelHandlerContext context) {
    if (more == null) {
      return !waitsForMemory;
    }
    if (received == null) {
      received = more;
      more = null;
      began = System.nanoTime();
      return true;
    }
    int needed = received.readableBytes() + more.readableBytes();
    if (received.writableBytes() < more.readableBytes()) {
      int capacity = Integer.highestOneBit(Math.max(needed, UNCOUNTED_BYTES) - 1) << 1;
      if (!count(capacity <= UNCOUNTED_BYTES ? 0 : capacity)) {
        waitForMemory(context);
        return false;
      }
      ByteBuf larger = context.alloc().buffer(capacity);
      larger.writeBytes(received);
      received.release();
      received = larger;
    }
    received.writeBytes(more);
    more.release();
    more = null;
    return true;
  }

  private boolean count(long bytes) {
    long additional = bytes - counted;
    if (additional > 0 && !memory.take(additional, peer)) {
      return false;
    }
    if (additional < 0) {
      memory.give(-additional, peer);
    }
    counted = bytes;
    return true;
  }

  private void waitForMemory(ChannelHandlerContext context) {
    waitsForMemory = true;
    context.executor().schedule(() -> tryAgain(context), RETRY_MILLIS, TimeUnit.MILLISECONDS);
  }

  private void tryAgain(ChannelHandlerContext context) {
    waitsForMemory = false;
    proceed(context);
  }

  /**
   * @return false if there is no whole packet, or no memory for it
   */
  private boolean deliverOne(ChannelHandlerContext context) {
    if (received == null) {
      return false;
    }
    PacketSizes.Frame frame = sizes.of(received);
    switch (frame) {
      case PacketSizes.Frame.Incomplete _ -> {
        return false;
      }
      case PacketSizes.Frame.Refused(BrokenRule rule) -> {
        end();
        context.fireUserEventTriggered(rule);
        return false;
      }
      case PacketSizes.Frame.Whole(int length, MqttMessageType type) -> {
        boolean publish = type == MqttMessageType.PUBLISH;
        long held = publish ? COPIES * (long) length + PUBLICATION_BYTES : 0;
        if (!holdInsteadOfWhatCame(held)) {
          waitForMemory(context);
          return false;
        }
        heldByFrame = held;
        packet = received.readRetainedSlice(length);
        afterPacket(context);
        try {
          deliver(context, type);
        } finally {
          packet.release();
          packet = null;
        }
        return true;
      }
    }
  }

  /**
   * Netty's decoder gets what it reads to the end. Of others it would leave what is too much, and
   * take it for the beginning of the next packet, which then is not what it is taken for.
   */
  private void deliver(ChannelHandlerContext context, MqttMessageType type) {
    switch (type) {
      case CONNECT, PUBLISH, SUBSCRIBE -> {
        decoded = 0;
        context.fireChannelRead(packet.retainedDuplicate());
        if (decoded != 1 && !ended) {
          end();
          context.fireUserEventTriggered(
              new BrokenRule(ReasonCode.MALFORMED, "a packet is not as long as it says"));
        }
      }
      case PUBACK, PUBREC, PUBREL, PUBCOMP, UNSUBSCRIBE, PINGREQ, DISCONNECT -> others.accept(type);
      case CONNACK, SUBACK, UNSUBACK, PINGRESP, AUTH ->
          throw new IllegalStateException("no client sends " + type);
    }
  }

  private boolean holdInsteadOfWhatCame(long held) {
    long additional = held - counted;
    if (additional > 0 && !memory.take(additional, peer)) {
      return false;
    }
    if (additional < 0) {
      memory.give(-additional, peer);
    }
    counted = 0;
    return true;
  }

  /** What is left comes from the last read; it does not keep what a large packet took. */
  private void afterPacket(ChannelHandlerContext context) {
    ByteBuf left = null;
    if (received.isReadable()) {
      began = System.nanoTime();
      left =
          received.capacity() > UNCOUNTED_BYTES
              ? context.alloc().buffer(received.readableBytes()).writeBytes(received)
              : received.retain();
    }
    received.release();
    received = left;
  }

  /** Nothing is taken from the device any more. */
  void end() {
    ended = true;
    count(0);
    if (received != null) {
      received.release();
      received = null;
    }
    if (more != null) {
      more.release();
      more = null;
    }
  }

  @Override
  public void channelInactive(ChannelHandlerContext context) {
    end();
    context.fireChannelInactive();
  }
}
