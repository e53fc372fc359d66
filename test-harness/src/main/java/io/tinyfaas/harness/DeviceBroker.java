package io.tinyfaas.harness;

import static io.tinyfaas.harness.Docker.docker;

import java.nio.file.Path;
import java.util.UUID;

/**
 * The real devices' broker in a container, with the settings that it has in the system. Without a
 * network: its Unix socket is in a folder of this machine.
 */
public final class DeviceBroker implements AutoCloseable {

  private static final String IMAGE = "tinyfaas/broker";
  private static final String SOCKET = "/run/device-broker/mqtt.sock";

  private final String name = "tinyfaas-test-device-broker-" + UUID.randomUUID();
  private final Path folder;

  /**
   * @param folder of its socket
   * @param settings the file with its settings, in the checkout
   */
  public DeviceBroker(Path folder, Path settings) {
    this.folder = folder;
    docker(
        "create",
        "--name",
        name,
        "--label",
        "tinyfaas-test",
        "--network",
        "none",
        "--user",
        "0",
        "--volume",
        folder.toAbsolutePath() + ":/run/device-broker",
        "--volume",
        settings.toAbsolutePath().normalize() + ":/etc/mosquitto/devices.conf:ro",
        "--entrypoint",
        "mosquitto",
        IMAGE,
        "-c",
        "/etc/mosquitto/devices.conf");
    FailureLogs.open(this, "device-broker", () -> docker("logs", name));
  }

  /** Where it listens. */
  public Path socket() {
    return folder.resolve("mqtt.sock");
  }

  /** Returns when it listens. Also for one that was killed or stopped: it has what it had saved. */
  public DeviceBroker start() {
    docker("start", name);
    Eventually.eventually()
        .until(() -> Docker.command("exec", name, "test", "-S", SOCKET).run().exitCode() == 0);
    return this;
  }

  /** In its own time, so that it saves what it has. */
  public void stop() {
    docker("stop", name);
  }

  /** At once. */
  public void kill() {
    docker("kill", name);
  }

  /** The memory that it has, in bytes. */
  public long memory() {
    return Long.parseLong(
        docker("exec", name, "sh", "-c", "awk '/^VmRSS/ { print $2 * 1024 }' /proc/1/status")
            .getFirst());
  }

  @Override
  public void close() {
    FailureLogs.close(this);
    Docker.command("rm", "--force", "--volumes", name).run(); // it may be gone already
  }
}
