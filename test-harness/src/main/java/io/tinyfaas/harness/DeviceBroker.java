package io.tinyfaas.harness;

import static io.tinyfaas.harness.Docker.docker;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.UUID;

/**
 * The real devices' broker in a container, with the settings that it has in the system. Without a
 * network: its Unix socket is in a folder of this machine.
 */
public final class DeviceBroker implements AutoCloseable {

  private static final String IMAGE = "tinyfaas/broker";
  private static final String SOCKET = "/run/device-broker/mqtt.sock";

  /** Its user in the image; the socket is for that and for its group. */
  private static final int BROKER = 1883;

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
        BROKER + ":" + prepared(folder),
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

  /**
   * Lets the broker make its socket there.
   *
   * @return the group of whoever runs this
   */
  private static int prepared(Path folder) {
    try {
      Files.setPosixFilePermissions(folder, PosixFilePermissions.fromString("rwxrwxrwx"));
      return (Integer) Files.getAttribute(folder, "unix:gid");
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
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
