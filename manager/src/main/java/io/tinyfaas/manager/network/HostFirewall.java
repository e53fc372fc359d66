package io.tinyfaas.manager.network;

import com.github.dockerjava.api.DockerClient;
import com.github.dockerjava.api.async.ResultCallback;
import com.github.dockerjava.api.exception.NotFoundException;
import com.github.dockerjava.api.model.Capability;
import com.github.dockerjava.api.model.Frame;
import com.github.dockerjava.api.model.HostConfig;
import com.github.dockerjava.api.model.LogConfig;
import io.tinyfaas.manager.engine.EngineSettings;
import io.tinyfaas.manager.engine.HostCommand;
import io.tinyfaas.manager.engine.Labels;
import io.tinyfaas.manager.problem.ProblemException;
import io.tinyfaas.manager.problem.ProblemType;
import io.tinyfaas.manager.text.PlainText;
import jakarta.enterprise.context.ApplicationScoped;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantLock;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.jboss.logging.Logger;

/**
 * Keeps functions with network access off the host. Docker separates bridges from each other, but
 * every container reaches its bridge's own address and through it whatever the host listens on; one
 * rule drops what comes from our address pool to the host itself.
 *
 * <p>The manager itself needs no right to touch the firewall: the rule is set in a container that
 * does only that, for as long as there are such functions. A firewall that is reloaded forgets the
 * rule, so the container looks again every few seconds, and once more before a function gets a
 * network.
 */
@ApplicationScoped
public class HostFirewall {

  private static final Logger LOG = Logger.getLogger(HostFirewall.class);

  /** Of the container that sets the rule. */
  public static final String ROLE = "firewall";

  /** A kernel without nftables has the older tables only. */
  private static final String TABLES =
      "iptables=iptables; iptables -w 5 -S INPUT >/dev/null 2>&1 || iptables=iptables-legacy; ";

  /** Of all installations. */
  private static final String LIST = TABLES + "$iptables -w 5 -S INPUT | grep tinyfaas: || :";

  private static final Pattern RULE =
      Pattern.compile(
          "-A INPUT (-s (\\S+) -m comment --comment \"?tinyfaas:([\\w.-]+)\"? -j DROP)");

  /**
   * Where it is already set nothing changes; {@code -w} waits for others at the same lock, and the
   * file for whoever else asks here.
   */
  private static final String SET =
      "exec 9>/run/rule; flock 9; "
          + TABLES
          + "rule='-s %s -m comment --comment tinyfaas:%s -j DROP'; "
          + "$iptables -w 5 -C INPUT $rule 2>/dev/null"
          + " || { $iptables -w 5 -I INPUT 1 $rule && echo event=firewall-rule outcome=set; }";

  /** The last word of a check: of its exit code the engine may know only later. */
  private static final String DONE = "in-place";

  /** Says when it had to be set, and once why it cannot be. */
  private static final String KEEP =
      "while :; do said=$( (%s) 2>&1 );"
          + " [ \"$said\" = \"$before\" ] || echo \"$said\"; before=$said; sleep 10; done";

  private static final LogConfig LITTLE_LOG =
      new LogConfig(LogConfig.LoggingType.JSON_FILE, Map.of("max-size", "100k", "max-file", "1"));

  private static final int PATIENCE_SECONDS = 20;
  private static final int MAX_OUTPUT = 4 * 1024;

  private static final Duration LASTS = Duration.ofSeconds(30);

  /** Until whoever has asked for the rule has made the network that needs it. */
  private static final Duration UNDER_WAY = Duration.ofSeconds(10);

  private final DockerClient docker;
  private final EngineSettings settings;
  private final NetworkSettings network;
  private final ReentrantLock setting = new ReentrantLock();

  // Guarded by the lock.
  private Optional<String> keeper = Optional.empty();
  private boolean seen;
  private long seenSet;
  private long asked;

  /** Whether a container may be there that is not the keeper. */
  private boolean left;

  HostFirewall(DockerClient docker, EngineSettings settings, NetworkSettings network) {
    this.docker = docker;
    this.settings = settings;
    this.network = network;
  }

  /**
   * Returns once the rule is in place.
   *
   * @throws ProblemException if it cannot be set: then no function gets network access
   */
  public void ensure() {
    setting.lock();
    try {
      if (!seen || System.nanoTime() - seenSet > LASTS.toNanos()) {
        set();
      }
    } finally {
      asked = System.nanoTime();
      setting.unlock();
    }
  }

  /**
   * To be called every now and then while there are functions with network access: the container
   * may have ended, or have been removed.
   */
  void keep() {
    setting.lock();
    try {
      if (keeper.isEmpty() || !isRunning(keeper.get())) {
        set();
      }
    } finally {
      setting.unlock();
    }
  }

  /** Whether the container may be there, and nobody has just asked for the rule. */
  boolean isIdle() {
    setting.lock();
    try {
      return (keeper.isPresent() || left) && System.nanoTime() - asked > UNDER_WAY.toNanos();
    } finally {
      setting.unlock();
    }
  }

  /**
   * To be called when there are none any more. The rule stays, since a function may be on its way;
   * it keeps nobody out who is not there.
   */
  void leave() {
    setting.lock();
    try {
      removeAll();
    } finally {
      setting.unlock();
    }
  }

  private void set() {
    seen = false;
    if (keeper.isEmpty() || !isRunning(keeper.get())) {
      removeAll();
      left = true;
      String created = create();
      docker.startContainerCmd(created).exec();
      keeper = Optional.of(created);
      left = false;
      removeForgotten(created);
    }
    check(keeper.get());
    seen = true;
    seenSet = System.nanoTime();
  }

  /**
   * Those for addresses of ours that an installation has left that was removed by hand: each would
   * stay for ever. One is there while the engine has anything of it.
   */
  private void removeForgotten(String container) {
    try {
      Matcher rule = RULE.matcher(run(container, LIST).orElse(""));
      while (rule.find()) {
        String installation = rule.group(3);
        if (!installation.equals(settings.instance())
            && AddressPool.parse(network.addressPool()).has(rule.group(2))
            && !isThere(installation)) {
          run(container, TABLES + "$iptables -w 5 -D INPUT " + rule.group(1));
          LOG.infof("event=firewall-rule outcome=removed of=%s", installation);
        }
      }
    } catch (RuntimeException e) {
      LOG.warnf(
          "event=firewall-rules-not-looked-for reason=\"%s\"",
          ProblemException.ofFailure(e).getMessage());
    }
  }

  private boolean isThere(String installation) {
    List<String> own = List.of(Labels.INSTANCE + "=" + installation);
    List<String> composed = List.of("com.docker.compose.project=" + installation);
    return Stream.of(own, composed)
            .anyMatch(
                labels ->
                    !docker
                        .listContainersCmd()
                        .withShowAll(true)
                        .withLabelFilter(labels)
                        .exec()
                        .isEmpty())
        || !docker.listNetworksCmd().withFilter("label", own).exec().isEmpty();
  }

  private String create() {
    return docker
        .createContainerCmd(settings.firewallImage())
        .withName(settings.instance() + "-" + ROLE)
        .withLabels(Labels.ownOnly(Map.of(Labels.INSTANCE, settings.instance(), Labels.ROLE, ROLE)))
        .withUser("0:0")
        .withEntrypoint("/bin/sh", "-c", KEEP.formatted(rule()))
        .withCmd()
        .withHostConfig(
            HostConfig.newHostConfig()
                .withNetworkMode("host")
                .withCapDrop(Capability.ALL)
                .withCapAdd(Capability.NET_ADMIN, Capability.NET_RAW)
                .withSecurityOpts(List.of("no-new-privileges"))
                .withReadonlyRootfs(true)
                .withTmpFs(Map.of("/run", "rw,size=64k"))
                .withMemory(HostCommand.MEMORY)
                .withMemorySwap(HostCommand.MEMORY)
                .withPidsLimit(HostCommand.PROCESSES)
                .withInit(true)
                .withLogConfig(LITTLE_LOG))
        .exec()
        .getId();
  }

  private String rule() {
    return SET.formatted(network.addressPool(), settings.instance());
  }

  /** The same as the container does by itself, but now. */
  private void check(String container) {
    Optional<String> said = run(container, "(" + rule() + ") && echo " + DONE);
    if (said.filter(text -> text.endsWith(DONE)).isEmpty()) {
      throw ProblemException.of(
          ProblemType.START_FAILED,
          "The rule that keeps functions with network access off this box could not be set, so"
              + " none is started: "
              + said.orElse("nobody answered for " + PATIENCE_SECONDS + " s"));
    }
  }

  /**
   * @return what it says; empty if it does not end
   */
  private Optional<String> run(String container, String script) {
    String command =
        docker
            .execCreateCmd(container)
            .withCmd("/bin/sh", "-c", script)
            .withAttachStdout(true)
            .withAttachStderr(true)
            .exec()
            .getId();
    Output output = new Output();
    try {
      return docker
              .execStartCmd(command)
              .exec(output)
              .awaitCompletion(PATIENCE_SECONDS, TimeUnit.SECONDS)
          ? Optional.of(output.text())
          : Optional.empty();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("interrupted while setting the firewall's rule", e);
    }
  }

  private static final class Output extends ResultCallback.Adapter<Frame> {

    private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();

    @Override
    public void onNext(Frame frame) {
      if (bytes.size() < MAX_OUTPUT) {
        bytes.writeBytes(frame.getPayload());
      }
    }

    /** As one line. */
    String text() {
      return PlainText.of(
          bytes.toString(StandardCharsets.UTF_8).strip().replaceAll("\\s*\\n\\s*", " "));
    }
  }

  private boolean isRunning(String container) {
    try {
      return Boolean.TRUE.equals(
          docker.inspectContainerCmd(container).exec().getState().getRunning());
    } catch (NotFoundException e) {
      return false;
    }
  }

  /** Also those of a manager that was killed. */
  private void removeAll() {
    left = true;
    keeper = Optional.empty();
    seen = false;
    docker
        .listContainersCmd()
        .withShowAll(true)
        .withLabelFilter(
            List.of(Labels.INSTANCE + "=" + settings.instance(), Labels.ROLE + "=" + ROLE))
        .exec()
        .forEach(
            found -> {
              try {
                docker.removeContainerCmd(found.getId()).withForce(true).exec();
              } catch (NotFoundException e) {
                // Gone already.
              }
            });
    left = false;
  }
}
