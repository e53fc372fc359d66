package io.tinyfaas.endtoend;

import static io.tinyfaas.harness.Eventually.patient;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import org.eclipse.californium.core.CoapClient;
import org.eclipse.californium.core.CoapResponse;
import org.eclipse.californium.core.coap.CoAP.Code;
import org.eclipse.californium.core.coap.Request;
import org.eclipse.californium.core.config.CoapConfig;
import org.eclipse.californium.core.network.CoapEndpoint;
import org.eclipse.californium.elements.config.Configuration;
import org.eclipse.californium.elements.exception.ConnectorException;
import org.junit.jupiter.api.extension.AfterEachCallback;
import org.junit.jupiter.api.extension.ExtensionContext;

/**
 * A device with one UDP socket of its own, that asks one installation. It is switched off after the
 * test, where it is registered for that.
 */
final class Device implements AfterEachCallback {

  private static final Duration PATIENCE = Duration.ofSeconds(60);

  private final Installation system;
  private final CoapEndpoint endpoint;

  Device(Installation system) {
    CoapConfig.register();
    Configuration configuration =
        Configuration.createStandardWithoutFile()
            .set(CoapConfig.MAX_RESOURCE_BODY_SIZE, 4 * 1024 * 1024)
            .set(CoapConfig.BLOCKWISE_STATUS_LIFETIME, 30, TimeUnit.SECONDS);
    this.system = system;
    this.endpoint = CoapEndpoint.builder().setConfiguration(configuration).build();
    try {
      endpoint.start();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /**
   * @param path the function's name, perhaps more segments and a query
   * @return null if no answer came
   */
  CoapResponse get(String path) {
    return ask(new Request(Code.GET), path);
  }

  /** As {@link #get}, with a body. */
  CoapResponse post(String path, byte[] body) {
    Request request = new Request(Code.POST);
    request.setPayload(body);
    return ask(request, path);
  }

  CoapResponse ask(Request request, String path) {
    request.setURI(system.coapUri(path));
    CoapClient client =
        new CoapClient().setEndpoint(endpoint).setTimeout(patient(PATIENCE).toMillis());
    try {
      return client.advanced(request);
    } catch (ConnectorException | IOException e) {
      throw new IllegalStateException(e);
    } finally {
      client.shutdown();
    }
  }

  @Override
  public void afterEach(ExtensionContext context) {
    switchOff();
  }

  void switchOff() {
    endpoint.destroy();
  }
}
