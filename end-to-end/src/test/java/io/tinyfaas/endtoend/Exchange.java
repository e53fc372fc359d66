package io.tinyfaas.endtoend;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.eclipse.californium.core.coap.CoAP.ResponseCode;
import org.eclipse.californium.core.coap.CoAP.Type;
import org.eclipse.californium.core.coap.Message;
import org.eclipse.californium.core.coap.OptionSet;
import org.eclipse.californium.core.coap.Request;
import org.eclipse.californium.core.coap.Response;

/**
 * What a client and the gateway said to each other.
 *
 * @param displayed by the client
 * @param datagrams in the order of their coming
 */
record Exchange(String displayed, List<Wire.Datagram> datagrams) {

  List<Message> sent() {
    return datagrams.stream()
        .filter(Wire.Datagram::fromClient)
        .map(Wire.Datagram::message)
        .toList();
  }

  List<Message> received() {
    return datagrams.stream().filter(d -> !d.fromClient()).map(Wire.Datagram::message).toList();
  }

  Request request() {
    return (Request) sent().getFirst();
  }

  /** The only message that came back. */
  Response response() {
    assertThat(received()).as(displayed).hasSize(1);
    return (Response) received().getFirst();
  }

  OptionSet options() {
    return response().getOptions();
  }

  /** One request, and its answer in the acknowledgement: message ID and token are the request's. */
  Exchange isPiggybacked(ResponseCode code) {
    assertThat(request().getType()).isEqualTo(Type.CON);
    Response response = response();
    assertThat(response.getType()).isEqualTo(Type.ACK);
    assertThat(response.getCode()).isEqualTo(code);
    assertThat(response.getMID()).isEqualTo(request().getMID());
    assertThat(response.getToken()).isEqualTo(request().getToken());
    return this;
  }

  /** One NON request, and a NON with its token. */
  Exchange isNonConfirmable(ResponseCode code) {
    assertThat(request().getType()).isEqualTo(Type.NON);
    Response response = response();
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
    Response response = (Response) received().getLast();
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
