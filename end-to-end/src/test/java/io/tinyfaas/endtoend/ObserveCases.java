package io.tinyfaas.endtoend;

import static io.tinyfaas.harness.Eventually.eventually;
import static org.assertj.core.api.Assertions.assertThat;
import static org.eclipse.californium.core.coap.CoAP.ResponseCode.CHANGED;
import static org.eclipse.californium.core.coap.CoAP.ResponseCode.CONTENT;
import static org.eclipse.californium.core.coap.CoAP.ResponseCode.NOT_ACCEPTABLE;
import static org.eclipse.californium.core.coap.CoAP.ResponseCode.NOT_FOUND;

import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicBoolean;
import org.eclipse.californium.core.coap.CoAP.ResponseCode;
import org.eclipse.californium.core.coap.CoAP.Type;
import org.eclipse.californium.core.coap.Message;
import org.eclipse.californium.core.coap.Request;
import org.eclipse.californium.core.coap.Response;
import org.junit.jupiter.api.function.Executable;

/** TD_COAP_OBS of the ETSI CoAP test descriptions (CoAP#4). */
final class ObserveCases {

  private static final int BLOCK = 1_024;
  private static final String LONG = "0123456789abcdef".repeat(125);

  private final PlugtestServer server;
  private int states;

  ObserveCases(PlugtestServer server) {
    this.server = server;
  }

  List<ConformanceCase> all() {
    server.offer("obs", Map.of("observable", true));
    server.offer("obs-non", Map.of("observable", true));
    server.offer("obs7", Map.of("observable", true));
    return List.of(
        of(1, "notifications, CON", this::confirmable),
        of(2, "notifications, NON", this::nonConfirmable),
        of(5, "the client is off: a notification is sent again, with the newest state", this::off),
        of(6, "the client ends it by RST", "datagrams", this::reset),
        of(7, "the resource is deleted", this::deleted),
        of(8, "the resource's Content-Format changes", this::format),
        of(9, "another client updates the resource", this::updated),
        of(10, "a GET without Observe does not end it", "datagrams", this::plainGet),
        of(11, "notifications while datagrams are lost", this::lossy),
        of(12, "the client ends it by Observe 1", this::cancelled),
        of(13, "notifications of a large resource", () -> large(LONG)),
        of(14, "notifications of a large resource whose size changes", this::largeOfManySizes));
  }

  private static ConformanceCase of(int number, String objective, Executable check) {
    return of(number, objective, "libcoap", check);
  }

  private static ConformanceCase of(int number, String objective, String client, Executable check) {
    return new ConformanceCase("TD_COAP_OBS_%02d".formatted(number), objective, client, check);
  }

  private void confirmable() {
    try (LibcoapObserver observer = observe("obs", "-s", Libcoap.OBSERVED)) {
      Response first = registered(observer);
      for (int i = 0; i < 2; i++) {
        update("obs");
        observer.awaitResponses(2 + i);
        notification(observer.exchange(), first, Type.CON);
      }
      Exchange exchange = observer.exchange();
      assertThat(increase(exchange)).isTrue();
      observer.awaitAcknowledged();
    }
  }

  private void nonConfirmable() {
    try (LibcoapObserver observer = observe("obs-non", "-N", "-s", Libcoap.OBSERVED)) {
      Response first = registered(observer);
      update("obs-non");
      observer.awaitResponses(2);
      notification(observer.exchange(), first, Type.NON);
      assertThat(increase(observer.exchange())).isTrue();
    }
  }

  private void off() {
    try (LibcoapObserver observer = observe("obs", "-s", Libcoap.OBSERVED)) {
      Response first = registered(observer);
      observer.switchOff();
      update("obs");
      observer.awaitResponses(2);
      String newest = update("obs");
      eventually()
          .until(() -> observer.exchange().responses().getLast().getPayloadString().equals(newest));
      notification(observer.exchange(), first, Type.CON);
      assertThat(increase(observer.exchange())).isTrue();
    }
  }

  private void reset() {
    try (DatagramClient client = new DatagramClient(server.system().coapPort());
        LibcoapObserver other = observe("obs", "-s", Libcoap.OBSERVED)) {
      registered(other);
      client.send("41 01 10 01 aa 60 53 6f6273"); // GET /obs, Observe: 0
      assertThat(client.receiveResponse().getOptions().hasObserve()).isTrue();
      update("obs");
      Response notification = client.receiveResponse();
      assertThat(notification.getOptions().hasObserve()).isTrue();
      client.send("7000%04x".formatted(notification.getMID()));

      other.awaitShown(update("obs"));

      client.send("41 01 10 02 ab b3 6f6273"); // GET /obs, another token
      assertThat(client.receiveResponse().getTokenString()).isEqualToIgnoringCase("ab");
    }
  }

  private void deleted() {
    try (LibcoapObserver observer = observe("obs7", "-s", Libcoap.OBSERVED)) {
      registered(observer);
      server.withdraw("obs7");
      observer.awaitResponses(2);
      ended(observer, NOT_FOUND);
    }
  }

  private void format() {
    try (LibcoapObserver observer = observe("obs", "-s", Libcoap.OBSERVED)) {
      registered(observer);
      server.ask("obs", "-m", "put", "-t", "application/json", "-e", "{}");
      observer.awaitResponses(2);
      ended(observer, NOT_ACCEPTABLE);
      update("obs");
    }
  }

  private void updated() {
    try (LibcoapObserver observer = observe("obs", "-s", Libcoap.OBSERVED)) {
      registered(observer);
      observer.awaitShown(update("obs"));
    }
  }

  private void plainGet() {
    try (DatagramClient client = new DatagramClient(server.system().coapPort())) {
      client.send("41 01 20 01 bb 60 53 6f6273"); // GET /obs, Observe: 0
      assertThat(client.receiveResponse().getOptions().hasObserve()).isTrue();
      client.send("41 01 20 02 cc b3 6f6273"); // GET /obs, another token
      Response plain = client.receiveResponse();
      assertThat(plain.getCode()).isEqualTo(CONTENT);
      assertThat(plain.getOptions().hasObserve()).isFalse();
      String state = update("obs");
      Response notification = client.receiveResponse();
      assertThat(notification.getTokenString()).isEqualToIgnoringCase("bb");
      assertThat(notification.getPayloadString()).isEqualTo(state);
      client.send("7000%04x".formatted(notification.getMID()));
    }
  }

  private void lossy() {
    AtomicBoolean losesNext = new AtomicBoolean();
    Wire.Loss loss = (fromClient, number) -> !fromClient && losesNext.compareAndSet(true, false);
    try (LibcoapObserver observer =
        new LibcoapObserver(server.system(), loss, "obs", "-s", Libcoap.OBSERVED)) {
      Response first = registered(observer);
      losesNext.set(true);
      String state = update("obs");
      observer.awaitShown(state);
      assertThat(observer.exchange().lostAndSentAgain()).hasSizeGreaterThan(1);
      notification(observer.exchange(), first, Type.CON);
    }
  }

  private void cancelled() {
    try (LibcoapObserver observer = observe("obs", "-s", "1");
        LibcoapObserver other = observe("obs", "-s", Libcoap.OBSERVED)) {
      registered(other);
      registered(observer);
      Exchange exchange = observer.end();
      Message cancellation =
          exchange.sent().stream()
              .filter(Request.class::isInstance)
              .reduce((former, latter) -> latter)
              .orElseThrow();
      assertThat(cancellation.getOptions().getObserve()).isEqualTo(1);
      Response last = exchange.responses().getLast();
      assertThat(last.getCode()).isEqualTo(CONTENT);
      assertThat(last.getOptions().hasObserve()).isFalse();

      other.awaitShown(update("obs"));

      assertThat(observer.exchange().responses()).hasSameSizeAs(exchange.responses());
    }
  }

  private void largeOfManySizes() {
    large(LONG, LONG + LONG, LONG.substring(900));
  }

  private void large(String... states) {
    try (LibcoapObserver observer = observe("obs", "-s", Libcoap.OBSERVED)) {
      int received = 1;
      registered(observer);
      for (String state : states) {
        assertThat(server.ask("obs", "-m", "put", "-e", state).responses()).isNotEmpty();
        received += (state.length() + BLOCK - 1) / BLOCK;
        observer.awaitResponses(received).awaitShown(state);
      }
      assertThat(
              observer.exchange().responses().stream()
                  .anyMatch(m -> m.getOptions().hasObserve() && m.getOptions().hasBlock2()))
          .isTrue();
    }
    update("obs");
  }

  private LibcoapObserver observe(String resource, String... options) {
    return new LibcoapObserver(server.system(), Wire.NONE, resource, options);
  }

  private String update(String resource) {
    String state = "state " + ++states;
    Exchange exchange = server.ask(resource, "-m", "put", "-t", "text/plain", "-e", state);
    assertThat(exchange.response().getCode()).isEqualTo(CHANGED);
    return state;
  }

  /** The answer to the registration. */
  private static Response registered(LibcoapObserver observer) {
    Exchange exchange = observer.awaitResponses(1).exchange();
    Response response = exchange.responses().getFirst();
    assertThat(exchange.request().getOptions().getObserve()).isZero();
    assertThat(response.getCode()).isEqualTo(CONTENT);
    assertThat(response.getToken()).isEqualTo(exchange.request().getToken());
    assertThat(response.getOptions().hasObserve()).isTrue();
    return response;
  }

  /** The last message: a notification. */
  private static Response notification(Exchange exchange, Response first, Type type) {
    Response response = exchange.responses().getLast();
    assertThat(response.getType()).isEqualTo(type);
    assertThat(response.getCode()).isEqualTo(CONTENT);
    assertThat(response.getToken()).isEqualTo(first.getToken());
    assertThat(response.getOptions().hasObserve()).isTrue();
    assertThat(response.getOptions().getContentFormat())
        .isEqualTo(first.getOptions().getContentFormat());
    return response;
  }

  /** The last message says that there will be no further ones, and there are none. */
  private void ended(LibcoapObserver observer, ResponseCode code) {
    Exchange exchange = observer.exchange();
    Response last = exchange.responses().getLast();
    assertThat(last.getCode()).isEqualTo(code);
    assertThat(last.getOptions().hasObserve()).isFalse();
  }

  /** Whether each notification has a higher number than the one before. */
  private static boolean increase(Exchange exchange) {
    List<Integer> numbers =
        exchange.responses().stream().map(m -> m.getOptions().getObserve()).toList();
    for (int i = 1; i < numbers.size(); i++) {
      if (numbers.get(i) <= numbers.get(i - 1)) {
        return false;
      }
    }
    return true;
  }
}
