package io.tinyfaas.gateway;

import io.tinyfaas.harness.Command;
import io.tinyfaas.harness.Eventually;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** A device that is Mosquitto's client: {@code mosquitto_pub} and {@code mosquitto_sub}. */
record MosquittoClient(List<String> connection) {

  private static final Duration USUAL = Duration.ofSeconds(20);

  static MosquittoClient plain(MqttGateway gateway, String name, String key) {
    return new MosquittoClient(
        List.of("-h", "127.0.0.1", "-p", Integer.toString(gateway.port()), "-u", name, "-P", key));
  }

  static MosquittoClient byTls(MqttGateway gateway, String... more) {
    List<String> all =
        new ArrayList<>(List.of("-h", "127.0.0.1", "-p", Integer.toString(gateway.tlsPort())));
    all.addAll(List.of("--cafile", gateway.certificate().toString()));
    all.addAll(List.of(more));
    return new MosquittoClient(all);
  }

  MosquittoClient with(String... more) {
    List<String> all = new ArrayList<>(connection);
    all.addAll(List.of(more));
    return new MosquittoClient(all);
  }

  /**
   * @return what the client says
   * @throws AssertionError if it fails
   */
  List<String> publish(String... arguments) {
    return command("mosquitto_pub", arguments).within(USUAL).lines();
  }

  /** The same where it may fail. */
  Command.Result tryToPublish(String... arguments) {
    return command("mosquitto_pub", arguments).within(USUAL).run();
  }

  /** Runs on until it has received what it is to, or is ended. */
  Command.Running subscribe(String... arguments) {
    List<String> more = new ArrayList<>(List.of("-d"));
    more.addAll(Arrays.asList(arguments));
    return command("mosquitto_sub", more.toArray(String[]::new)).start();
  }

  static void awaitSubscribed(Command.Running subscriber) {
    Eventually.eventually().until(() -> subscriber.output().contains("Subscribed (mid"));
  }

  /** Lines at once, which the program would keep while nobody sits before it. */
  private Command command(String program, String... arguments) {
    List<String> words = new ArrayList<>(List.of("stdbuf", "-oL", program));
    words.addAll(connection);
    words.addAll(List.of(arguments));
    return Command.of(words);
  }
}
