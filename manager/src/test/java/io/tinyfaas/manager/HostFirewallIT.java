package io.tinyfaas.manager;

import static io.tinyfaas.harness.Docker.docker;
import static io.tinyfaas.harness.Eventually.eventually;
import static io.tinyfaas.harness.Eventually.within;
import static io.tinyfaas.manager.RealParts.INSTANCE;
import static io.tinyfaas.manager.RealParts.ours;
import static org.assertj.core.api.Assertions.assertThat;

import io.quarkus.test.common.WithTestResource;
import io.quarkus.test.junit.QuarkusTest;
import io.tinyfaas.manager.archive.Zip;
import io.tinyfaas.manager.spec.FunctionSpec;
import io.tinyfaas.manager.spec.Specs;
import java.time.Duration;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** The container that keeps functions with network access off the host. */
@Tag("slow")
@QuarkusTest
@WithTestResource(RealParts.class)
class HostFirewallIT extends FunctionOnAnEngine {

  private static final FunctionSpec NETWORKED =
      Specs.of(
          """
          {"runtime": "nodejs", "networkAccess": true}\
          """);

  @Test
  void shouldSetTheRuleAgainWithoutAnotherContainer() {
    deploy(NETWORKED, Zip.saying("one"));
    String keeper = onlyKeeper();
    assertThat(rules()).hasSize(1);
    String rule = rules().getFirst();

    for (int time = 0; time < 2; time++) {
      RealParts.iptables(rule.replaceFirst("^-A", "-D"));
      within(Duration.ofMinutes(1)).untilAsserted(() -> assertThat(rules()).containsExactly(rule));
    }

    assertThat(onlyKeeper()).isEqualTo(keeper);
    assertThat(docker("logs", keeper)).contains("event=firewall-rule outcome=set");
  }

  @Test
  void shouldRunWithoutRightsButThatAndWithinLimits() {
    deploy(NETWORKED, Zip.saying("one"));

    assertThat(
            docker(
                "inspect",
                "-f",
                "{{.HostConfig.NetworkMode}} {{.HostConfig.ReadonlyRootfs}} {{.HostConfig.CapDrop}}"
                    + " {{len .HostConfig.CapAdd}} {{.HostConfig.SecurityOpt}}"
                    + " {{.HostConfig.Memory}} {{.HostConfig.PidsLimit}} {{.HostConfig.Privileged}}"
                    + " {{index .HostConfig.LogConfig.Config \"max-size\"}}",
                onlyKeeper()))
        .containsExactly("host true [ALL] 2 [no-new-privileges] 67108864 16 false 100k");
  }

  @Test
  void shouldMakeAnotherContainerWhenItEnds() {
    deploy(NETWORKED, Zip.saying("one"));
    String before = onlyKeeper();

    docker("kill", "--signal", "KILL", before);

    eventually()
        .untilAsserted(
            () -> assertThat(running()).hasSize(1).isEqualTo(keepers()).doesNotContain(before));
  }

  @Test
  void shouldRemoveItWithTheLastFunctionThatHasNetworkAccess() {
    deploy(NETWORKED, Zip.saying("one"));
    String keeper = onlyKeeper();

    deploy(spec(), Zip.saying("one"));

    eventually().untilAsserted(() -> assertThat(keepers()).doesNotContain(keeper).isEmpty());
    assertThat(invoke(onlyHandler())).endsWith("one");
  }

  @Test
  void shouldTakeThePlaceOfThoseOfAManagerThatWasKilled() {
    String left =
        docker(
                "run",
                "--detach",
                "--label",
                "tinyfaas.instance=" + INSTANCE,
                "--label",
                "tinyfaas.role=firewall",
                "--entrypoint",
                "sleep",
                "tinyfaas/manager",
                "1000")
            .getFirst();

    deploy(NETWORKED, Zip.saying("one"));

    assertThat(onlyKeeper()).isNotEqualTo(left);
  }

  /** Of which nothing else is there; else it is another's who shares our addresses. */
  @Test
  void shouldRemoveRulesOfInstallationsThatAreGone() {
    String gone = "gone-" + INSTANCE;
    String there = "there-" + INSTANCE;
    docker("network", "create", "--internal", "--label", "tinyfaas.instance=" + there, there);
    List<String> forgotten = List.of(rule(RealParts.POOL, gone), rule(RealParts.POOL, there));
    String elsewhere = rule("192.0.2.0/24", gone);
    try {
      forgotten.forEach(rule -> RealParts.iptables("-I INPUT 1 " + rule));
      RealParts.iptables("-I INPUT 1 " + elsewhere);

      deploy(NETWORKED, Zip.saying("one"));

      assertThat(RealParts.iptables("-S INPUT"))
          .noneMatch(rule -> rule.contains(gone) && rule.contains(RealParts.POOL))
          .anyMatch(rule -> rule.contains(there))
          .anyMatch(rule -> rule.contains("192.0.2.0/24"));
    } finally {
      docker("network", "rm", there);
      Stream.concat(forgotten.stream(), Stream.of(elsewhere))
          .forEach(rule -> RealParts.iptables("-D INPUT " + rule + " 2>/dev/null; true"));
    }
  }

  private static String rule(String range, String installation) {
    return "-s %s -m comment --comment tinyfaas:%s -j DROP".formatted(range, installation);
  }

  private static String onlyKeeper() {
    assertThat(keepers()).hasSize(1);
    return keepers().getFirst();
  }

  private static List<String> keepers() {
    return docker(
        "ps",
        "-a",
        "-q",
        "--no-trunc",
        "--filter",
        ours(),
        "--filter",
        "label=tinyfaas.role=firewall");
  }

  private static List<String> running() {
    return docker(
        "ps", "-q", "--no-trunc", "--filter", ours(), "--filter", "label=tinyfaas.role=firewall");
  }

  private static List<String> rules() {
    return RealParts.iptables("-S INPUT").stream()
        .filter(rule -> rule.contains("tinyfaas:" + INSTANCE))
        .toList();
  }
}
