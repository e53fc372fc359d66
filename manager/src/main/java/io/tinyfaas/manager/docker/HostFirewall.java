package io.tinyfaas.manager.docker;

import com.github.dockerjava.api.model.Capability;
import com.github.dockerjava.api.model.HostConfig;
import io.tinyfaas.manager.problem.ProblemException;
import io.tinyfaas.manager.problem.ProblemType;
import jakarta.enterprise.context.ApplicationScoped;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.locks.ReentrantLock;

/**
 * Keeps functions with network access off the host. Docker separates bridges from each other, but
 * every container reaches its bridge's own address and through it whatever the host listens on; one
 * rule drops what comes from our address pool to the host itself.
 *
 * <p>The rule is set by a {@link HostCommand}, so that the manager itself needs no right to touch
 * the firewall. A firewall that is reloaded forgets it: it is looked after again before every
 * network, and by the reconciler.
 */
@ApplicationScoped
public class HostFirewall {

  /** Of the containers that set the rule. */
  static final String ROLE = "firewall";

  /**
   * Where it is already set nothing changes; {@code -w} waits for others at the same lock. A kernel
   * without nftables has the older tables only.
   */
  private static final String RULE =
      "iptables=iptables; iptables -w 5 -S INPUT >/dev/null 2>&1 || iptables=iptables-legacy; "
          + "rule='-s %s -m comment --comment tinyfaas:%s -j DROP'; "
          + "$iptables -w 5 -C INPUT $rule 2>/dev/null || $iptables -w 5 -I INPUT 1 $rule";

  private static final Duration LASTS = Duration.ofSeconds(30);

  private final HostCommand host;
  private final EngineSettings settings;
  private final ReentrantLock setting = new ReentrantLock();
  private long seenSet;
  private boolean everSet;

  HostFirewall(HostCommand host, EngineSettings settings) {
    this.host = host;
    this.settings = settings;
  }

  /**
   * Returns once the rule is in place.
   *
   * @throws ProblemException if it cannot be set: then no function gets network access
   */
  public void ensure() {
    setting.lock();
    try {
      if (!everSet || System.nanoTime() - seenSet > LASTS.toNanos()) {
        set();
        everSet = true;
        seenSet = System.nanoTime();
      }
    } finally {
      setting.unlock();
    }
  }

  /** Removes what a command on the host has left behind, if one has. */
  void removeLeft() {
    host.removeLeft();
  }

  private void set() {
    HostConfig rights =
        HostConfig.newHostConfig()
            .withCapAdd(Capability.NET_ADMIN, Capability.NET_RAW)
            .withTmpFs(Map.of("/run", "rw,size=64k"));
    String rule = RULE.formatted(settings.addressPool(), settings.instance());
    HostCommand.Result result = host.run(ROLE, "0:0", rights, "/bin/sh", "-c", rule);
    if (result.exit() != 0) {
      throw ProblemException.of(
          ProblemType.START_FAILED,
          "The rule that keeps functions with network access off this box could not be set, so"
              + " none is started: "
              + result.output());
    }
  }
}
