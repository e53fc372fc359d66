package io.tinyfaas.harness;

import static io.tinyfaas.harness.Docker.docker;

import java.util.ArrayList;
import java.util.List;
import java.util.UUID;

/**
 * The real broker in a container, from the image that {@code make images} builds: with its settings
 * and its access list, and with passwords of its own. It does not run until it is started.
 *
 * <p>The engine chooses its port. It keeps that whatever happens to the broker, since the container
 * runs on while the broker in it is down: who connects then is disconnected at once.
 */
public final class Broker implements AutoCloseable {

  public static final String GATEWAY_PASSWORD = "gateway-password";
  public static final String MANAGER_PASSWORD = "manager-password";

  private static final String IMAGE = "tinyfaas/broker";
  private static final int PORT = 1883;

  /** Runs the broker as the image does, whenever there is a file that says it should. */
  private static final String SUPERVISE =
      """
      trap 'exit 0' TERM
      passwords=/etc/mosquitto/secrets/passwords
      mosquitto_passwd -b -c $passwords manager %s
      mosquitto_passwd -b $passwords gateway %s
      chown mosquitto $passwords
      while :; do
        if [ -e /tmp/run ]; then
          mosquitto -c /etc/mosquitto/mosquitto.conf &
          echo $! >/tmp/broker
          wait $!
          rm /tmp/broker
        fi
        sleep 0.05
      done
      """
          .formatted(MANAGER_PASSWORD, GATEWAY_PASSWORD);

  /** One of somebody else, with one user who may do all; its sessions outlive it. */
  private static final String OTHERS =
      """
      cat >/tmp/other.conf <<END
      listener 1883
      allow_anonymous false
      password_file /etc/mosquitto/secrets/passwords
      persistence true
      persistence_location /var/lib/mosquitto/
      autosave_on_changes true
      autosave_interval 1
      max_queued_messages 0
      log_dest stdout
      END
      """;

  /** In hexadecimal, as the kernel lists sockets that listen. */
  private static final String LISTENS = "grep -q ':075B .* 0A ' /proc/net/tcp /proc/net/tcp6";

  private final String name = "tinyfaas-test-broker-" + UUID.randomUUID();
  private final int port;

  /**
   * @param labels of its container, {@code NAME=value} each
   */
  public Broker(String... labels) {
    this(SUPERVISE, List.of(labels));
  }

  private Broker(String supervise, List<String> labels) {
    List<String> run = new ArrayList<>(List.of("run", "--detach", "--name", name));
    run.addAll(List.of("--publish", "127.0.0.1::" + PORT, "--user", "0", "--init"));
    run.addAll(List.of("--label", "tinyfaas-test"));
    for (String label : labels) {
      run.addAll(List.of("--label", label));
    }
    run.addAll(List.of("--entrypoint", "sh", IMAGE, "-c", supervise));
    docker(run.toArray(String[]::new));
    port = Docker.publishedPort(name, PORT);
    FailureLogs.open(this, "broker", () -> docker("logs", name));
  }

  /**
   * Of somebody else, who lets in the manager's user of the box's own broker, for all topics, and
   * nobody else.
   */
  public static Broker ofSomebodyElse() {
    return new Broker(
        OTHERS + SUPERVISE.replace("/etc/mosquitto/mosquitto.conf", "/tmp/other.conf"), List.of());
  }

  /** All that it has saved is gone; of one that does not run. */
  public void forget() {
    inContainer("rm -f /var/lib/mosquitto/*");
  }

  /** The name of its container. */
  public String container() {
    return name;
  }

  /** On 127.0.0.1. */
  public int port() {
    return port;
  }

  /** Returns when it listens. Also for one that was killed or stopped: it has what it had saved. */
  public Broker start() {
    inContainer("touch /tmp/run && until " + LISTENS + "; do sleep 0.05; done");
    return this;
  }

  /** At once, so that what it has not saved is lost. */
  public void kill() {
    end("KILL");
  }

  /** In its own time, so that it saves what it retains. */
  public void stop() {
    end("TERM");
  }

  /** It stands still, with all its connections, until it {@link #goesOn}. */
  public void standsStill() {
    inContainer("kill -STOP $(cat /tmp/broker)");
  }

  public void goesOn() {
    inContainer("kill -CONT $(cat /tmp/broker)");
  }

  private void end(String signal) {
    inContainer(
        "rm -f /tmp/run; kill -"
            + signal
            + " $(cat /tmp/broker) && while [ -e /tmp/broker ]; do sleep 0.05; done");
  }

  private void inContainer(String script) {
    docker("exec", name, "sh", "-c", script);
  }

  @Override
  public void close() {
    FailureLogs.close(this);
    Docker.command("rm", "--force", "--volumes", name).run(); // it may be gone already
  }
}
