package io.tinyfaas.endtoend;

import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** libcoap's client while it observes a resource, over a wire of its own. */
final class LibcoapObserver implements AutoCloseable {

  private final Wire wire;
  private final Process process;

  LibcoapObserver(Installation system, Wire.Loss loss, String resource, String... options) {
    wire = new Wire(system.coapPort(), loss);
    List<String> command = new ArrayList<>(List.of(Libcoap.CLIENT, "-w"));
    command.addAll(Arrays.asList(options));
    command.add("coap://127.0.0.1:" + wire.port() + "/" + resource);
    try {
      process = system.process(command.toArray(String[]::new)).redirectErrorStream(true).start();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Waits until so many messages have come from the gateway. */
  LibcoapObserver awaitReceived(int count) {
    await()
        .atMost(Duration.ofSeconds(20))
        .until(() -> wire.passed().stream().filter(d -> !d.fromClient()).count() >= count);
    return this;
  }

  /** What has gone to and fro so far. */
  Exchange exchange() {
    return new Exchange("", wire.passed());
  }

  /** Waits until the client has ended by itself, which it does after the time it was given. */
  Exchange end() {
    String displayed = read();
    return new Exchange(displayed, wire.passed());
  }

  /** The client is gone without a word. */
  void switchOff() {
    process.destroyForcibly().onExit().join();
  }

  private String read() {
    try {
      return new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Override
  public void close() {
    process.destroyForcibly();
    wire.close();
  }
}
