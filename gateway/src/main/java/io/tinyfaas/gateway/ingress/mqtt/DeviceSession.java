package io.tinyfaas.gateway.ingress.mqtt;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.handler.codec.mqtt.MqttMessage;
import io.netty.handler.codec.mqtt.MqttMessageType;
import io.netty.handler.codec.mqtt.MqttPublishMessage;
import io.netty.handler.codec.mqtt.MqttSubAckMessage;
import io.netty.handler.codec.mqtt.MqttSubscribeMessage;
import io.netty.util.ReferenceCountUtil;
import io.tinyfaas.contract.mqtt.TopicFilter;
import io.tinyfaas.gateway.device.DeviceIdentity;
import io.tinyfaas.gateway.loop.BugLog;
import java.time.Duration;
import java.util.function.Consumer;
import org.jboss.logging.Logger;

/**
 * A device that has logged in: what it sends is looked at, received, and passed on to the broker by
 * a connection of its own; what the broker sends goes to the device. In the device's pipeline, on
 * the event loop.
 */
final class DeviceSession extends ChannelInboundHandlerAdapter implements DeviceConnections.Open {

  private static final BugLog BUGS =
      new BugLog(Logger.getLogger(DeviceSession.class), "mqtt-packet-failed");

  private static final double KEEP_ALIVES = 1.5;

  /** DISCONNECT, after which no will is published; by MQTT 5 the session ends, too. */
  private static final byte[] FAREWELL = {(byte) 0xe0, 0};

  private static final byte[] FAREWELL_FOR_EVER = {(byte) 0xe0, 7, 0, 5, 0x11, 0, 0, 0, 0};

  /**
   * What a session is made of.
   *
   * @param broker its own connection to the broker
   * @param keepAlive how long it may be silent
   * @param will empty if it has none that is a function's affair
   */
  record Parts(
      DeviceIdentity identity,
      Sender sender,
      Channel device,
      Channel broker,
      PacketFrames frames,
      ToDevice toDevice,
      BrokerPackets fromBroker,
      Replies replies,
      Duration keepAlive,
      Will will) {}

  private final Parts parts;
  private final MqttSettings settings;
  private final DeviceConnections connections;
  private final PublicationReceiver receiver;
  private final MqttMetrics metrics;
  private final TopicRights rights;
  private final Subscriptions subscriptions;
  private final Publications publications;
  private final ConsumedIds consumed = new ConsumedIds();
  private ChannelHandlerContext context;
  private long notTaken;
  private boolean leaving;
  private boolean refusing;
  private boolean ended;

  DeviceSession(
      Parts parts,
      MqttSettings settings,
      DeviceConnections connections,
      PublicationReceiver receiver,
      MqttMetrics metrics) {
    this.parts = parts;
    this.settings = settings;
    this.connections = connections;
    this.receiver = receiver;
    this.metrics = metrics;
    this.rights = TopicRights.of(parts.identity());
    this.subscriptions = new Subscriptions(rights, parts.replies());
    this.publications = new Publications(this::goOn);
  }

  @Override
  public void handlerAdded(ChannelHandlerContext added) {
    context = added;
    parts.frames().readWhile(this::isReady);
    parts.frames().giveOthers(this::other);
    parts.broker().closeFuture().addListener(closed -> brokerLeft());
  }

  /** What the device has sent after CONNECT may be there already. */
  void begin() {
    goOn();
  }

  private boolean isReady() {
    return !ended
        && !leaving
        && !refusing
        && publications.hasRoom()
        && parts.broker().isWritable()
        && parts.toDevice().hasRoom();
  }

  private void goOn() {
    if (!ended) {
      parts.frames().resume(context.pipeline().context(parts.frames()));
      parts.broker().flush();
      parts.toDevice().flush();
    }
  }

  @Override
  public DeviceIdentity identity() {
    return parts.identity();
  }

  @Override
  public void channelRead(ChannelHandlerContext reading, Object read) {
    parts.frames().decoded();
    try {
      MqttMessage message = (MqttMessage) read;
      if (ended) {
        return;
      }
      if (message.decoderResult().isFailure()) {
        end(new BrokenRule(ReasonCode.MALFORMED, "a packet breaks the rules of MQTT"));
      } else {
        received(message);
      }
    } catch (RuntimeException bug) {
      BUGS.say(bug);
      end(new BrokenRule(ReasonCode.PROTOCOL_ERROR, "the gateway cannot work on a packet"));
    } finally {
      ReferenceCountUtil.release(read);
    }
  }

  private void received(MqttMessage message) {
    if (message instanceof MqttPublishMessage publish) {
      publish(publish);
    } else if (message instanceof MqttSubscribeMessage subscribe) {
      subscribe(subscribe);
    }
  }

  private void other(MqttMessageType type) {
    if (ended) {
      return;
    }
    switch (type) {
      case PUBREL -> release();
      case PUBACK, PUBREC, PUBCOMP -> passOn();
      case UNSUBSCRIBE -> inTurn(this::pass);
      case PINGREQ -> parts.toDevice().write(MqttMessage.PINGRESP);
      case DISCONNECT -> {
        leaving = true;
        inTurn(
            packet -> {
              parts.broker().writeAndFlush(packet);
              close();
            });
      }
      case CONNECT, PUBLISH, SUBSCRIBE, CONNACK, SUBACK, UNSUBACK, PINGRESP, AUTH ->
          throw new IllegalStateException(type + " is decoded, or of no client");
    }
  }

  private void passOn() {
    pass(parts.frames().packet().retainedDuplicate());
  }

  private void pass(ByteBuf packet) {
    parts.broker().write(packet);
  }

  /** After the publications that came before it. */
  private void inTurn(Consumer<ByteBuf> then) {
    publications.after(parts.frames().packet().retainedDuplicate(), then);
  }

  private void publish(MqttPublishMessage publish) {
    String topic = publish.variableHeader().topicName();
    int qos = publish.fixedHeader().qosLevel().value();
    int id = publish.variableHeader().packetId();
    if (Received.hasTopicAlias(publish)) {
      end(new BrokenRule(ReasonCode.TOPIC_ALIAS_INVALID, "the gateway takes no topic aliases"));
    } else if (!TopicFilter.isTopic(topic)) {
      refuse(qos, id, ReasonCode.TOPIC_NAME_INVALID, "a topic has " + TopicFilter.RULE);
    } else if (!rights.mayPublish(topic)) {
      notAllowed("publish", topic);
      refuse(
          qos,
          id,
          ReasonCode.NOT_AUTHORIZED,
          "the device may not publish to this topic: its registration has to have it");
    } else {
      receive(publish, topic, qos, id);
    }
  }

  private void receive(MqttPublishMessage publish, String topic, int qos, int id) {
    boolean request = receiver.isRequest(topic);
    if (request && qos == 2 && consumed.has(id)) {
      parts.toDevice().write(parts.replies().pubRec(id));
      return;
    }
    ByteBuf packet = parts.frames().packet();
    Publication publication =
        Received.publication(publish, packet, parts.sender(), parts.replies().five());
    long held = parts.frames().takeHeld();
    ByteBuf kept = request ? null : packet.retainedDuplicate();
    connections.received(1);
    publications.add(
        receiver.receive(publication),
        receipt -> {
          connections.received(-1);
          parts.frames().give(held);
          if (ended) {
            ReferenceCountUtil.release(kept);
          } else if (receipt instanceof Receipt.Refused(int reasonCode, String why)) {
            ReferenceCountUtil.release(kept);
            metrics.notTaken();
            refuse(qos, id, reasonCode, why);
          } else if (request) {
            metrics.request();
            acknowledge(qos, id);
          } else {
            metrics.passed();
            parts.broker().write(kept);
          }
        });
  }

  private void acknowledge(int qos, int id) {
    if (qos == 1) {
      parts.toDevice().write(parts.replies().pubAck(id));
    } else if (qos == 2) {
      if (!consumed.add(id)) {
        end(
            new BrokenRule(
                ReasonCode.RECEIVE_MAXIMUM_EXCEEDED, "too many messages are not released"));
        return;
      }
      parts.toDevice().write(parts.replies().pubRec(id));
    }
  }

  /** By MQTT 3.1.1 nothing else can be said, and the device publishes it again. */
  private void refuse(int qos, int id, int reasonCode, String why) {
    if (!parts.replies().five()) {
      end(new BrokenRule(reasonCode, why));
    } else if (qos > 0) {
      publications.after(
          null, none -> parts.toDevice().write(parts.replies().notTaken(id, qos, reasonCode, why)));
    }
  }

  private void notAllowed(String what, String topic) {
    metrics.notAllowed();
    connections.notAllowed(parts.identity(), what, topic);
  }

  private void release() {
    int id = PacketSizes.identifier(parts.frames().packet());
    if (consumed.remove(id)) {
      parts.toDevice().write(parts.replies().pubComp(id));
    } else {
      passOn();
    }
  }

  private void subscribe(MqttSubscribeMessage subscribe) {
    switch (subscriptions.decide(subscribe)) {
      case Subscriptions.Decision.Passed(MqttMessage allowed, boolean all) -> {
        if (!all) {
          notAllowed("subscribe", filters(subscribe));
        }
        publications.after(null, none -> parts.broker().write(allowed));
      }
      case Subscriptions.Decision.Refused(MqttMessage subAck) -> {
        notAllowed("subscribe", filters(subscribe));
        publications.after(null, none -> parts.toDevice().write(subAck));
      }
      case Subscriptions.Decision.TooMany _ ->
          end(
              new BrokenRule(
                  ReasonCode.QUOTA_EXCEEDED, "too many subscriptions are not answered yet"));
    }
  }

  private static String filters(MqttSubscribeMessage subscribe) {
    return subscribe.payload().topicSubscriptions().getFirst().topicFilter();
  }

  /** In the broker's pipeline, behind what decodes the answers that are looked at. */
  ChannelInboundHandlerAdapter answers() {
    return new ChannelInboundHandlerAdapter() {
      @Override
      public void channelRead(ChannelHandlerContext reading, Object read) {
        if (read instanceof MqttSubAckMessage subAck) {
          parts.toDevice().write(subscriptions.complete(subAck));
        }
        ReferenceCountUtil.release(read);
      }

      @Override
      public void channelWritabilityChanged(ChannelHandlerContext changed) {
        goOn();
      }

      @Override
      public void exceptionCaught(ChannelHandlerContext failing, Throwable cause) {
        failing.close();
      }
    };
  }

  @Override
  public void channelReadComplete(ChannelHandlerContext read) {
    parts.broker().flush();
    parts.toDevice().flush();
  }

  @Override
  public void channelWritabilityChanged(ChannelHandlerContext changed) {
    parts.broker().config().setAutoRead(parts.toDevice().isWritable());
    goOn();
  }

  @Override
  public void userEventTriggered(ChannelHandlerContext triggered, Object event) {
    if (event instanceof BrokenRule rule) {
      end(rule);
    }
  }

  @Override
  public void exceptionCaught(ChannelHandlerContext failing, Throwable cause) {
    close();
  }

  @Override
  public void channelInactive(ChannelHandlerContext left) {
    close();
  }

  /** Its broker has ended the connection: another one has its name, or the broker stops. */
  private void brokerLeft() {
    if (!ended) {
      end(
          parts.fromBroker().hasSaidFarewell() || leaving
              ? null
              : new BrokenRule(
                  ReasonCode.SERVER_SHUTTING_DOWN, "the devices' broker has ended the connection"));
    }
  }

  @Override
  public void end(BrokenRule rule) {
    if (ended) {
      return;
    }
    if (rule != null && parts.replies().five()) {
      parts.toDevice().write(parts.replies().disconnect(rule));
    }
    close();
  }

  @Override
  public void revoke() {
    byte[] farewell = parts.replies().five() ? FAREWELL_FOR_EVER : FAREWELL;
    parts.broker().writeAndFlush(parts.broker().alloc().buffer().writeBytes(farewell));
    leaving = true;
    end(
        new BrokenRule(
            ReasonCode.ADMINISTRATIVE_ACTION, "the device is not registered like this any more"));
  }

  /** What the broker has not got it does not get; a will is told unless the device has left. */
  private void close() {
    if (ended) {
      return;
    }
    ended = true;
    connections.closed(this);
    publications.end();
    parts.frames().end();
    parts.device().writeAndFlush(Unpooled.EMPTY_BUFFER).addListener(ChannelFutureListener.CLOSE);
    if (parts.broker().isActive()) {
      parts.broker().flush();
      parts.broker().close();
    }
    if (!leaving) {
      parts.will().tell(receiver);
    }
  }

  @Override
  public void check(long now) {
    long silent = now - parts.frames().lastRead();
    boolean reading = parts.device().config().isAutoRead();
    if (reading && silent > KEEP_ALIVES * parts.keepAlive().toNanos()) {
      end(new BrokenRule(ReasonCode.KEEP_ALIVE_TIMEOUT, "nothing came within the keep-alive time"));
    } else if (parts.frames().arrivingNanos() > settings.receiveTimeout().toNanos()) {
      end(new BrokenRule(ReasonCode.QUOTA_EXCEEDED, "a packet took too long to arrive"));
    } else if (parts.toDevice().isWritable()) {
      notTaken = 0;
    } else if (notTaken == 0) {
      notTaken = now;
    } else if (now - notTaken > settings.sendTimeout().toNanos()) {
      parts.device().unsafe().closeForcibly();
      close();
    }
  }

  @Override
  public void takeNoMore() {
    refusing = true;
    parts.device().config().setAutoRead(false);
  }
}
