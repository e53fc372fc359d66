package io.tinyfaas.gateway.mqtt;

import io.micrometer.core.instrument.MeterRegistry;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.EventLoop;
import io.netty.handler.codec.mqtt.MqttConnAckMessage;
import io.netty.handler.codec.mqtt.MqttConnectReturnCode;
import io.netty.handler.codec.mqtt.MqttDecoder;
import io.netty.handler.codec.mqtt.MqttEncoder;
import io.netty.handler.codec.mqtt.MqttMessage;
import io.netty.handler.codec.mqtt.MqttMessageBuilders;
import io.netty.handler.codec.mqtt.MqttMessageIdVariableHeader;
import io.netty.handler.codec.mqtt.MqttMessageType;
import io.netty.handler.codec.mqtt.MqttProperties;
import io.netty.handler.codec.mqtt.MqttProperties.MqttPropertyType;
import io.netty.handler.codec.mqtt.MqttPubReplyMessageVariableHeader;
import io.netty.handler.codec.mqtt.MqttPublishMessage;
import io.netty.handler.codec.mqtt.MqttQoS;
import io.netty.handler.codec.mqtt.MqttVersion;
import io.netty.util.ReferenceCountUtil;
import io.netty.util.collection.IntObjectHashMap;
import io.quarkus.runtime.ShutdownEvent;
import io.quarkus.runtime.StartupEvent;
import io.tinyfaas.gateway.loop.BugLog;
import io.tinyfaas.gateway.loop.InvocationLoop;
import io.tinyfaas.gateway.memory.BodyMemory;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import jakarta.enterprise.event.Observes;
import jakarta.inject.Singleton;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import org.jboss.logging.Logger;

/**
 * The gateway's own connection to the devices' broker, by MQTT 5: tried again for as long as it is
 * away. On the event loop.
 */
@Singleton
final class BrokerPublisher implements MessagePublisher {

  private static final Logger LOG = Logger.getLogger(BrokerPublisher.class);
  private static final BugLog BUGS = new BugLog(LOG, "message-listener-failed");

  /** No device's: theirs have a slash. */
  private static final String CLIENT_ID = "gateway";

  private static final long FIRST_RETRY_MILLIS = 100;
  private static final long LONGEST_RETRY_MILLIS = 5_000;

  /** Of a broker that stands still. */
  private static final long ACKNOWLEDGED_SECONDS = 30;

  /** That wait or are not acknowledged. */
  private static final int MAX_MESSAGES = 4_096;

  /** Besides what it says, twice: as it is, and as it is sent. */
  private static final int MESSAGE_BYTES = 512;

  private static final int COPIES = 2;
  private static final int MAX_ID = 65_535;
  private static final int MAX_ANSWER_BYTES = 64 * 1_024;
  private static final int MANY = 65_535;

  private record Sending(Message message, long held, Promise<Void> done) {}

  private final EventLoop loop;
  private final DeviceBroker broker;
  private final BodyMemory memory;
  private final List<Runnable> listeners = new CopyOnWriteArrayList<>();
  private final Deque<Sending> waiting = new ArrayDeque<>();
  private final IntObjectHashMap<Sending> unacknowledged = new IntObjectHashMap<>();
  private Channel channel;
  private int inFlight = MANY;
  private int lastId;
  private long retryMillis = FIRST_RETRY_MILLIS;
  private long progress;
  private boolean reported;
  private boolean stopped;
  private volatile boolean connected;

  BrokerPublisher(
      InvocationLoop loop, DeviceBroker broker, BodyMemory memory, MeterRegistry registry) {
    this.loop = loop.context().nettyEventLoop();
    this.broker = broker;
    this.memory = memory;
    registry.gauge("tinyfaas.device.broker.connected", this, each -> each.connected ? 1 : 0);
  }

  void start(@Observes StartupEvent event) {
    if (broker.isEnabled()) {
      loop.execute(this::connect);
      loop.scheduleAtFixedRate(
          this::check, ACKNOWLEDGED_SECONDS, ACKNOWLEDGED_SECONDS, TimeUnit.SECONDS);
    }
  }

  void stop(@Observes ShutdownEvent event) {
    loop.execute(
        () -> {
          stopped = true;
          if (channel != null) {
            channel.close();
          }
        });
  }

  @Override
  public boolean isEnabled() {
    return broker.isEnabled();
  }

  @Override
  public boolean isConnected() {
    return connected;
  }

  @Override
  public void onConnected(Runnable listener) {
    listeners.add(listener);
  }

  @Override
  public Future<Void> publish(Message message) {
    if (!connected) {
      return Future.failedFuture("the devices' broker is away");
    }
    if (message.qos() == 0) {
      return publishAtMostOnce(message);
    }
    if (waiting.size() + unacknowledged.size() >= MAX_MESSAGES) {
      return Future.failedFuture("too many messages are on their way to the devices' broker");
    }
    long held = COPIES * size(message) + MESSAGE_BYTES;
    if (!memory.take(held)) {
      return Future.failedFuture("there is no memory for the message");
    }
    Promise<Void> done = Promise.promise();
    waiting.add(new Sending(message, held, done));
    send();
    return done.future();
  }

  private Future<Void> publishAtMostOnce(Message message) {
    if (!channel.isWritable()) {
      return Future.failedFuture("too much is on its way to the devices' broker");
    }
    Promise<Void> done = Promise.promise();
    channel
        .writeAndFlush(packet(message, 0))
        .addListener(
            sent -> {
              if (sent.isSuccess()) {
                done.complete();
              } else {
                done.fail("the devices' broker is away");
              }
            });
    return done.future();
  }

  private static long size(Message message) {
    long size = message.topic().length() + message.body().length + message.correlation().length;
    for (Map.Entry<String, String> property : message.properties()) {
      size += property.getKey().length() + property.getValue().length();
    }
    return size;
  }

  /** As many as the broker takes at once, and no more of them than it has read. */
  private void send() {
    while (!waiting.isEmpty() && unacknowledged.size() < inFlight && channel.isWritable()) {
      Sending sending = waiting.poll();
      do {
        lastId = lastId % MAX_ID + 1;
      } while (unacknowledged.containsKey(lastId));
      if (unacknowledged.isEmpty()) {
        progress = System.nanoTime();
      }
      unacknowledged.put(lastId, sending);
      channel.write(packet(sending.message(), lastId));
    }
    channel.flush();
  }

  private static MqttPublishMessage packet(Message message, int id) {
    MqttProperties properties = new MqttProperties();
    if (!message.contentType().isEmpty()) {
      properties.add(
          new MqttProperties.StringProperty(
              MqttPropertyType.CONTENT_TYPE.value(), message.contentType()));
    }
    if (message.correlation().length > 0) {
      properties.add(
          new MqttProperties.BinaryProperty(
              MqttPropertyType.CORRELATION_DATA.value(), message.correlation()));
    }
    for (Map.Entry<String, String> property : message.properties()) {
      properties.add(new MqttProperties.UserProperty(property.getKey(), property.getValue()));
    }
    return MqttMessageBuilders.publish()
        .topicName(message.topic())
        .qos(MqttQoS.valueOf(message.qos()))
        .retained(message.retain())
        .messageId(id)
        .properties(properties)
        .payload(Unpooled.wrappedBuffer(message.body()))
        .build();
  }

  private void connect() {
    if (stopped) {
      return;
    }
    broker
        .connect(
            new ChannelInitializer<Channel>() {
              @Override
              protected void initChannel(Channel opened) {
                opened
                    .pipeline()
                    .addLast(
                        new MqttDecoder(MAX_ANSWER_BYTES), MqttEncoder.INSTANCE, new Answers());
              }
            })
        .addListener(
            (ChannelFutureListener)
                opened -> {
                  if (opened.isSuccess()) {
                    hello(opened.channel());
                  } else {
                    away(opened.cause().getMessage());
                  }
                });
  }

  private void hello(Channel opened) {
    channel = opened;
    opened.closeFuture().addListener(closed -> lost());
    opened.writeAndFlush(
        MqttMessageBuilders.connect()
            .protocolVersion(MqttVersion.MQTT_5)
            .clientId(CLIENT_ID)
            .cleanSession(true)
            .keepAlive(0)
            .build());
    progress = System.nanoTime();
  }

  private void away(String reason) {
    if (!reported && !stopped) {
      reported = true;
      LOG.warnf("event=device-broker-unreachable reason=\"%s\"", reason);
    }
    loop.schedule(this::connect, retryMillis, TimeUnit.MILLISECONDS);
    retryMillis = Math.min(2 * retryMillis, LONGEST_RETRY_MILLIS);
  }

  private void lost() {
    connected = false;
    channel = null;
    List<Sending> all = new ArrayList<>(unacknowledged.values());
    all.addAll(waiting);
    unacknowledged.clear();
    waiting.clear();
    for (Sending sending : all) {
      memory.give(sending.held());
      sending.done().fail("the connection to the devices' broker was lost");
    }
    away("connection closed");
  }

  /** One that stands still is as good as none. */
  private void check() {
    boolean expected = !unacknowledged.isEmpty() || channel != null && !connected;
    if (expected && System.nanoTime() - progress > TimeUnit.SECONDS.toNanos(ACKNOWLEDGED_SECONDS)) {
      channel.close();
    }
  }

  private void accepted(MqttConnAckMessage connAck) {
    if (connAck.variableHeader().connectReturnCode() != MqttConnectReturnCode.CONNECTION_ACCEPTED) {
      channel.close();
      return;
    }
    MqttProperties.MqttProperty<?> most =
        connAck.variableHeader().properties().getProperty(MqttPropertyType.RECEIVE_MAXIMUM.value());
    inFlight = most == null ? MANY : (Integer) most.value();
    connected = true;
    reported = false;
    retryMillis = FIRST_RETRY_MILLIS;
    LOG.info("event=device-broker-connected");
    listeners.forEach(BUGS::guard);
  }

  private void acknowledged(int id, byte reasonCode) {
    Sending sending = unacknowledged.remove(id);
    progress = System.nanoTime();
    if (sending != null) {
      memory.give(sending.held());
      if (reasonCode >= 0) {
        sending.done().complete();
      } else {
        sending
            .done()
            .fail("the devices' broker has refused it: 0x%02x".formatted(reasonCode & 0xff));
      }
    }
    if (connected) {
      send();
    }
  }

  private final class Answers extends ChannelInboundHandlerAdapter {

    @Override
    public void channelRead(ChannelHandlerContext context, Object read) {
      try {
        if (read instanceof MqttConnAckMessage connAck) {
          accepted(connAck);
        } else if (read instanceof MqttMessage message
            && message.fixedHeader().messageType() == MqttMessageType.PUBACK) {
          acknowledged(
              ((MqttMessageIdVariableHeader) message.variableHeader()).messageId(),
              message.variableHeader() instanceof MqttPubReplyMessageVariableHeader reply
                  ? reply.reasonCode()
                  : MqttPubReplyMessageVariableHeader.REASON_CODE_OK);
        } else {
          context.close();
        }
      } finally {
        ReferenceCountUtil.release(read);
      }
    }

    @Override
    public void channelWritabilityChanged(ChannelHandlerContext context) {
      if (connected) {
        send();
      }
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
      context.close();
    }
  }
}
