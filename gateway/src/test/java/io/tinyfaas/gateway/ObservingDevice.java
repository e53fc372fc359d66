package io.tinyfaas.gateway;

import static io.tinyfaas.harness.Eventually.patient;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.eclipse.californium.core.coap.CoAP.Code;
import org.eclipse.californium.core.coap.CoAP.Type;
import org.eclipse.californium.core.coap.EmptyMessage;
import org.eclipse.californium.core.coap.Message;
import org.eclipse.californium.core.coap.Request;
import org.eclipse.californium.core.coap.Response;
import org.eclipse.californium.core.coap.Token;
import org.eclipse.californium.core.network.serialization.UdpDataParser;
import org.eclipse.californium.core.network.serialization.UdpDataSerializer;

/** A device that decides on each message itself: Californium only reads and writes them for it. */
final class ObservingDevice implements AutoCloseable {

  private static final int SOON_MILLIS = (int) patient(Duration.ofSeconds(20)).toMillis();
  static final int QUIET_MILLIS = 300;

  private final UdpDataSerializer serializer = new UdpDataSerializer();
  private final UdpDataParser parser = new UdpDataParser();
  private final CoapPeer peer;

  /** What has been said to responses, by their IDs: it is said again to those that come again. */
  private final Map<Integer, EmptyMessage> said = new HashMap<>();

  private int mid = 100;

  ObservingDevice(int port) throws IOException {
    peer = new CoapPeer(port);
  }

  /** With an address of its own on this machine: 127.0.0.1 and up. */
  ObservingDevice(String own, int port) throws IOException {
    peer = new CoapPeer(own, port);
  }

  /** A request with a token of one byte. */
  static Request get(Type type, int token, String path) {
    Request request = new Request(Code.GET, type);
    request.setToken(new Token(new byte[] {(byte) token}));
    request.getOptions().setUriPath(path);
    return request;
  }

  static Request observe(Type type, int token, String path) {
    Request request = get(type, token, path);
    request.getOptions().setObserve(0);
    return request;
  }

  /** Sends and gets what comes next, in the acknowledgement or after it. */
  Response ask(Request request) throws IOException {
    send(request);
    Response response = next();
    if (response.isConfirmable()) {
      acknowledge(response);
    }
    return response;
  }

  void send(Request request) throws IOException {
    request.setMID(mid++);
    peer.send(serializer.getByteArray(request));
  }

  void acknowledge(Message message) throws IOException {
    say(Type.ACK, message);
  }

  void reset(Message message) throws IOException {
    say(Type.RST, message);
  }

  private void say(Type type, Message message) throws IOException {
    EmptyMessage empty = new EmptyMessage(type);
    empty.setToken(Token.EMPTY);
    empty.setMID(message.getMID());
    peer.send(serializer.getByteArray(empty));
    if (message instanceof Response) {
      said.put(message.getMID(), empty);
    }
  }

  /** Invokes the function {@code f}, and waits for the answer. */
  void press(String state, String... query) throws IOException {
    invoke("f", state, query);
  }

  void invoke(String function, String state, String... query) throws IOException {
    Request request = new Request(Code.POST, Type.CON);
    request.setToken(new Token(new byte[] {(byte) mid, 1}));
    request.getOptions().setUriPath(function);
    List.of(query).forEach(request.getOptions()::addUriQuery);
    request.setPayload(state);
    assertThat(ask(request).getToken()).isEqualTo(request.getToken());
  }

  /** The confirmable notification that comes, acknowledged. */
  Response confirmed() throws IOException {
    Response notification = next();
    assertThat(notification.getType()).isEqualTo(Type.CON);
    acknowledge(notification);
    return notification;
  }

  void assertSilence() throws IOException {
    assertThat(next(QUIET_MILLIS)).isEmpty();
  }

  /** What comes. */
  Response next() throws IOException {
    Optional<Response> response = next(SOON_MILLIS);
    assertThat(response).as("a message").isPresent();
    return response.get();
  }

  /**
   * Empty if nothing comes in time. A ping, and what comes again as its answer came too late, is
   * answered as every device does.
   */
  Optional<Response> next(int millis) throws IOException {
    Optional<Message> message = peer.receive(millis).map(parser::parseMessage);
    if (message.isEmpty()) {
      return Optional.empty();
    }
    if (message.get() instanceof EmptyMessage empty) {
      if (empty.isConfirmable()) {
        reset(empty);
      }
      return next(millis);
    }
    EmptyMessage before = said.get(message.get().getMID());
    if (message.get().isConfirmable() && before != null) {
      peer.send(serializer.getByteArray(before));
      return next(millis);
    }
    return message.map(Response.class::cast);
  }

  @Override
  public void close() {
    peer.close();
  }
}
