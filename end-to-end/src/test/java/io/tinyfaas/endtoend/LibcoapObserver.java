package io.tinyfaas.endtoend;

import static io.tinyfaas.harness.Eventually.eventually;

import io.tinyfaas.harness.Command;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.eclipse.californium.core.coap.CoAP.Type;

/** libcoap's client while it observes a resource, over a wire of its own. */
final class LibcoapObserver implements AutoCloseable {

  private final Wire wire;
  private final Command.Running client;

  LibcoapObserver(Installation system, Wire.Loss loss, String resource, String... options) {
    wire = new Wire(system.coapPort(), loss);
    List<String> command = new ArrayList<>(List.of(Libcoap.CLIENT, "-w"));
    command.addAll(Arrays.asList(options));
    command.add("coap://127.0.0.1:" + wire.port() + "/" + resource);
    client = system.command(command.toArray(String[]::new)).start();
  }

  /** Waits until so many responses have come from the gateway, none counted twice. */
  LibcoapObserver awaitResponses(int count) {
    eventually().until(() -> exchange().responses().size() >= count);
    return this;
  }

  /** Waits until the client has shown this, on a line of its own. */
  void awaitShown(String text) {
    eventually().until(() -> client.output().lines().anyMatch(text::equals));
  }

  /** Waits until the client has acknowledged the last message from the gateway. */
  void awaitAcknowledged() {
    eventually()
        .until(
            () -> {
              Exchange exchange = exchange();
              int last = exchange.received().getLast().getMID();
              return exchange.sent().stream()
                  .anyMatch(m -> m.getType() == Type.ACK && m.getMID() == last);
            });
  }

  /** What has gone to and fro so far. */
  Exchange exchange() {
    return new Exchange(client.output(), wire.passed());
  }

  /** Waits until the client has ended by itself, which it does after the time it was given. */
  Exchange end() {
    client.awaitExit(Duration.ofSeconds(30));
    return exchange();
  }

  /** The client is gone without a word. */
  void switchOff() {
    client.close();
    client.awaitExit(Duration.ofSeconds(10));
  }

  @Override
  public void close() {
    client.close();
    wire.close();
  }
}
