package io.tinyfaas.manager;

import io.quarkus.test.common.QuarkusTestResourceLifecycleManager;
import io.tinyfaas.manager.files.FileTree;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.ServerSocket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/**
 * The real Docker Engine and a real Mosquitto, for tests of the manager in this process. Everything
 * it makes on the engine carries an instance name of its own and is removed at the end.
 */
public final class RealParts implements QuarkusTestResourceLifecycleManager {

  static final String INSTANCE = "tinyfaas-it-" + ProcessHandle.current().pid();

  private static final String POOL = "10.213.0.0/20";
  private static final String BROKER = INSTANCE + "-broker";
  private static final String BROKER_CONFIG =
      "printf 'listener 1883\\nallow_anonymous true\\n' > /tmp/c && exec mosquitto -c /tmp/c";

  private final FailingEngine engine = new FailingEngine();
  private Path folder;

  @Override
  public Map<String, String> start() {
    int brokerPort;
    try (ServerSocket free = new ServerSocket(0)) {
      brokerPort = free.getLocalPort();
      folder = Files.createTempDirectory("tinyfaas-it");
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    docker("volume", "create", "--label", "tinyfaas.instance=" + INSTANCE, INSTANCE + "_sockets");
    docker(
        "run",
        "--detach",
        "--name",
        BROKER,
        "--label",
        "tinyfaas.instance=" + INSTANCE,
        "--tmpfs",
        "/tmp",
        "--publish",
        "127.0.0.1:" + brokerPort + ":1883",
        "--entrypoint",
        "/bin/sh",
        "tinyfaas/broker",
        "-c",
        BROKER_CONFIG);
    return Map.ofEntries(
        Map.entry("tinyfaas.instance", INSTANCE),
        Map.entry("tinyfaas.docker-socket", engine.start().toString()),
        Map.entry("tinyfaas.store", folder.resolve("store").toString()),
        Map.entry("tinyfaas.checkout", folder.resolve("checkout").toString()),
        Map.entry("tinyfaas.sockets-volume", INSTANCE + "_sockets"),
        Map.entry(
            "tinyfaas.sockets",
            docker("volume", "inspect", "-f", "{{.Mountpoint}}", INSTANCE + "_sockets").getFirst()),
        Map.entry("tinyfaas.address-pool", POOL),
        Map.entry("tinyfaas.start-timeout", "10s"),
        Map.entry("tinyfaas.engine-timeout", "5s"),
        Map.entry("tinyfaas.broker-host", "127.0.0.1"),
        Map.entry("tinyfaas.broker-port", Integer.toString(brokerPort)));
  }

  @Override
  public void stop() {
    engine.stop();
    String ours = "label=tinyfaas.instance=" + INSTANCE;
    docker("ps", "--all", "--quiet", "--filter", ours)
        .forEach(id -> docker("rm", "--force", "--volumes", id));
    docker("network", "ls", "--quiet", "--filter", ours).forEach(id -> docker("network", "rm", id));
    docker("image", "ls", "--quiet", "--filter", ours)
        .forEach(id -> docker("image", "rm", "--force", id));
    docker("volume", "rm", INSTANCE + "_sockets");
    docker(
        "run",
        "--rm",
        "--network",
        "host",
        "--cap-add",
        "NET_ADMIN",
        "--entrypoint",
        "/bin/sh",
        "tinyfaas/manager",
        "-c",
        "iptables -D INPUT -s "
            + POOL
            + " -m comment --comment tinyfaas:"
            + INSTANCE
            + " -j DROP 2>/dev/null; true");
    try {
      FileTree.delete(folder);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  static void stopBroker() {
    docker("stop", "--time", "2", BROKER);
  }

  static void startBroker() {
    docker("start", BROKER);
  }

  /**
   * Runs the engine's own client, so that what the manager did is seen with other eyes.
   *
   * @return the lines that it printed
   */
  static List<String> docker(String... arguments) {
    List<String> command = new ArrayList<>(List.of("docker"));
    command.addAll(List.of(arguments));
    try {
      Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
      String output =
          new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8).strip();
      if (!process.waitFor(60, TimeUnit.SECONDS) || process.exitValue() != 0) {
        throw new IllegalStateException(
            String.join(" ", command)
                + ": "
                + output
                + " (does the engine run, and are the images built? make images)");
      }
      return output.isEmpty() ? List.of() : output.lines().toList();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException(e);
    }
  }
}
