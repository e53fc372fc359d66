package io.tinyfaas.gateway;

import io.tinyfaas.harness.Eventually;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;

/**
 * The packaged gateway with a broker and two functions, {@code f}, which is a {@link
 * PlayedFunction}, and {@code held}, which is a {@link HeldFunction}, for tests that send datagrams
 * as devices do.
 */
final class CoapDevices implements AutoCloseable {

  private static final long FUNCTION_TIMEOUT = Eventually.patient(Duration.ofMinutes(1)).toMillis();

  private final ServedGateway system;
  private final GatewayProcess gateway;
  private final HeldFunction held = new HeldFunction();
  private final TestHandler holding;

  CoapDevices(Path folder, Map<String, String> environment) throws IOException {
    system = new ServedGateway(folder, environment, PlayedFunction::answer);
    gateway = system.process();
    gateway.healthPort(); // it has started, which takes longest on a busy machine
    holding = new TestHandler(system.vertx(), held::answer);
    system.serve(
        PlayedManager.route("f", FUNCTION_TIMEOUT, system.handler()),
        PlayedManager.route("held", FUNCTION_TIMEOUT, holding.handler()));
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

  /** How often {@code f} has been run. */
  int runs() {
    return system.runs();
  }

  HeldFunction held() {
    return held;
  }

  /** How often {@code held} has been run. */
  int heldRuns() {
    return holding.runs();
  }

  @Override
  public void close() {
    held.release();
    holding.close();
    system.close();
  }
}
