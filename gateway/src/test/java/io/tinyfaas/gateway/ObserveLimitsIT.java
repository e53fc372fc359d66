package io.tinyfaas.gateway;

import static io.tinyfaas.gateway.ObservedGateway.OBSERVABLE;
import static io.tinyfaas.gateway.ObservingDevice.observe;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.Stream;
import org.eclipse.californium.core.coap.CoAP.ResponseCode;
import org.eclipse.californium.core.coap.CoAP.Type;
import org.eclipse.californium.core.coap.Request;
import org.eclipse.californium.core.coap.Response;
import org.eclipse.californium.core.network.serialization.UdpDataSerializer;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** How much the packaged gateway tells devices at once, and how many of them. */
@Tag("slow")
class ObserveLimitsIT {

  private static final int MAX_OBSERVERS = 6;

  /** After 2 to 3 s what is not acknowledged is transmitted again (RFC 7252, 4.8). */
  private static final Duration ACK_TIMEOUT = Duration.ofSeconds(2);

  /** What need not be acknowledged comes every 3 s at most. */
  private static final Duration UNCONFIRMED_EVERY = Duration.ofSeconds(3);

  @TempDir static Path folder;
  private static ObservedGateway gateway;

  private ObservingDevice lamp;
  private ObservingDevice button;

  @BeforeAll
  static void start() {
    gateway = new ObservedGateway(folder, MAX_OBSERVERS);
  }

  @AfterAll
  static void stop() {
    gateway.close();
  }

  @BeforeEach
  void begin() throws IOException {
    gateway.apply(gateway.route("f", OBSERVABLE), gateway.route("g", OBSERVABLE));
    lamp = gateway.device();
    button = gateway.device();
  }

  /** Without the functions the observers go. */
  @AfterEach
  void end() {
    lamp.close();
    button.close();
    gateway.apply();
    gateway.awaitObservers(0);
  }

  /**
   * @param meanwhile what else came
   * @param taken by all of it
   */
  private record Pressed(Response first, Optional<Response> meanwhile, Duration taken) {}

  private interface Pressing {
    /** Returns the first notification. */
    Response run() throws IOException;
  }

  /**
   * Registers the lamp and presses the button, all in less than that time: once more from the
   * beginning, if this machine was too slow.
   */
  private Pressed pressed(Duration time, Type type, List<String> functions, Pressing pressing) {
    AtomicBoolean again = new AtomicBoolean();
    return InTime.before(
        time,
        () -> {
          if (again.getAndSet(true)) {
            end();
            begin();
          }
          for (String function : functions) {
            Response registered = lamp.ask(observe(type, function.charAt(0), function));
            assertThat(registered.getOptions().hasObserve()).isTrue();
            assertThat(registered.getType() == Type.NON).isEqualTo(type == Type.NON);
          }
          long begin = System.nanoTime();
          Response first = pressing.run();
          Optional<Response> meanwhile = lamp.next(ObservingDevice.QUIET_MILLIS);
          return new Pressed(first, meanwhile, Duration.ofNanos(System.nanoTime() - begin));
        },
        pressed -> pressed.taken().compareTo(time) < 0);
  }

  @Test
  void shouldHaveOneNotificationInTransitAndSendTheNewestStateInstead() throws IOException {
    Pressed pressed =
        pressed(
            ACK_TIMEOUT,
            Type.CON,
            List.of("f", "g"),
            () -> {
              button.press("one");
              Response first = lamp.next();
              button.press("two");
              button.invoke("g", "other");
              button.press("three");
              return first;
            });
    Response first = pressed.first();
    assertThat(first.getPayloadString()).isEqualTo("one");
    assertThat(pressed.meanwhile()).isEmpty();

    // After ACK_TIMEOUT it is transmitted again: with what is true by then.
    Response again = lamp.next();
    assertThat(again.getPayloadString()).isEqualTo("three");
    assertThat(again.getMID()).isNotEqualTo(first.getMID());
    assertThat(again.getToken()).isEqualTo(first.getToken());
    lamp.acknowledge(again);
    assertThat(lamp.confirmed().getPayloadString()).isEqualTo("other");
    lamp.assertSilence();
  }

  @Test
  void shouldConflateNotificationsThatAreNotConfirmable() throws IOException {
    Pressed pressed =
        pressed(
            UNCONFIRMED_EVERY,
            Type.NON,
            List.of("f"),
            () -> {
              button.press("one");
              Response first = lamp.next();
              button.press("two");
              button.press("three");
              return first;
            });
    assertThat(pressed.first().getType()).isEqualTo(Type.NON);
    assertThat(pressed.first().getPayloadString()).isEqualTo("one");
    assertThat(pressed.meanwhile()).isEmpty();

    Response third = lamp.next();
    assertThat(third.getType()).isEqualTo(Type.NON);
    assertThat(third.getPayloadString()).isEqualTo("three");
    lamp.assertSilence();
  }

  @Test
  void shouldTellAnObserverWhoseAddressHasToProveItselfFirst() throws IOException {
    lamp.close();
    lamp = gateway.device("127.0.9.1");
    lamp.ask(observe(Type.CON, 7, "f"));
    for (int i = 0; i < 3; i++) {
      String state = "a state that is longer than what the lamp has sent " + i;
      button.press(state);
      assertThat(lamp.confirmed().getPayloadString()).isEqualTo(state);
    }
  }

  @Test
  void shouldAnswerPlainlyWhenThereAreTooManyObservers() throws IOException {
    List<ObservingDevice> devices = new ArrayList<>();
    try {
      for (String function : List.of("f", "g")) {
        for (int i = 0; i <= MAX_OBSERVERS / 2; i++) {
          ObservingDevice device = gateway.device();
          devices.add(device);
          Response response = device.ask(observe(Type.CON, 7, function));
          assertThat(response.getCode()).isEqualTo(ResponseCode.CONTENT);
          assertThat(response.getOptions().hasObserve()).isEqualTo(i < MAX_OBSERVERS / 2);
        }
      }
      gateway.awaitObservers(MAX_OBSERVERS);
      // One that observes already may register again.
      assertThat(devices.getFirst().ask(observe(Type.CON, 7, "f")).getOptions().hasObserve())
          .isTrue();
      button.press("on");
      try (Stream<ObservingDevice> observers = devices.stream().limit(MAX_OBSERVERS / 2)) {
        for (ObservingDevice device : observers.toList()) {
          Response notification = device.next();
          assertThat(notification.getPayloadString()).isEqualTo("on");
          device.acknowledge(notification);
        }
      }
    } finally {
      devices.forEach(ObservingDevice::close);
    }
  }

  @Test
  void shouldLeaveAFunctionsPlacesToOtherAddresses(@TempDir Path another) throws IOException {
    int ofOneAddress = 32;
    try (ObservedGateway large = new ObservedGateway(another, 100)) {
      large.apply(large.route("f", OBSERVABLE));
      try (ObservingDevice first = large.device();
          ObservingDevice second = large.device();
          ObservingDevice other = large.device("127.0.9.3")) {
        for (int token = 0; token < ofOneAddress; token++) {
          ObservingDevice either = token % 2 == 0 ? first : second;
          assertThat(either.ask(observe(Type.CON, token, "f")).getOptions().hasObserve()).isTrue();
        }
        for (ObservingDevice either : List.of(first, second)) {
          Response plain = either.ask(observe(Type.CON, ofOneAddress, "f"));
          assertThat(plain.getCode()).isEqualTo(ResponseCode.CONTENT);
          assertThat(plain.getOptions().hasObserve()).isFalse();
        }
        assertThat(other.ask(observe(Type.CON, 1, "f")).getOptions().hasObserve()).isTrue();
      }
    }
  }

  @Test
  void shouldSendAnAddressThatProvesNothingThreeTimesWhatCameFromItAtMost() throws IOException {
    Request registration = observe(Type.CON, 7, "f");
    registration.setMID(1);
    byte[] sent = new UdpDataSerializer().getByteArray(registration);
    int received = 0;
    try (CoapPeer victim = new CoapPeer("127.0.9.2", gateway.process().coapPort())) {
      victim.send(sent);
      for (int i = 0; i < 5; i++) {
        button.press("x".repeat(100) + i);
      }
      received += victim.await().length;
      Optional<byte[]> message = victim.receive(1_000);
      while (message.isPresent()) {
        received += message.get().length;
        message = victim.receive(1_000);
      }
    }
    assertThat(received).isPositive().isLessThanOrEqualTo(3 * sent.length);
  }
}
