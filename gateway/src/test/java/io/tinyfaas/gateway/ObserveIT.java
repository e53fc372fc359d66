package io.tinyfaas.gateway;

import static io.tinyfaas.gateway.ObservedGateway.OBSERVABLE;
import static io.tinyfaas.gateway.ObservingDevice.get;
import static io.tinyfaas.gateway.ObservingDevice.observe;
import static org.assertj.core.api.Assertions.assertThat;

import io.tinyfaas.contract.route.Exposure;
import io.tinyfaas.contract.route.Exposure.Access;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.eclipse.californium.core.coap.CoAP.Code;
import org.eclipse.californium.core.coap.CoAP.ResponseCode;
import org.eclipse.californium.core.coap.CoAP.Type;
import org.eclipse.californium.core.coap.Request;
import org.eclipse.californium.core.coap.Response;
import org.eclipse.californium.core.coap.Token;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Devices that observe functions of the packaged gateway, message by message (RFC 7641). */
class ObserveIT {

  private static final Exposure PLAIN = Exposure.DEFAULT;
  private static final int MAX_OBSERVERS = 6;
  private static final int QUIET_MILLIS = 300;

  @TempDir static Path folder;
  private static ObservedGateway gateway;

  private ObservingDevice lamp;
  private ObservingDevice button;
  private int token;

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
    gateway.apply(
        gateway.route("f", OBSERVABLE),
        gateway.route("g", OBSERVABLE),
        gateway.route("plain", PLAIN));
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

  /** Presses the button, whose answer has to be there before the lamp's notification is awaited. */
  private void press(String state, String... query) throws IOException {
    invoke("f", state, query);
  }

  private void invoke(String function, String state, String... query) throws IOException {
    Request request = new Request(Code.POST, Type.CON);
    request.setToken(new Token(new byte[] {(byte) ++token, 1}));
    request.getOptions().setUriPath(function);
    List.of(query).forEach(request.getOptions()::addUriQuery);
    request.setPayload(state);
    assertThat(button.ask(request).getToken()).isEqualTo(request.getToken());
  }

  private Response confirmed() throws IOException {
    Response notification = lamp.next();
    assertThat(notification.getType()).isEqualTo(Type.CON);
    lamp.acknowledge(notification);
    return notification;
  }

  private void assertSilence() throws IOException {
    assertThat(lamp.next(QUIET_MILLIS)).isEmpty();
  }

  @Test
  void shouldTellAnObserverOfEachNewResult() throws IOException {
    Response first = lamp.ask(observe(Type.CON, 7, "f"));
    assertThat(first.getCode()).isEqualTo(ResponseCode.CONTENT);
    assertThat(first.getPayloadString()).isEqualTo("off");
    int number = first.getOptions().getObserve();
    gateway.awaitObservers(1);

    for (String state : List.of("on", "dim", "off")) {
      press(state);
      Response notification = confirmed();
      assertThat(notification.getCode()).isEqualTo(ResponseCode.CONTENT);
      assertThat(notification.getToken()).isEqualTo(first.getToken());
      assertThat(notification.getPayloadString()).isEqualTo(state);
      assertThat(notification.getOptions().getMaxAge()).isEqualTo(60);
      assertThat(notification.getOptions().getObserve() - number & 0xff_ffff)
          .isPositive()
          .isLessThan(1 << 23);
      number = notification.getOptions().getObserve();
    }
    assertSilence();
  }

  @Test
  void shouldSayNothingOfAResultThatIsNotNewOrIsNone() throws IOException {
    lamp.ask(observe(Type.CON, 7, "f"));
    press("off");
    press("broken", "status=500");
    press("gone", "status=404");
    press("ignored", "status=204");
    assertSilence();
    press("off", "etag=other");
    assertThat(confirmed().getPayloadString()).isEqualTo("off");
    press("on", "status=201", "age=5");
    Response created = confirmed();
    assertThat(created.getCode()).isEqualTo(ResponseCode.CONTENT);
    assertThat(created.getOptions().getMaxAge()).isEqualTo(5);
  }

  @Test
  void shouldTellWhatCameByAnotherProtocol() throws Exception {
    lamp.ask(observe(Type.CON, 7, "f"));
    URI uri = URI.create("http://127.0.0.1:" + gateway.process().httpPort() + "/f");
    try (HttpClient client = HttpClient.newHttpClient()) {
      client.send(
          HttpRequest.newBuilder(uri).POST(BodyPublishers.ofString("on")).build(),
          BodyHandlers.discarding());
    }
    assertThat(confirmed().getPayloadString()).isEqualTo("on");
  }

  @Test
  void shouldRunTheFunctionForTheFirstObserverOnly() throws IOException {
    int runs = gateway.runs();
    lamp.ask(observe(Type.CON, 7, "f"));
    assertThat(gateway.runs()).isEqualTo(runs + 1);
    press("on");
    confirmed();
    Response second = button.ask(observe(Type.CON, 8, "f"));
    assertThat(second.getPayloadString()).isEqualTo("on");
    assertThat(second.getOptions().hasObserve()).isTrue();
    assertThat(gateway.runs()).isEqualTo(runs + 2);
    gateway.awaitObservers(2);

    Response plain = button.ask(get(Type.CON, 9, "f"));
    assertThat(plain.getPayloadString()).isEqualTo("off");
    assertThat(plain.getOptions().hasObserve()).isFalse();
    assertThat(gateway.runs()).isEqualTo(runs + 3);
    assertThat(confirmed().getPayloadString()).isEqualTo("off");
  }

  @Test
  void shouldAnswerPlainlyWhatCannotBeObserved() throws IOException {
    for (String path : List.of("plain", "f/below")) {
      assertThat(lamp.ask(observe(Type.CON, 7, path)).getOptions().hasObserve()).isFalse();
    }
    Request withQuery = observe(Type.CON, 7, "f");
    withQuery.getOptions().addUriQuery("a=b");
    assertThat(lamp.ask(withQuery).getOptions().hasObserve()).isFalse();
    Request failing = observe(Type.CON, 7, "none");
    assertThat(lamp.ask(failing).getCode()).isEqualTo(ResponseCode.NOT_FOUND);
    press("on");
    assertSilence();
  }

  @Test
  void shouldEndByObserveOneAndByReset() throws IOException {
    lamp.ask(observe(Type.CON, 7, "f"));
    int runs = gateway.runs();
    Request cancel = get(Type.CON, 7, "f");
    cancel.getOptions().setObserve(1);
    Response last = lamp.ask(cancel);
    assertThat(last.getOptions().hasObserve()).isFalse();
    assertThat(last.getPayloadString()).isEqualTo("off");
    assertThat(gateway.runs()).isEqualTo(runs);
    gateway.awaitObservers(0);

    lamp.ask(observe(Type.CON, 8, "f"));
    press("on");
    lamp.reset(lamp.next());
    gateway.awaitObservers(0);

    lamp.ask(observe(Type.NON, 9, "f"));
    press("off");
    Response unconfirmed = lamp.next();
    assertThat(unconfirmed.getType()).isEqualTo(Type.NON);
    lamp.reset(unconfirmed);
    gateway.awaitObservers(0);
    press("on");
    assertSilence();
  }

  @Test
  void shouldHaveOneNotificationInTransitAndSendTheNewestStateInstead() throws IOException {
    lamp.ask(observe(Type.CON, 7, "f"));
    lamp.ask(observe(Type.CON, 8, "g"));
    press("one");
    Response first = lamp.next();
    assertThat(first.getPayloadString()).isEqualTo("one");
    press("two");
    invoke("g", "other");
    press("three");
    assertSilence();

    // After ACK_TIMEOUT, 2 to 3 s, it is transmitted again: with what is true by then.
    Response again = lamp.next(3_500).orElseThrow();
    assertThat(again.getPayloadString()).isEqualTo("three");
    assertThat(again.getMID()).isNotEqualTo(first.getMID());
    assertThat(again.getToken()).isEqualTo(first.getToken());
    lamp.acknowledge(again);
    assertThat(confirmed().getPayloadString()).isEqualTo("other");
    assertSilence();
  }

  @Test
  void shouldConflateNotificationsThatAreNotConfirmable() throws IOException {
    Response first = lamp.ask(observe(Type.NON, 7, "f"));
    assertThat(first.getType()).isEqualTo(Type.NON);
    press("one");
    assertThat(lamp.next().getPayloadString()).isEqualTo("one");
    press("two");
    press("three");
    assertSilence();
    Response third = lamp.next(4_000).orElseThrow();
    assertThat(third.getType()).isEqualTo(Type.NON);
    assertThat(third.getPayloadString()).isEqualTo("three");
    assertSilence();
  }

  @Test
  void shouldTakeARegistrationWithTheSameTokenForTheSame() throws IOException {
    lamp.ask(observe(Type.CON, 7, "f"));
    lamp.ask(observe(Type.CON, 7, "f"));
    press("on");
    confirmed();
    assertSilence();
    lamp.ask(observe(Type.CON, 7, "g"));
    gateway.awaitObservers(1);
    press("off");
    assertSilence();
    invoke("g", "on");
    confirmed();
  }

  @Test
  void shouldGiveAnObserverUpWhenTheFunctionCannotBeObservedAnyMore() throws IOException {
    lamp.ask(observe(Type.CON, 7, "f"));
    gateway.apply(gateway.route("f", PLAIN));
    assertFarewell(ResponseCode.NOT_FOUND);

    gateway.apply(gateway.route("f", OBSERVABLE));
    lamp.ask(observe(Type.NON, 7, "f"));
    gateway.apply();
    assertFarewell(ResponseCode.NOT_FOUND);

    gateway.apply(gateway.route("f", OBSERVABLE));
    lamp.ask(observe(Type.CON, 7, "f"));
    gateway.apply(gateway.route("f", new Exposure(Access.DEVICE, true, Map.of())));
    assertFarewell(ResponseCode.UNAUTHORIZED);
    Response refused = lamp.ask(observe(Type.CON, 7, "f"));
    assertThat(refused.getCode()).isEqualTo(ResponseCode.UNAUTHORIZED);
  }

  private void assertFarewell(ResponseCode code) throws IOException {
    Response farewell = confirmed();
    assertThat(farewell.getCode()).isEqualTo(code);
    assertThat(farewell.getOptions().hasObserve()).isFalse();
    gateway.awaitObservers(0);
  }

  @Test
  void shouldKeepToOneContentFormatAndHeedAccept() throws IOException {
    press("{}", "type=application/json");
    Request wanted = observe(Type.CON, 7, "f");
    wanted.getOptions().setAccept(60);
    assertThat(lamp.ask(wanted).getCode()).isEqualTo(ResponseCode.NOT_ACCEPTABLE);
    wanted = observe(Type.CON, 7, "f");
    wanted.getOptions().setAccept(50);
    assertThat(lamp.ask(wanted).getOptions().getContentFormat()).isEqualTo(50);
    press("text", "type=text/plain");
    assertFarewell(ResponseCode.NOT_ACCEPTABLE);
  }

  @Test
  void shouldSayValidToADeviceThatHasTheState() throws IOException {
    press("on", "etag=a1");
    Request registration = observe(Type.CON, 7, "f");
    registration.getOptions().addETag("a1".getBytes());
    assertThat(lamp.ask(registration).getCode()).isEqualTo(ResponseCode.VALID);
    press("off", "etag=b2");
    assertThat(confirmed().getCode()).isEqualTo(ResponseCode.CONTENT);
    press("on", "etag=a1");
    Response valid = confirmed();
    assertThat(valid.getCode()).isEqualTo(ResponseCode.VALID);
    assertThat(valid.getOptions().hasObserve()).isTrue();
    assertThat(valid.getPayloadSize()).isZero();
  }

  @Test
  void shouldTellOfALargeStateByItsFirstBlock() throws IOException {
    lamp.ask(observe(Type.CON, 7, "f"));
    String large = "0123456789abcdef".repeat(64);
    press(large);
    assertThat(confirmed().getPayloadString()).isEqualTo(large);

    press(large, "etag=c3");
    confirmed();
    Request small = observe(Type.CON, 8, "f");
    small.getOptions().setBlock2(2, false, 0);
    Response first = lamp.ask(small);
    assertThat(first.getPayloadSize()).isEqualTo(64);
    assertThat(first.getOptions().getSize2()).isEqualTo(large.length());
    assertThat(first.getOptions().getETags()).containsExactly("c3".getBytes());

    int runs = gateway.runs();
    StringBuilder body = new StringBuilder(first.getPayloadString());
    Response block = first;
    for (int number = 1; block.getOptions().getBlock2().isM(); number++) {
      block = lamp.ask(further(number));
      assertThat(block.getOptions().getETags()).containsExactly("c3".getBytes());
      body.append(block.getPayloadString());
    }
    assertThat(body).hasToString(large);
    assertThat(gateway.runs()).isEqualTo(runs);

    press("x".repeat(65), "etag=d4");
    confirmed();
    Response notification = confirmed();
    assertThat(notification.getPayloadSize()).isEqualTo(64);
    assertThat(notification.getOptions().getBlock2().isM()).isTrue();
    assertThat(lamp.ask(further(1)).getOptions().getETags()).containsExactly("d4".getBytes());
  }

  private static Request further(int number) {
    Request request = get(Type.CON, 20 + number, "f");
    request.getOptions().setBlock2(2, false, number);
    return request;
  }

  @Test
  void shouldTellAnObserverWhoseAddressHasToProveItselfFirst() throws IOException {
    lamp.close();
    lamp = gateway.device("127.0.9.1");
    lamp.ask(observe(Type.CON, 7, "f"));
    for (int i = 0; i < 3; i++) {
      String state = "a state that is longer than what the lamp has sent " + i;
      press(state);
      assertThat(confirmed().getPayloadString()).isEqualTo(state);
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
      press("on");
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
}
