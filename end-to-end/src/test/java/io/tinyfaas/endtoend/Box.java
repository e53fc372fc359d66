package io.tinyfaas.endtoend;

import static io.tinyfaas.harness.Eventually.eventually;
import static io.tinyfaas.harness.Eventually.within;

import io.tinyfaas.harness.FailureLogs;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;

/**
 * A box with a Docker Engine of its own: a container whose processes, network and disk are its own,
 * so that tests may stop and kill its engine and cut its power. (The engine of this box runs the
 * tests of others.)
 */
final class Box implements AutoCloseable {

  private static final Installation HERE = Installation.UNIX;
  private static final String NAME = Installation.named("box");
  private static final String PREFIX = "10." + (168 - Installation.LANE) + ".0.";
  private static final String ADDRESS = PREFIX + "2";
  private static final String IMAGE = "tinyfaas/box";
  private static final Path SOCKET = Path.of("/run/engine/docker.sock");

  /** The parent of the engine's socket, as this process and the engine of this box see it. */
  private static final Path FOLDER = Path.of("/tmp", NAME);

  private Box() {}

  /** Starts it, with its engine, and brings these images over. */
  static Box start(List<String> images) {
    Box box = new Box();
    box.close(); // what an interrupted run left
    ClientImage.build(
        HERE,
        "build",
        "--quiet",
        "--tag",
        IMAGE,
        "--label",
        "tinyfaas.built=compose",
        "end-to-end/src/test/box");
    HERE.docker("network", "create", "--subnet", PREFIX + "0/28", NAME);
    HERE.docker("volume", "create", NAME);
    try {
      Files.createDirectories(FOLDER);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    // What --privileged gives, but for a capability that boxes which are containers themselves
    // lack.
    HERE.docker(
        "run",
        "--detach",
        "--name=" + NAME,
        "--cap-add=ALL",
        "--cap-drop=SYS_RESOURCE",
        "--security-opt=seccomp=unconfined",
        "--security-opt=apparmor=unconfined",
        "--security-opt=systempaths=unconfined",
        "--cgroupns=host",
        "--volume=/sys/fs/cgroup:/sys/fs/cgroup",
        "--init",
        "--network=" + NAME,
        "--ip=" + ADDRESS,
        "--tmpfs=/run",
        "--tmpfs=/tmp",
        "--volume=" + NAME + ":/var/lib/docker",
        "--volume=" + FOLDER + ":" + SOCKET.getParent(),
        "--volume=" + Checkout.path() + ":" + Checkout.path() + ":ro",
        IMAGE);
    FailureLogs.open(
        box,
        "the engine in the box",
        () -> HERE.docker("exec", NAME, "tail", "-n", "200", "/var/log/dockerd.log"));
    box.startEngine();
    box.load(images);
    return box;
  }

  /** The composed system like this one, in the box. */
  Installation installation(Installation like) {
    return like.on(ADDRESS, FOLDER.resolve("docker.sock"), SOCKET);
  }

  /** Returns when it answers. One that runs goes on. */
  void startEngine() {
    if (!answers()) {
      HERE.docker("exec", NAME, "engine", "start");
    }
    within(Duration.ofSeconds(60)).alias("the engine in the box").until(this::answers);
  }

  private boolean answers() {
    return installation(HERE).command("docker", "version").run().exitCode() == 0;
  }

  /** Lets it end in its own time. */
  void stopEngine() {
    HERE.docker("exec", NAME, "engine", "stop");
  }

  /** Kills the engine and nothing else. */
  void killEngine() {
    HERE.docker("exec", NAME, "engine", "kill");
  }

  /** Whether containers live on when the engine ends, which an engine learns while it runs. */
  void letContainersOutliveTheEngine(boolean live) {
    HERE.docker("exec", NAME, "engine", "live-restore", Boolean.toString(live));
    eventually()
        .until(
            () ->
                installation(HERE)
                    .docker("info", "--format", "{{.LiveRestoreEnabled}}")
                    .equals(List.of(Boolean.toString(live))));
  }

  /** Ends everything in the box at once; what was not on its disk is lost. */
  void powerCut() {
    HERE.docker("kill", NAME);
  }

  /** The box boots: its engine is not yet started. */
  void powerOn() {
    HERE.docker("start", NAME);
  }

  /** The rules for packets to the box itself. */
  List<String> firewall() {
    return HERE.docker("exec", NAME, "iptables", "-S", "INPUT");
  }

  private void load(List<String> images) {
    HERE.run(
        Duration.ofMinutes(3),
        "bash",
        "-c",
        "set -o pipefail; docker save $1 | DOCKER_HOST=unix://$0 docker load --quiet",
        FOLDER.resolve("docker.sock").toString(),
        String.join(" ", images));
  }

  /** Removes it with its disk. */
  @Override
  public void close() {
    FailureLogs.close(this);
    HERE.run(
        Duration.ofMinutes(1),
        "bash",
        "-c",
        "docker rm --force --volumes $0; docker volume rm --force $0; docker network rm $0; rm -rf $1; true",
        NAME,
        FOLDER.toString());
  }
}
