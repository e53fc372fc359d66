package io.tinyfaas.gateway;

import static io.tinyfaas.gateway.ObservedGateway.OBSERVABLE;
import static io.tinyfaas.gateway.ObservingDevice.get;
import static io.tinyfaas.gateway.ObservingDevice.observe;
import static org.assertj.core.api.Assertions.assertThat;

import io.tinyfaas.contract.route.Exposure;
import io.tinyfaas.contract.route.Exposure.Access;
import io.tinyfaas.contract.route.Exposure.Observable;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.eclipse.californium.core.coap.CoAP.ResponseCode;
import org.eclipse.californium.core.coap.CoAP.Type;
import org.eclipse.californium.core.coap.Request;
import org.eclipse.californium.core.coap.Response;
import org.eclipse.californium.core.coap.option.StandardOptionRegistry;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Devices that observe functions of the packaged gateway, message by message (RFC 7641). */
class ObserveIT {

  private static final Exposure PLAIN = Exposure.DEFAULT;

  @TempDir static Path folder;
  private static ObservedGateway gateway;

  private ObservingDevice lamp;
  private ObservingDevice button;

  @BeforeAll
  static void start() {
    gateway = new ObservedGateway(folder, 1_000);
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

  @Test
  void shouldTellAnObserverOfEachNewResult() throws IOException {
    Response first = lamp.ask(observe(Type.CON, 7, "f"));
    assertThat(first.getCode()).isEqualTo(ResponseCode.CONTENT);
    assertThat(first.getPayloadString()).isEqualTo("off");
    int number = first.getOptions().getObserve();
    gateway.awaitObservers(1);

    for (String state : List.of("on", "dim", "off")) {
      button.press(state);
      Response notification = lamp.confirmed();
      assertThat(notification.getCode()).isEqualTo(ResponseCode.CONTENT);
      assertThat(notification.getToken()).isEqualTo(first.getToken());
      assertThat(notification.getPayloadString()).isEqualTo(state);
      assertThat(notification.getOptions().getMaxAge()).isEqualTo(60);
      assertThat(notification.getOptions().getObserve() - number & 0xff_ffff)
          .isPositive()
          .isLessThan(1 << 23);
      number = notification.getOptions().getObserve();
    }
    lamp.assertSilence();
  }

  @Test
  void shouldObserveForADeviceThatSendsARequestTag() throws IOException {
    Request registration = observe(Type.CON, 7, "f");
    registration.getOptions().addOption(StandardOptionRegistry.REQUEST_TAG.create(new byte[] {1}));
    assertThat(lamp.ask(registration).getOptions().hasObserve()).isTrue();
    button.press("on");
    assertThat(lamp.confirmed().getPayloadString()).isEqualTo("on");
  }

  @Test
  void shouldSayNothingOfAResultThatIsNotNewOrIsNone() throws IOException {
    lamp.ask(observe(Type.CON, 7, "f"));
    button.press("off");
    button.press("broken", "status=500");
    button.press("gone", "status=404");
    button.press("ignored", "status=204");
    lamp.assertSilence();
    button.press("off", "etag=other");
    assertThat(lamp.confirmed().getPayloadString()).isEqualTo("off");
    button.press("on", "status=201", "age=5");
    Response created = lamp.confirmed();
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
    assertThat(lamp.confirmed().getPayloadString()).isEqualTo("on");
  }

  @Test
  void shouldRunTheFunctionForTheFirstObserverOnly() throws IOException {
    int runs = gateway.runs();
    lamp.ask(observe(Type.CON, 7, "f"));
    assertThat(gateway.runs()).isEqualTo(runs + 1);
    button.press("on");
    lamp.confirmed();
    Response second = button.ask(observe(Type.CON, 8, "f"));
    assertThat(second.getPayloadString()).isEqualTo("on");
    assertThat(second.getOptions().hasObserve()).isTrue();
    assertThat(gateway.runs()).isEqualTo(runs + 2);
    gateway.awaitObservers(2);

    Response plain = button.ask(get(Type.CON, 9, "f"));
    assertThat(plain.getPayloadString()).isEqualTo("off");
    assertThat(plain.getOptions().hasObserve()).isFalse();
    assertThat(gateway.runs()).isEqualTo(runs + 3);
    assertThat(lamp.confirmed().getPayloadString()).isEqualTo("off");
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
    button.press("on");
    lamp.assertSilence();
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
    button.press("on");
    lamp.reset(lamp.next());
    gateway.awaitObservers(0);

    lamp.ask(observe(Type.NON, 9, "f"));
    button.press("off");
    Response unconfirmed = lamp.next();
    assertThat(unconfirmed.getType()).isEqualTo(Type.NON);
    lamp.reset(unconfirmed);
    gateway.awaitObservers(0);
    button.press("on");
    lamp.assertSilence();
  }

  @Test
  void shouldTakeARegistrationWithTheSameTokenForTheSame() throws IOException {
    lamp.ask(observe(Type.CON, 7, "f"));
    lamp.ask(observe(Type.CON, 7, "f"));
    button.press("on");
    lamp.confirmed();
    lamp.assertSilence();
    lamp.ask(observe(Type.CON, 7, "g"));
    gateway.awaitObservers(1);
    button.press("off");
    lamp.assertSilence();
    button.invoke("g", "on");
    lamp.confirmed();
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
    gateway.apply(gateway.route("f", new Exposure(Access.DEVICE, Observable.FUNCTION, Map.of())));
    assertFarewell(ResponseCode.UNAUTHORIZED);
    Response refused = lamp.ask(observe(Type.CON, 7, "f"));
    assertThat(refused.getCode()).isEqualTo(ResponseCode.UNAUTHORIZED);
  }

  private void assertFarewell(ResponseCode code) throws IOException {
    Response farewell = lamp.confirmed();
    assertThat(farewell.getCode()).isEqualTo(code);
    assertThat(farewell.getOptions().hasObserve()).isFalse();
    gateway.awaitObservers(0);
  }

  @Test
  void shouldKeepToOneContentFormatAndHeedAccept() throws IOException {
    button.press("{}", "type=application/json");
    Request wanted = observe(Type.CON, 7, "f");
    wanted.getOptions().setAccept(60);
    assertThat(lamp.ask(wanted).getCode()).isEqualTo(ResponseCode.NOT_ACCEPTABLE);
    wanted = observe(Type.CON, 7, "f");
    wanted.getOptions().setAccept(50);
    assertThat(lamp.ask(wanted).getOptions().getContentFormat()).isEqualTo(50);
    button.press("text", "type=text/plain");
    assertFarewell(ResponseCode.NOT_ACCEPTABLE);
  }

  @Test
  void shouldSayValidToADeviceThatHasTheState() throws IOException {
    button.press("on", "etag=a1");
    Request registration = observe(Type.CON, 7, "f");
    registration.getOptions().addETag("a1".getBytes());
    assertThat(lamp.ask(registration).getCode()).isEqualTo(ResponseCode.VALID);
    button.press("off", "etag=b2");
    assertThat(lamp.confirmed().getCode()).isEqualTo(ResponseCode.CONTENT);
    button.press("on", "etag=a1");
    Response valid = lamp.confirmed();
    assertThat(valid.getCode()).isEqualTo(ResponseCode.VALID);
    assertThat(valid.getOptions().hasObserve()).isTrue();
    assertThat(valid.getPayloadSize()).isZero();
  }

  @Test
  void shouldTellOfALargeStateByItsFirstBlock() throws IOException {
    lamp.ask(observe(Type.CON, 7, "f"));
    String large = "0123456789abcdef".repeat(64);
    button.press(large);
    assertThat(lamp.confirmed().getPayloadString()).isEqualTo(large);

    button.press(large, "etag=c3");
    lamp.confirmed();
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

    button.press("x".repeat(65), "etag=d4");
    lamp.confirmed();
    Response notification = lamp.confirmed();
    assertThat(notification.getPayloadSize()).isEqualTo(64);
    assertThat(notification.getOptions().getBlock2().isM()).isTrue();
    assertThat(lamp.ask(further(1)).getOptions().getETags()).containsExactly("d4".getBytes());
  }

  private static Request further(int number) {
    Request request = get(Type.CON, 20 + number, "f");
    request.getOptions().setBlock2(2, false, number);
    return request;
  }
}
