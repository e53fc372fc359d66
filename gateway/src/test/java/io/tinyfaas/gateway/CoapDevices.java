package io.tinyfaas.gateway;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;

/**
 * The packaged gateway with a broker and one function, {@code f}, which is a {@link
 * PlayedFunction}, for tests that send datagrams as devices do.
 */
final class CoapDevices implements AutoCloseable {

  private static final long FUNCTION_TIMEOUT_MILLIS = 5_000;

  private final ServedGateway system;
  private final GatewayProcess gateway;

  CoapDevices(Path folder, Map<String, String> environment) throws IOException {
    system = new ServedGateway(folder, environment, PlayedFunction::answer);
    gateway = system.process();
    system.serve(PlayedManager.route("f", FUNCTION_TIMEOUT_MILLIS, system.handler()));
  }

  GatewayProcess gateway() {
    return gateway;
  }

  CoapPeer device() throws IOException {
    return new CoapPeer(gateway.coapPort());
  }

  CoapPeer device(String own) throws IOException {
    return new CoapPeer(own, gateway.coapPort());
  }

  String uri(String path) {
    return "coap://127.0.0.1:" + gateway.coapPort() + "/" + path;
  }

  /** How often the function has been run. */
  int runs() {
    return system.runs();
  }

  @Override
  public void close() {
    system.close();
  }
}
