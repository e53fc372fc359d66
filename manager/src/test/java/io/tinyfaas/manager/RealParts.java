package io.tinyfaas.manager;

import static io.tinyfaas.harness.Docker.docker;
import static io.tinyfaas.harness.Eventually.patient;

import io.quarkus.test.common.QuarkusTestResourceLifecycleManager;
import io.tinyfaas.harness.Broker;
import io.tinyfaas.harness.Docker;
import io.tinyfaas.harness.FailureLogs;
import io.tinyfaas.manager.files.FileTree;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * The real Docker Engine and the real broker, for tests of the manager in this process. Everything
 * that the manager makes on the engine carries an instance name of this process' own, and is
 * removed at the end.
 */
public final class RealParts implements QuarkusTestResourceLifecycleManager {

  static final String INSTANCE = "tinyfaas-it-" + ProcessHandle.current().pid();

  /** Those who test beside this process have another. */
  private static final int LANE = Integer.getInteger("tinyfaas.lane", 0) % 16;

  /** Between those of installations, which end-to-end tests beside this process have. */
  static final String POOL = "10.199." + 16 * LANE + ".0/20";

  /** At the pool's end, where the manager takes addresses from last. */
  static final String LAST_SUBNET = "10.199." + (16 * LANE + 15) + ".224/27";

  private static final String SOCKETS = INSTANCE + "_sockets";
  private static final String CALL_SOCKETS = INSTANCE + "_call-sockets";

  /** How long the engine may be silent in a call. */
  static final Duration ENGINE_TIMEOUT = patient(Duration.ofSeconds(6));

  /** How long a handler may take to its health, which is what a case waits that has none. */
  private static final Duration START_TIMEOUT = patient(Duration.ofSeconds(5));

  private final FailingEngine engine = new FailingEngine();
  private Broker broker;
  private Path folder;

  @Override
  public Map<String, String> start() {
    Path password;
    try {
      folder = Files.createTempDirectory("tinyfaas-it");
      password = Files.writeString(folder.resolve("password"), Broker.MANAGER_PASSWORD);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    for (String volume : List.of(SOCKETS, CALL_SOCKETS)) {
      docker("volume", "create", "--label", "tinyfaas.instance=" + INSTANCE, volume);
    }
    broker = new Broker().start();
    FailureLogs.open(this, "containers of " + INSTANCE, RealParts::logs);
    return Map.ofEntries(
        Map.entry("tinyfaas.instance", INSTANCE),
        Map.entry("tinyfaas.docker-socket", engine.start().toString()),
        Map.entry("tinyfaas.store", folder.resolve("store").toString()),
        Map.entry("tinyfaas.checkout", folder.resolve("checkout").toString()),
        Map.entry("tinyfaas.sockets-volume", SOCKETS),
        Map.entry("tinyfaas.sockets", onHost(SOCKETS)),
        Map.entry("tinyfaas.call-sockets-volume", CALL_SOCKETS),
        Map.entry("tinyfaas.call-sockets", onHost(CALL_SOCKETS)),
        Map.entry("tinyfaas.address-pool", POOL),
        Map.entry("tinyfaas.start-timeout", START_TIMEOUT.toString()),
        Map.entry("tinyfaas.max-build", "64M"),
        Map.entry("tinyfaas.max-runtime-build", "64M"),
        Map.entry("tinyfaas.engine-timeout", ENGINE_TIMEOUT.toString()),
        Map.entry("tinyfaas.calls-timeout", patient(Duration.ofSeconds(5)).toString()),
        Map.entry("tinyfaas.device-key-file", "src/test/resources/device-key"),
        Map.entry("tinyfaas.broker-host", "127.0.0.1"),
        Map.entry("tinyfaas.broker-port", Integer.toString(broker.port())),
        Map.entry("tinyfaas.broker-password-file", password.toString()));
  }

  @Override
  public void stop() {
    FailureLogs.close(this);
    engine.stop();
    if (broker != null) {
      broker.close();
    }
    docker("ps", "--all", "--quiet", "--filter", ours())
        .forEach(id -> docker("rm", "--force", "--volumes", id));
    docker("network", "ls", "--quiet", "--filter", ours())
        .forEach(id -> docker("network", "rm", id));
    docker("image", "ls", "--quiet", "--filter", ours()).stream()
        .distinct()
        .forEach(id -> docker("image", "rm", "--force", id));
    docker("volume", "rm", SOCKETS, CALL_SOCKETS);
    iptables(
        "-D INPUT -s %s -m comment --comment tinyfaas:%s -j DROP 2>/dev/null; true"
            .formatted(POOL, INSTANCE));
    try {
      FileTree.delete(folder);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static String onHost(String volume) {
    return docker("volume", "inspect", "-f", "{{.Mountpoint}}", volume).getFirst();
  }

  /** Into the fields of tests that do something to it. */
  @Override
  public void inject(TestInjector injector) {
    injector.injectIntoFields(broker, new TestInjector.MatchesType(Broker.class));
  }

  /** The host's: by the other of the two where this one is not in use. */
  static List<String> iptables(String arguments) {
    return docker(
        "run",
        "--rm",
        "--network",
        "host",
        "--user",
        "0",
        "--cap-add",
        "NET_ADMIN",
        "--entrypoint",
        "/bin/sh",
        "tinyfaas/manager",
        "-c",
        "iptables=iptables; iptables -w 60 -S INPUT >/dev/null 2>&1 || iptables=iptables-legacy;"
            + " $iptables -w 60 "
            + arguments);
  }

  /** By which the engine finds what this instance has made, and nothing else. */
  static String ours() {
    return "label=tinyfaas.instance=" + INSTANCE;
  }

  private static List<String> logs() {
    List<String> lines = new ArrayList<>();
    for (String container :
        docker("ps", "--all", "--format", "{{.Names}}: {{.Status}}", "--filter", ours())) {
      lines.add(container);
      String name = container.substring(0, container.indexOf(':'));
      // It may be gone by now.
      lines.addAll(Docker.command("logs", "--tail", "50", name).run().lines());
    }
    return lines;
  }
}
