package io.tinyfaas.gateway.ingress.mqtt;

import io.netty.buffer.ByteBuf;
import io.netty.handler.codec.mqtt.MqttMessageType;

/**
 * How long the packet is that begins in some bytes, and whether it may be: what is made of small
 * parts, as filters and properties are, takes many times its bytes.
 */
final class PacketSizes {

  /** What begins there. */
  sealed interface Frame {

    record Incomplete() implements Frame {}

    /**
     * @param length with the fixed header
     * @param type of the packet
     */
    record Whole(int length, MqttMessageType type) implements Frame {}

    record Refused(BrokenRule rule) implements Frame {}
  }

  /** With a will, which is kept for as long as the connection is there. */
  private static final int MAX_CONNECT = 4 * 1_024;

  /** Of a PUBLISH, around its body. */
  private static final int AROUND_BODY = 16 * 1_024;

  /** Some 2,000 filters. */
  private static final int MAX_FILTERS = 64 * 1_024;

  private static final int MAX_OTHER = 4 * 1_024;

  /** Of a PUBLISH, besides the topic. */
  private static final int MAX_PROPERTIES = 8 * 1_024;

  private static final int MAX_LENGTH_BYTES = 4;

  private static final Frame INCOMPLETE = new Frame.Incomplete();

  private final int maxPublish;
  private boolean loggedIn;
  private boolean five;

  /**
   * @param maxBody of a publication
   */
  PacketSizes(int maxBody) {
    this.maxPublish = maxPacket(maxBody);
  }

  /** The largest packet of all, where a publication may have such a body. */
  static int maxPacket(int maxBody) {
    return maxBody + AROUND_BODY;
  }

  /**
   * CONNECT was the last packet.
   *
   * @param five whether packets have properties
   */
  void loggedIn(boolean five) {
    this.loggedIn = true;
    this.five = five;
  }

  Frame of(ByteBuf bytes) {
    int start = bytes.readerIndex();
    int available = bytes.readableBytes();
    if (available == 0) {
      return INCOMPLETE;
    }
    int kind = bytes.getUnsignedByte(start) >> 4;
    int max = max(kind);
    if (max == 0) {
      return refused(ReasonCode.PROTOCOL_ERROR, "a packet of this type is not for the server now");
    }
    int length = 0;
    int size = 1;
    while (true) {
      if (size > MAX_LENGTH_BYTES) {
        return refused(ReasonCode.MALFORMED, "the packet's length has more than four bytes");
      }
      if (available <= size) {
        return INCOMPLETE;
      }
      int digit = bytes.getUnsignedByte(start + size);
      length |= (digit & 0x7f) << 7 * (size - 1);
      size++;
      if ((digit & 0x80) == 0) {
        break;
      }
    }
    if (kind == MqttMessageType.PINGREQ.value() && length > 0) {
      return refused(ReasonCode.MALFORMED, "PINGREQ has nothing but its header");
    }
    if (length > max) {
      return refused(
          ReasonCode.PACKET_TOO_LARGE, "a packet of this type has at most " + max + " bytes");
    }
    boolean publish = kind == MqttMessageType.PUBLISH.value();
    if (publish && five) {
      int properties = propertiesOfPublish(bytes, start + size, Math.min(length, available - size));
      if (properties > MAX_PROPERTIES) {
        return refused(
            ReasonCode.PACKET_TOO_LARGE,
            "the properties of a message have at most " + MAX_PROPERTIES + " bytes");
      }
    }
    return available < size + length
        ? INCOMPLETE
        : new Frame.Whole(size + length, MqttMessageType.valueOf(kind));
  }

  private static Frame refused(int reasonCode, String why) {
    return new Frame.Refused(new BrokenRule(reasonCode, why));
  }

  /** What may come now; 0 if that may not. */
  private int max(int kind) {
    if (!loggedIn) {
      return kind == MqttMessageType.CONNECT.value() ? MAX_CONNECT : 0;
    }
    if (kind < 1) {
      return 0;
    }
    return switch (MqttMessageType.valueOf(kind)) {
      case PUBLISH -> maxPublish;
      case SUBSCRIBE, UNSUBSCRIBE -> MAX_FILTERS;
      case PUBACK, PUBREC, PUBREL, PUBCOMP, PINGREQ, DISCONNECT -> MAX_OTHER;
      case CONNECT, CONNACK, SUBACK, UNSUBACK, PINGRESP, AUTH -> 0;
    };
  }

  /**
   * @param present how many bytes of the packet are there from there on
   * @return 0 if it is not known yet
   */
  private static int propertiesOfPublish(ByteBuf bytes, int from, int present) {
    int qos = bytes.getUnsignedByte(bytes.readerIndex()) >> 1 & 0x03;
    if (present < 2) {
      return 0;
    }
    int at = 2 + bytes.getUnsignedShort(from) + (qos > 0 ? 2 : 0);
    int length = 0;
    for (int i = 0; i < MAX_LENGTH_BYTES && at + i < present; i++) {
      int digit = bytes.getUnsignedByte(from + at + i);
      length |= (digit & 0x7f) << 7 * i;
      if ((digit & 0x80) == 0) {
        return length;
      }
    }
    return 0;
  }

  /**
   * Where the body of a whole PUBLISH begins. Netty's decoder takes a last property of two bytes
   * for the body's first, if those before it have 126 or more.
   */
  static int bodyOfPublish(ByteBuf packet, boolean five) {
    int at = packet.readerIndex() + 1;
    while ((packet.getByte(at) & 0x80) != 0) {
      at++;
    }
    at++;
    int qos = packet.getUnsignedByte(packet.readerIndex()) >> 1 & 0x03;
    at += 2 + packet.getUnsignedShort(at) + (qos > 0 ? 2 : 0);
    if (!five) {
      return at;
    }
    int length = 0;
    for (int i = 0; ; i++) {
      int digit = packet.getUnsignedByte(at++);
      length |= (digit & 0x7f) << 7 * i;
      if ((digit & 0x80) == 0) {
        return at + length;
      }
    }
  }

  /**
   * The first two bytes after the header of a whole packet; 0, which none has, if there are none.
   */
  static int identifier(ByteBuf packet) {
    int at = packet.readerIndex() + 1;
    while ((packet.getByte(at) & 0x80) != 0) {
      at++;
    }
    return at + 2 < packet.writerIndex() ? packet.getUnsignedShort(at + 1) : 0;
  }
}
