package io.tinyfaas.gateway.ingress.mqtt;

import io.netty.buffer.ByteBufUtil;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.SimpleChannelInboundHandler;
import io.netty.handler.codec.mqtt.MqttConnAckMessage;
import io.netty.handler.codec.mqtt.MqttConnAckVariableHeader;
import io.netty.handler.codec.mqtt.MqttConnectReturnCode;
import io.netty.handler.codec.mqtt.MqttMessage;
import io.netty.handler.codec.mqtt.MqttMessageIdVariableHeader;
import io.netty.handler.codec.mqtt.MqttMessageType;
import io.netty.handler.codec.mqtt.MqttProperties;
import io.netty.handler.codec.mqtt.MqttProperties.MqttPropertyType;
import io.netty.handler.codec.mqtt.MqttPublishMessage;
import io.netty.handler.codec.mqtt.MqttReasonCodeAndPropertiesVariableHeader;
import io.netty.handler.codec.mqtt.MqttSubAckMessage;
import io.netty.util.concurrent.Future;
import io.tinyfaas.gateway.ingress.Protocol;
import io.tinyfaas.gateway.ingress.mqtt.ExternalInbox.Incoming;
import io.vertx.core.impl.ContextInternal;
import java.net.InetSocketAddress;
import java.util.HashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.function.IntFunction;

/**
 * One connection to the external broker, from CONNECT to its end: what is read is handed to its
 * owner. On the invocation loop.
 */
final class ExternalSession extends SimpleChannelInboundHandler<MqttMessage> {

  static final int KEEP_ALIVE_SECONDS = 30;

  private static final int ANSWER_SECONDS = 10;

  /** Packet identifiers of the gateway; those of its requests are not acknowledged for long. */
  private static final int MAX_PACKET_ID = 65_535;

  private static final Set<MqttConnectReturnCode> WRONG_VERSION =
      Set.of(
          MqttConnectReturnCode.CONNECTION_REFUSED_UNACCEPTABLE_PROTOCOL_VERSION,
          MqttConnectReturnCode.CONNECTION_REFUSED_UNSUPPORTED_PROTOCOL_VERSION);

  /** What it tells whoever has opened it. */
  interface Owner {

    /**
     * @param present whether the broker still has the session of an earlier connection
     */
    void accepted(boolean present);

    /**
     * @param code what the broker grants: a quality of service, or 0x80 and more for a refusal
     */
    void subscribed(String filter, int code);

    /**
     * @return false if the connection has to end, so that it comes again
     */
    boolean received(Incoming message);

    /** The broker will not send that message again, which had QoS 2. */
    void released(int packetId);

    /** Nothing else comes after it, and it comes once. */
    void ended(String reason);
  }

  private final ContextInternal context;
  private final ExternalPackets packets;
  private final MqttMessage connect;
  private final Protocol protocol;
  private final Owner owner;

  /** Of SUBSCRIBE and UNSUBSCRIBE, what they are about. */
  private final Map<Integer, String> requests = new HashMap<>();

  private Channel channel;
  private Future<?> timer;
  private int lastPacketId;
  private long keepAliveMillis = TimeUnit.SECONDS.toMillis(KEEP_ALIVE_SECONDS);
  private boolean answered;
  private boolean identified;
  private boolean heard;
  private boolean asked;
  private String reason = "it has closed the connection";

  ExternalSession(
      ContextInternal context,
      ExternalPackets packets,
      MqttMessage connect,
      Protocol protocol,
      Owner owner) {
    this.context = context;
    this.packets = packets;
    this.connect = connect;
    this.protocol = protocol;
    this.owner = owner;
  }

  /** The connection stands, by TLS after its handshake. */
  void begin(Channel opened) {
    channel = opened;
    channel.writeAndFlush(connect);
    timer =
        channel
            .eventLoop()
            .schedule(
                () -> end("it does not answer within " + ANSWER_SECONDS + " s"),
                ANSWER_SECONDS,
                TimeUnit.SECONDS);
  }

  /** Whether it has said if it takes the connection, in the version that it was asked in. */
  boolean isAnswered() {
    return answered;
  }

  /**
   * @param identifier by which messages tell that they come by this subscription
   */
  void subscribe(String filter, int qos, int identifier) {
    request(filter, id -> packets.subscribe(id, filter, qos, identified ? identifier : 0));
  }

  void unsubscribe(String filter) {
    request(filter, id -> packets.unsubscribe(id, filter));
  }

  private void request(String filter, IntFunction<MqttMessage> packet) {
    int id = nextPacketId();
    requests.put(id, filter);
    channel.writeAndFlush(packet.apply(id));
  }

  private int nextPacketId() {
    do {
      lastPacketId = lastPacketId == MAX_PACKET_ID ? 1 : lastPacketId + 1;
    } while (requests.containsKey(lastPacketId));
    return lastPacketId;
  }

  void send(MqttMessageType type, int packetId, int reasonCode) {
    channel.writeAndFlush(packets.reply(type, packetId, reasonCode));
  }

  void read(boolean more) {
    if (channel.config().isAutoRead() != more) {
      channel.config().setAutoRead(more);
    }
  }

  /** In order; what was not acknowledged comes by the next connection. */
  void disconnect() {
    reason = "the gateway is stopping";
    if (channel == null) {
      return;
    }
    channel.writeAndFlush(packets.disconnect()).addListener(written -> channel.close());
  }

  void end(String why) {
    reason = why;
    channel.close();
  }

  @Override
  protected void channelRead0(ChannelHandlerContext its, MqttMessage packet) {
    heard = true;
    context.dispatch(
        () -> {
          if (packet.decoderResult().isFailure()) {
            end("what it sends is not valid: " + packet.decoderResult().cause().getMessage());
          } else {
            read(packet);
          }
        });
  }

  private void read(MqttMessage packet) {
    switch (packet.fixedHeader().messageType()) {
      case CONNACK -> connected(((MqttConnAckMessage) packet).variableHeader());
      case SUBACK -> subscribed((MqttSubAckMessage) packet);
      case UNSUBACK -> requests.remove(id(packet));
      case PUBLISH -> published((MqttPublishMessage) packet);
      case PUBREL -> send(MqttMessageType.PUBCOMP, released(id(packet)), 0);
      case DISCONNECT -> end("it has ended the session" + reasonOf(packet));
      default -> {
        // Answers to pings, of which it is enough that they come.
      }
    }
  }

  private int released(int packetId) {
    owner.released(packetId);
    return packetId;
  }

  private static int id(MqttMessage packet) {
    return ((MqttMessageIdVariableHeader) packet.variableHeader()).messageId();
  }

  private static String reasonOf(MqttMessage disconnect) {
    return disconnect.variableHeader() instanceof MqttReasonCodeAndPropertiesVariableHeader header
        ? ", reason code 0x%02x %s"
            .formatted(
                header.reasonCode() & 0xff,
                ExternalPackets.text(header.properties(), MqttPropertyType.REASON_STRING))
        : "";
  }

  private void connected(MqttConnAckVariableHeader header) {
    MqttConnectReturnCode code = header.connectReturnCode();
    answered = !WRONG_VERSION.contains(code);
    if (code != MqttConnectReturnCode.CONNECTION_ACCEPTED) {
      end(
          "it refuses the connection: %s (0x%02x)"
              .formatted(
                  code.name()
                      .replace("CONNECTION_REFUSED_", "")
                      .replace('_', ' ')
                      .toLowerCase(Locale.ROOT),
                  code.byteValue() & 0xff));
      return;
    }
    timer.cancel(false);
    MqttProperties properties = header.properties();
    ExternalPackets.number(properties, MqttPropertyType.SERVER_KEEP_ALIVE)
        .filter(seconds -> seconds > 0)
        .ifPresent(seconds -> keepAliveMillis = TimeUnit.SECONDS.toMillis(seconds));
    identified =
        packets.isFive()
            && ExternalPackets.number(
                        properties, MqttPropertyType.SUBSCRIPTION_IDENTIFIER_AVAILABLE)
                    .orElse(1)
                == 1;
    ping();
    owner.accepted(header.isSessionPresent());
  }

  /**
   * Twice in the time after which the broker gives the connection up. One on which nothing came
   * since the last time is dead, unless nothing was read.
   */
  private void ping() {
    if (asked && !heard && channel.config().isAutoRead()) {
      end("it has not answered a ping");
      return;
    }
    heard = false;
    asked = true;
    channel.writeAndFlush(MqttMessage.PINGREQ);
    timer = channel.eventLoop().schedule(this::ping, keepAliveMillis / 2, TimeUnit.MILLISECONDS);
  }

  private void subscribed(MqttSubAckMessage packet) {
    String filter = requests.remove(packet.variableHeader().messageId());
    if (filter != null) {
      owner.subscribed(filter, packet.payload().reasonCodes().getFirst());
    }
  }

  private void published(MqttPublishMessage packet) {
    MqttProperties properties = packet.variableHeader().properties();
    Publication publication =
        new Publication(
            Optional.empty(),
            protocol,
            (InetSocketAddress) channel.remoteAddress(),
            packet.variableHeader().topicName(),
            packet.fixedHeader().qosLevel().value(),
            packet.fixedHeader().isRetain(),
            packet.fixedHeader().isDup(),
            ExternalPackets.text(properties, MqttPropertyType.CONTENT_TYPE),
            ExternalPackets.text(properties, MqttPropertyType.RESPONSE_TOPIC),
            ExternalPackets.bytes(properties, MqttPropertyType.CORRELATION_DATA),
            Publication.NEVER,
            ExternalPackets.userProperties(properties),
            ByteBufUtil.getBytes(packet.payload()));
    int id = publication.qos() == 0 ? 0 : packet.variableHeader().packetId();
    if (!owner.received(new Incoming(publication, id, ExternalPackets.identifiers(properties)))) {
      end("the gateway has no memory for what it sends");
    }
  }

  @Override
  public void channelInactive(ChannelHandlerContext its) {
    if (timer != null) {
      timer.cancel(false);
    }
    context.dispatch(() -> owner.ended(reason));
  }

  @Override
  public void exceptionCaught(ChannelHandlerContext its, Throwable cause) {
    end(String.valueOf(cause.getMessage()));
  }
}
