package io.tinyfaas.endtoend;

import static org.assertj.core.api.Assertions.assertThat;

import org.eclipse.californium.core.CoapResponse;
import org.eclipse.californium.core.coap.CoAP.ResponseCode;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

class InvocationIT {

  private static final Installation SYSTEM = Installation.UNIX;

  private final Device device = new Device(SYSTEM);

  @BeforeAll
  static void start() {
    SYSTEM.start();
  }

  @AfterEach
  void switchOff() {
    device.switchOff();
  }

  @Test
  void shouldAnswerThePrimesToADevice() {
    SYSTEM
        .rest()
        .contentType("application/zip")
        .body(Installation.zipOf("examples/sieve-node"))
        .put("/functions/sieve?runtime=nodejs")
        .then()
        .statusCode(201);

    CoapResponse response = device.get("sieve");

    assertThat(response.getCode()).isEqualTo(ResponseCode.CONTENT);
    assertThat(response.getResponseText()).startsWith("2,3,5,7,11").endsWith("991,997");
  }
}
