package io.tinyfaas.gateway.ingress.coap;

import static org.assertj.core.api.Assertions.assertThat;

import io.tinyfaas.gateway.ingress.coap.peer.EchoValues;
import io.tinyfaas.gateway.memory.BodyMemory;
import org.eclipse.californium.core.coap.CoAP.Code;
import org.eclipse.californium.core.coap.CoAP.ResponseCode;
import org.eclipse.californium.core.coap.CoAP.Type;
import org.eclipse.californium.core.coap.Request;
import org.eclipse.californium.core.coap.Response;
import org.eclipse.californium.core.network.Exchange;
import org.eclipse.californium.core.network.Exchange.Origin;
import org.junit.jupiter.api.Test;

class ResponderTest {

  /** The exchange is remembered for minutes. */
  @Test
  void shouldForgetTheBodyOfARequestThatWantsNoResponse() {
    Request request = new Request(Code.POST, Type.NON);
    request.setPayload(new byte[100]);
    request.getOptions().setNoResponse(26);
    Exchange exchange = new Exchange(request, "peer", Origin.REMOTE, Runnable::run);

    new Responder(null, new BodyMemory(1), new EchoValues())
        .send(exchange, new Response(ResponseCode.CHANGED));

    assertThat(exchange.getResponse()).isNull();
    assertThat(request.getPayloadSize()).isZero();
  }
}
