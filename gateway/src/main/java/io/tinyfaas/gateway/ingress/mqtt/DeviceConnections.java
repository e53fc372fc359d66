package io.tinyfaas.gateway.ingress.mqtt;

import io.netty.channel.Channel;
import io.netty.channel.EventLoop;
import io.tinyfaas.contract.peer.PeerNetwork;
import io.tinyfaas.gateway.device.CurrentDevices;
import io.tinyfaas.gateway.device.DeviceIdentity;
import io.tinyfaas.gateway.loop.BugLog;
import io.tinyfaas.gateway.loop.InvocationLoop;
import io.tinyfaas.gateway.memory.HeapBudget;
import io.tinyfaas.gateway.memory.HeapSettings;
import io.tinyfaas.gateway.memory.Places;
import jakarta.inject.Singleton;
import java.net.InetAddress;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.jboss.logging.Logger;

/**
 * The connections of devices: of those that have not logged in an address has a share, of those
 * that have a device. On the event loop only, but for {@link #unfinished}.
 */
@Singleton
final class DeviceConnections {

  private static final Logger LOG = Logger.getLogger(DeviceConnections.class);
  private static final BugLog BUGS = new BugLog(LOG, "mqtt-sweep-failed");

  private static final long SWEEP_MILLIS = 1_000;

  /** A device that has logged in. */
  interface Open {

    DeviceIdentity identity();

    /** Ends what is late. */
    void check(long now);

    /** Ends the connection; a device with MQTT 5 is told why. */
    void end(BrokenRule rule);

    /** Ends the connection of a device that is not registered any more; its will is not heard. */
    void revoke();

    /** Nothing that it sends from now on is taken. */
    void takeNoMore();
  }

  private record Arriving(InetAddress address, long deadline) {}

  private final EventLoop loop;
  private final MqttSettings settings;
  private final CurrentDevices devices;
  private final MqttMetrics metrics;
  private final Places<InetAddress> arrivingPlaces = new Places<>(HeapBudget.MQTT_ARRIVING);
  private final Map<Channel, Arriving> arriving = new LinkedHashMap<>();
  private final Places<String> places;
  private final Set<Open> all = new HashSet<>();
  private final RareLog notAllowed = new RareLog(LOG, "mqtt-not-allowed");
  private final RareLog refusedLogins = new RareLog(LOG, "mqtt-login-refused");
  private final AtomicInteger unfinished = new AtomicInteger();
  private boolean sweeping;
  private boolean refusing;

  DeviceConnections(
      InvocationLoop loop,
      MqttSettings settings,
      HeapSettings heap,
      CurrentDevices devices,
      MqttMetrics metrics) {
    this.loop = loop.context().nettyEventLoop();
    this.settings = settings;
    this.devices = devices;
    this.metrics = metrics;
    this.places = new Places<>(heap.mqtt().maxConnections());
    devices.addListener(() -> this.loop.execute(this::closeRevoked));
  }

  /** To be called before there are any. */
  void start() {
    if (!sweeping) {
      sweeping = true;
      loop.scheduleAtFixedRate(
          () -> BUGS.guard(this::sweep), SWEEP_MILLIS, SWEEP_MILLIS, TimeUnit.MILLISECONDS);
    }
  }

  /**
   * A new one. Where there is no place for it, it takes that of the one that has been arriving for
   * longest: of this address if it has any, as it has its share then.
   *
   * @return false if there is no place for it
   */
  boolean arrived(Channel connection, InetAddress remote) {
    if (refusing) {
      return false;
    }
    InetAddress address = PeerNetwork.of(remote);
    if (!arrivingPlaces.take(address)) {
      Channel longest = arrivingLongest(address);
      if (longest == null) {
        return false;
      }
      loggedIn(longest);
      longest.unsafe().closeForcibly();
      arrivingPlaces.takeFreed(address);
    }
    long deadline = System.nanoTime() + settings.connectTimeout().toNanos();
    arriving.put(connection, new Arriving(address, deadline));
    connection.closeFuture().addListener(closed -> loggedIn(connection));
    return true;
  }

  private Channel arrivingLongest(InetAddress address) {
    boolean any = arrivingPlaces.has(address) == 0;
    return arriving.entrySet().stream()
        .filter(each -> any || each.getValue().address().equals(address))
        .map(Map.Entry::getKey)
        .findFirst()
        .orElse(null);
  }

  /** It has, or it has ended: its place is free. */
  void loggedIn(Channel connection) {
    Arriving place = arriving.remove(connection);
    if (place != null) {
      arrivingPlaces.give(place.address());
    }
  }

  boolean isRefusing() {
    return refusing;
  }

  /**
   * @return false if there is no place for the device; {@link #give} has to follow else
   */
  boolean take(DeviceIdentity device) {
    return places.take(device.name());
  }

  void give(DeviceIdentity device) {
    places.give(device.name());
  }

  /** A device has logged in. */
  void opened(Open connection) {
    all.add(connection);
    metrics.connections(all.size());
  }

  /** Its place is free. */
  void closed(Open connection) {
    if (all.remove(connection)) {
      give(connection.identity());
      metrics.connections(all.size());
    }
  }

  /** Also of one that has logged in while a table came. */
  private void closeRevoked() {
    List.copyOf(all).stream()
        .filter(each -> !devices.isCurrent(each.identity()))
        .forEach(each -> BUGS.guard(each::revoke));
  }

  private void sweep() {
    long now = System.nanoTime();
    List.copyOf(arriving.entrySet()).stream()
        .filter(each -> each.getValue().deadline() - now <= 0)
        .forEach(late -> late.getKey().unsafe().closeForcibly());
    List.copyOf(all).forEach(each -> BUGS.guard(() -> each.check(now)));
  }

  void notAllowed(DeviceIdentity device, String what, String topic) {
    notAllowed.say(
        "device=%s what=%s topic=%s".formatted(device.name(), what, RareLog.quoted(topic)));
  }

  void refusedLogin(String name, InetAddress peer, String why) {
    metrics.refusedLogin();
    refusedLogins.say(
        "device=%s peer=%s reason=%s"
            .formatted(RareLog.quoted(name), peer.getHostAddress(), RareLog.quoted(why)));
  }

  /** From now on nobody gets in. */
  void refuseNew() {
    loop.execute(
        () -> {
          refusing = true;
          List.copyOf(arriving.keySet()).forEach(each -> each.unsafe().closeForcibly());
          List.copyOf(all).forEach(each -> BUGS.guard(each::takeNoMore));
        });
  }

  /** One more message is not acknowledged, or one less. */
  void received(int more) {
    unfinished.addAndGet(more);
  }

  /** Messages of all that are not acknowledged. On any thread. */
  int unfinished() {
    return unfinished.get();
  }

  /** All connections end. */
  void stop() {
    loop.execute(
        () ->
            List.copyOf(all)
                .forEach(
                    each ->
                        each.end(
                            new BrokenRule(ReasonCode.SERVER_SHUTTING_DOWN, "the gateway stops"))));
  }
}
