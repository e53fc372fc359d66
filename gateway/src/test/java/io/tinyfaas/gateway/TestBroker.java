package io.tinyfaas.gateway;

import java.io.IOException;
import java.net.ServerSocket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.TimeUnit;

/**
 * The real broker, as {@code compose/broker} makes it, with its access list and with passwords of
 * its own, in a container. It keeps its port over a restart.
 */
public final class TestBroker implements AutoCloseable {

  public static final String GATEWAY_PASSWORD = "gateway-password";
  public static final String MANAGER_PASSWORD = "manager-password";

  private static final String IMAGE = "tinyfaas/broker:test";
  private static final String PASSWORDS = "/etc/mosquitto/secrets/passwords";

  /** Makes the passwords at the first start, then runs the broker as the image does. */
  private static final String START =
      ("if [ ! -f %1$s ]; then mosquitto_passwd -b -c %1$s manager %2$s;"
              + " mosquitto_passwd -b %1$s gateway %3$s; chown mosquitto %1$s; fi;"
              + " exec mosquitto -c /etc/mosquitto/mosquitto.conf")
          .formatted(PASSWORDS, MANAGER_PASSWORD, GATEWAY_PASSWORD);

  private final String name = "tinyfaas-gateway-it-" + UUID.randomUUID();
  private final int port = freePort();
  private boolean created;

  /** A broker that is not running yet. */
  public TestBroker() {}

  public int port() {
    return port;
  }

  public TestBroker start() {
    if (created) {
      docker("start", name);
      return this;
    }
    Path checkout = Path.of("..").toAbsolutePath().normalize();
    docker(
        "build",
        "--quiet",
        "--tag",
        IMAGE,
        "--file",
        checkout.resolve("compose/broker/Dockerfile").toString(),
        checkout.toString());
    docker(
        "run",
        "--detach",
        "--name",
        name,
        "--label",
        "tinyfaas-test",
        "--publish",
        "127.0.0.1:" + port + ":1883",
        "--user",
        "0",
        "--entrypoint",
        "sh",
        IMAGE,
        "-c",
        START);
    created = true;
    return this;
  }

  public void kill() {
    docker("kill", name);
  }

  @Override
  public void close() {
    if (created) {
      docker("rm", "--force", "--volumes", name);
    }
  }

  static int freePort() {
    try (ServerSocket socket = new ServerSocket(0)) {
      return socket.getLocalPort();
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }

  private static void docker(String... arguments) {
    List<String> command = new ArrayList<>(List.of("docker"));
    command.addAll(List.of(arguments));
    ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true);
    builder.environment().put("DOCKER_BUILDKIT", "1");
    try {
      Process process = builder.start();
      String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
      if (!process.waitFor(3, TimeUnit.MINUTES) || process.exitValue() != 0) {
        throw new AssertionError(String.join(" ", command) + ": " + output);
      }
    } catch (IOException e) {
      throw new AssertionError("Docker is needed for this test: " + e.getMessage(), e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new AssertionError(e);
    }
  }
}
