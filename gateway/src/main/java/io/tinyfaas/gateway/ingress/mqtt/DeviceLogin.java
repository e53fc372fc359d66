package io.tinyfaas.gateway.ingress.mqtt;

import io.netty.channel.Channel;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelInitializer;
import io.netty.handler.codec.mqtt.MqttConnAckMessage;
import io.netty.handler.codec.mqtt.MqttConnectMessage;
import io.netty.handler.codec.mqtt.MqttConnectReturnCode;
import io.netty.handler.codec.mqtt.MqttDecoder;
import io.netty.handler.codec.mqtt.MqttEncoder;
import io.netty.handler.codec.mqtt.MqttMessage;
import io.netty.handler.codec.mqtt.MqttUnacceptableProtocolVersionException;
import io.netty.util.ReferenceCountUtil;
import io.tinyfaas.contract.device.Device;
import io.tinyfaas.gateway.device.CurrentDevices;
import io.tinyfaas.gateway.device.DeviceIdentity;
import io.tinyfaas.gateway.ingress.Protocol;
import io.tinyfaas.gateway.mqtt.DeviceBroker;
import java.net.InetSocketAddress;
import java.security.MessageDigest;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;

/**
 * A connection until its device has logged in: CONNECT, who it is, and a connection to the broker
 * in its name. In the device's pipeline, on the event loop.
 */
final class DeviceLogin extends ChannelInboundHandlerAdapter {

  /** Until whoever guesses is answered. */
  private static final long REFUSED_MILLIS = 1_000;

  /** The broker takes some hundred connections at once. */
  private static final int BROKER_ATTEMPTS = 20;

  private static final long BROKER_RETRY_MILLIS = 100;

  /** Of the broker's packets that are decoded. */
  private static final int MAX_ANSWER_BYTES = 64 * 1_024;

  /**
   * What all logins share.
   *
   * @param certificate whom the certificate of a connection names
   */
  record Shared(
      MqttSettings settings,
      CurrentDevices devices,
      DeviceConnections connections,
      DeviceBroker broker,
      PublicationReceiver receiver,
      MqttMetrics metrics,
      int maxBody) {}

  private final Shared shared;
  private final Protocol protocol;
  private final PacketFrames frames;
  private final PacketSizes sizes;
  private final Function<Channel, Optional<DeviceIdentity>> certificate;
  private ChannelHandlerContext context;
  private Replies replies = new Replies(false, false);
  private boolean asked;
  private boolean over;

  DeviceLogin(
      Shared shared,
      Protocol protocol,
      PacketFrames frames,
      PacketSizes sizes,
      Function<Channel, Optional<DeviceIdentity>> certificate) {
    this.shared = shared;
    this.protocol = protocol;
    this.frames = frames;
    this.sizes = sizes;
    this.certificate = certificate;
  }

  @Override
  public void handlerAdded(ChannelHandlerContext added) {
    context = added;
    frames.readWhile(() -> !asked);
  }

  @Override
  public void channelRead(ChannelHandlerContext reading, Object read) {
    frames.decoded();
    MqttMessage message = (MqttMessage) read;
    asked = true;
    Throwable failure = message.decoderResult().cause();
    if (failure instanceof MqttUnacceptableProtocolVersionException) {
      refuse(ReasonCode.UNSUPPORTED_VERSION, "MQTT 3.1.1 and 5 are spoken here", 0);
    } else if (failure != null || !(message instanceof MqttConnectMessage connect)) {
      ReferenceCountUtil.release(read);
      context.close();
    } else {
      login(connect);
    }
  }

  private void login(MqttConnectMessage connect) {
    Login login = new Login(connect);
    replies = login.replies();
    if (!login.isSpoken()) {
      refuse(ReasonCode.UNSUPPORTED_VERSION, "MQTT 3.1.1 and 5 are spoken here", 0);
      return;
    }
    if (login.hasAuthenticationMethod()) {
      refuse(
          ReasonCode.BAD_AUTHENTICATION_METHOD,
          "a device logs in by user name and password, or by its certificate",
          0);
      return;
    }
    Optional<DeviceIdentity> device = authenticated(connect);
    if (device.isEmpty()) {
      shared
          .connections()
          .refusedLogin(login.userName(), address().getAddress(), "no such device, or another key");
      refuse(
          ReasonCode.BAD_USER_NAME_OR_PASSWORD,
          "the user name is the device's name, the password its key",
          REFUSED_MILLIS);
      return;
    }
    Optional<BrokenRule> problem = login.problem(device.get());
    if (problem.isPresent()) {
      refuse(problem.get().reasonCode(), problem.get().why(), 0);
    } else if (shared.connections().isRefusing()) {
      refuse(ReasonCode.SERVER_UNAVAILABLE, "the gateway stops", 0);
    } else if (!shared.connections().take(device.get())) {
      shared
          .connections()
          .refusedLogin(login.userName(), address().getAddress(), "too many connections");
      refuse(ReasonCode.QUOTA_EXCEEDED, "there are too many connections", REFUSED_MILLIS);
    } else {
      context.channel().closeFuture().addListener(closed -> giveUp(device.get()));
      connect(login, device.get(), BROKER_ATTEMPTS);
    }
  }

  private InetSocketAddress address() {
    return (InetSocketAddress) context.channel().remoteAddress();
  }

  /** By its certificate, if it has shown one; then a user name can only say the same. */
  private Optional<DeviceIdentity> authenticated(MqttConnectMessage connect) {
    String name = connect.payload().userName();
    Optional<DeviceIdentity> certified = certificate.apply(context.channel());
    if (certified.isPresent()) {
      return certified.filter(device -> name == null || name.equals(device.name()));
    }
    byte[] password = connect.payload().passwordInBytes();
    if (name == null || password == null) {
      return Optional.empty();
    }
    Optional<Device> device = shared.devices().withKey(name);
    return device
        .flatMap(shared.devices()::key)
        .filter(key -> MessageDigest.isEqual(key, password))
        .map(proved -> new DeviceIdentity(name, device.get()));
  }

  private void refuse(int reasonCode, String why, long afterMillis) {
    over = true;
    context
        .executor()
        .schedule(
            () ->
                context
                    .writeAndFlush(replies.refusal(reasonCode, why))
                    .addListener(ChannelFutureListener.CLOSE),
            afterMillis,
            TimeUnit.MILLISECONDS);
  }

  /** The device's place, unless a session has it. */
  private void giveUp(DeviceIdentity device) {
    if (!over) {
      over = true;
      shared.connections().give(device);
    }
  }

  private void connect(Login login, DeviceIdentity device, int attempts) {
    ToDevice toDevice = new ToDevice(context.channel());
    BrokerPackets packets = new BrokerPackets(toDevice, shared.metrics());
    shared
        .broker()
        .connect(
            new ChannelInitializer<Channel>() {
              @Override
              protected void initChannel(Channel broker) {
                broker
                    .pipeline()
                    .addLast(
                        packets,
                        new MqttDecoder(MAX_ANSWER_BYTES),
                        MqttEncoder.INSTANCE,
                        new Answer(login, device, toDevice, packets));
              }
            })
        .addListener(
            (ChannelFutureListener)
                connected -> {
                  if (over) {
                    connected.channel().close();
                  } else if (connected.isSuccess()) {
                    connected.channel().writeAndFlush(login.forBroker(device, isRequest(login)));
                  } else if (attempts > 1) {
                    context
                        .executor()
                        .schedule(
                            () -> again(login, device, attempts - 1),
                            BROKER_RETRY_MILLIS,
                            TimeUnit.MILLISECONDS);
                  } else {
                    brokerIsAway(device);
                  }
                });
  }

  private void again(Login login, DeviceIdentity device, int attempts) {
    if (!over) {
      connect(login, device, attempts);
    }
  }

  private boolean isRequest(Login login) {
    return login.hasWill() && shared.receiver().isRequest(login.willTopic());
  }

  private void brokerIsAway(DeviceIdentity device) {
    if (!over) {
      giveUp(device);
      refuse(ReasonCode.SERVER_UNAVAILABLE, "the devices' broker is away: try again", 0);
    }
  }

  /** What the broker says to the login in its pipeline. */
  private final class Answer extends ChannelInboundHandlerAdapter {
    private final Login login;
    private final DeviceIdentity device;
    private final ToDevice toDevice;
    private final BrokerPackets packets;

    Answer(Login login, DeviceIdentity device, ToDevice toDevice, BrokerPackets packets) {
      this.login = login;
      this.device = device;
      this.toDevice = toDevice;
      this.packets = packets;
    }

    @Override
    public void channelRead(ChannelHandlerContext answering, Object read) {
      if (over || !(read instanceof MqttConnAckMessage connAck)) {
        ReferenceCountUtil.release(read);
        answering.close();
        return;
      }
      MqttConnectReturnCode code = connAck.variableHeader().connectReturnCode();
      if (code == MqttConnectReturnCode.CONNECTION_ACCEPTED) {
        accepted(answering.channel(), connAck);
      } else {
        giveUp(device);
        over = true;
        context.writeAndFlush(connAck).addListener(ChannelFutureListener.CLOSE);
        answering.close();
      }
    }

    /** A table may have come meanwhile, of which this connection has not heard. */
    private void accepted(Channel broker, MqttConnAckMessage connAck) {
      if (!shared.devices().isCurrent(device)) {
        broker.close();
        giveUp(device);
        refuse(ReasonCode.BAD_USER_NAME_OR_PASSWORD, "the device is not registered any more", 0);
        return;
      }
      over = true;
      sizes.loggedIn(replies.five());
      toDevice.write(
          replies.connAck(
              MqttConnectReturnCode.CONNECTION_ACCEPTED,
              connAck.variableHeader().isSessionPresent(),
              login.forDevice(
                  connAck.variableHeader().properties(),
                  shared.settings().maxKeepAlive(),
                  PacketSizes.maxPacket(shared.maxBody()))));
      DeviceSession session =
          new DeviceSession(
              new DeviceSession.Parts(
                  device,
                  new Sender(device, protocol, address()),
                  context.channel(),
                  broker,
                  frames,
                  toDevice,
                  packets,
                  replies,
                  login.keepAlive(shared.settings().maxKeepAlive()),
                  login.will(new Sender(device, protocol, address()))),
              shared.settings(),
              shared.connections(),
              shared.receiver(),
              shared.metrics());
      shared.connections().loggedIn(context.channel());
      shared.connections().opened(session);
      broker.pipeline().replace(this, "session", session.answers());
      context.pipeline().replace(DeviceLogin.this, "session", session);
      session.begin();
    }

    @Override
    public void channelInactive(ChannelHandlerContext left) {
      brokerIsAway(device);
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext failing, Throwable cause) {
      failing.close();
    }
  }

  @Override
  public void userEventTriggered(ChannelHandlerContext triggered, Object event) {
    if (event instanceof BrokenRule) {
      context.close();
    }
  }

  @Override
  public void exceptionCaught(ChannelHandlerContext failing, Throwable cause) {
    context.close();
  }
}
