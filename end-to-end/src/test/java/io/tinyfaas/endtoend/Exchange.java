package io.tinyfaas.endtoend;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.List;
import org.eclipse.californium.core.coap.CoAP.ResponseCode;
import org.eclipse.californium.core.coap.CoAP.Type;
import org.eclipse.californium.core.coap.Message;
import org.eclipse.californium.core.coap.OptionSet;
import org.eclipse.californium.core.coap.Request;
import org.eclipse.californium.core.coap.Response;
import org.eclipse.californium.core.network.serialization.UdpDataParser;

/**
 * What a client and the gateway said to each other.
 *
 * @param displayed by the client
 * @param datagrams in the order of their coming
 */
record Exchange(String displayed, List<Wire.Datagram> datagrams) {

  /** What the client sent; a message that was sent again, once. */
  List<Message> sent() {
    return messages(true);
  }

  /** What came back; a message that was sent again, once. */
  List<Message> received() {
    return messages(false);
  }

  private List<Message> messages(boolean fromClient) {
    return datagrams.stream()
        .filter(datagram -> datagram.fromClient() == fromClient)
        .map(datagram -> ByteBuffer.wrap(datagram.bytes()))
        .distinct()
        .map(bytes -> new UdpDataParser().parseMessage(bytes.array()))
        .toList();
  }

  Request request() {
    return (Request) sent().getFirst();
  }

  /** What came back but for empty acknowledgements. */
  List<Response> responses() {
    return received().stream()
        .filter(Response.class::isInstance)
        .map(Response.class::cast)
        .toList();
  }

  /** The only one. */
  Response response() {
    assertThat(received()).as(displayed).hasSizeLessThanOrEqualTo(2);
    assertThat(responses()).as(displayed).hasSize(1);
    return responses().getFirst();
  }

  /** Whether the gateway had to acknowledge a request before the function had answered. */
  boolean isAcknowledgedFirst() {
    return received().stream().anyMatch(Exchange::isEmptyAcknowledgement);
  }

  static boolean isEmptyAcknowledgement(Message message) {
    return message.getType() == Type.ACK && message.getRawCode() == 0;
  }

  /** The one datagram that was lost, and those after it that are the same. */
  List<Wire.Datagram> lostAndSentAgain() {
    Wire.Datagram lost = datagrams.stream().filter(Wire.Datagram::lost).findFirst().orElseThrow();
    return datagrams.stream()
        .dropWhile(datagram -> datagram != lost)
        .filter(datagram -> datagram.fromClient() == lost.fromClient())
        .filter(datagram -> Arrays.equals(datagram.bytes(), lost.bytes()))
        .toList();
  }

  OptionSet options() {
    return response().getOptions();
  }

  /** One request, and its answer in the acknowledgement: message ID and token are the request's. */
  Exchange isPiggybacked(ResponseCode code) {
    assertThat(request().getType()).isEqualTo(Type.CON);
    Response response = response();
    assertThat(received()).as(displayed).hasSize(1);
    assertThat(response.getType()).isEqualTo(Type.ACK);
    assertThat(response.getCode()).isEqualTo(code);
    assertThat(response.getMID()).isEqualTo(request().getMID());
    assertThat(response.getToken()).isEqualTo(request().getToken());
    return this;
  }

  /**
   * One CON request, and its answer in either of the two ways; which it is depends on the machine.
   */
  Exchange isAnswered(ResponseCode code) {
    return isAcknowledgedFirst() ? isSeparate(code) : isPiggybacked(code);
  }

  /** One NON request, and a NON with its token. */
  Exchange isNonConfirmable(ResponseCode code) {
    assertThat(request().getType()).isEqualTo(Type.NON);
    Response response = response();
    assertThat(received()).as(displayed).hasSize(1);
    assertThat(response.getType()).isEqualTo(Type.NON);
    assertThat(response.getCode()).isEqualTo(code);
    assertThat(response.getToken()).isEqualTo(request().getToken());
    return this;
  }

  /** An empty acknowledgement, and then the answer in a CON that the client acknowledges. */
  Exchange isSeparate(ResponseCode code) {
    assertThat(request().getType()).isEqualTo(Type.CON);
    assertThat(received()).hasSize(2);
    Message acknowledgement = received().getFirst();
    assertThat(acknowledgement.getType()).isEqualTo(Type.ACK);
    assertThat(acknowledgement.getRawCode()).isZero();
    assertThat(acknowledgement.getMID()).isEqualTo(request().getMID());
    assertThat(acknowledgement.getPayloadSize()).isZero();
    Response response = response();
    assertThat(response.getType()).isEqualTo(Type.CON);
    assertThat(response.getCode()).isEqualTo(code);
    assertThat(response.getToken()).isEqualTo(request().getToken());
    Message last = sent().getLast();
    assertThat(last.getType()).isEqualTo(Type.ACK);
    assertThat(last.getRawCode()).isZero();
    assertThat(last.getMID()).isEqualTo(response.getMID());
    return this;
  }

  /** The client has shown this text. */
  Exchange shows(String text) {
    assertThat(displayed).contains(text);
    return this;
  }

  /** A payload comes with its format. */
  Exchange hasFormatIfPayload() {
    assertThat(options().hasContentFormat()).isEqualTo(response().getPayloadSize() > 0);
    return this;
  }
}
