package io.tinyfaas.gateway;

import static org.assertj.core.api.Assertions.assertThat;

import io.tinyfaas.harness.Eventually;
import java.io.IOException;
import java.time.Duration;
import org.eclipse.californium.core.CoapClient;
import org.eclipse.californium.core.CoapResponse;
import org.eclipse.californium.core.config.CoapConfig;
import org.eclipse.californium.elements.config.Configuration;
import org.eclipse.californium.elements.config.UdpConfig;
import org.eclipse.californium.elements.exception.ConnectorException;

/** A device that asks functions by CoAP. */
final class AskingDevice {

  static {
    CoapConfig.register();
    UdpConfig.register();
    Configuration.setStandard(Configuration.createStandardWithoutFile());
  }

  private AskingDevice() {}

  static CoapResponse get(GatewayProcess gateway, String path) {
    CoapClient client = new CoapClient("coap://127.0.0.1:" + gateway.coapPort() + "/" + path);
    client.setTimeout(Eventually.patient(Duration.ofSeconds(20)).toMillis());
    try {
      CoapResponse response = client.get();
      assertThat(response).isNotNull();
      return response;
    } catch (ConnectorException | IOException e) {
      throw new AssertionError(e);
    } finally {
      client.shutdown();
    }
  }

  /** Code and text. */
  static String answer(GatewayProcess gateway, String path) {
    CoapResponse response = get(gateway, path);
    return response.getCode().text + " " + response.getResponseText();
  }
}
