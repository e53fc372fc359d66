package io.tinyfaas.manager;

import static io.tinyfaas.harness.Docker.docker;
import static org.assertj.core.api.Assertions.assertThat;

import io.quarkus.test.common.WithTestResource;
import io.quarkus.test.junit.QuarkusTest;
import io.tinyfaas.manager.archive.Zip;
import java.io.IOException;
import java.nio.file.Files;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** What a function may not do to the box it runs on. */
@Tag("slow")
@QuarkusTest
@WithTestResource(RealParts.class)
class HandlerIsolationIT extends FunctionOnAnEngine {

  private static final String INHERITED =
      "(com\\.docker\\.compose\\.|tinyfaas\\.built|tinyfaas\\.runtime).*=.+";

  @Test
  void shouldRunAHandlerWithoutRightsAndWithinLimits() {
    deploy(spec(), Zip.saying("hello"));

    String container = containers().getFirst();
    assertThat(
            docker(
                "inspect",
                "-f",
                "{{.Config.User}} {{.HostConfig.NetworkMode}} {{.HostConfig.ReadonlyRootfs}}"
                    + " {{.HostConfig.CapDrop}} {{.HostConfig.SecurityOpt}} {{.HostConfig.Memory}}"
                    + " {{.HostConfig.MemorySwap}} {{.HostConfig.NanoCpus}}"
                    + " {{.HostConfig.PidsLimit}} {{.HostConfig.Privileged}}",
                container))
        .containsExactly(
            "65534:65534 none true [ALL] [no-new-privileges] 134217728 134217728 500000000 256"
                + " false");
  }

  /**
   * Whose image has them: Compose would take the handlers for its own, and a function's image would
   * pass for a runtime's.
   */
  @Test
  void shouldCarryNoLabelsOfComposeAndOfItsRuntime() {
    deploy(spec(), Zip.saying("hello"));

    assertThat(
            docker(
                "inspect",
                "-f",
                "{{range $label, $value := .Config.Labels}}{{$label}}={{$value}}\n{{end}}",
                containers().getFirst()))
        .contains("tinyfaas.role=handler")
        .noneMatch(label -> label.matches(INHERITED));
    assertThat(
            docker(
                "inspect",
                "-f",
                "{{range $label, $value := .Config.Labels}}{{$label}}={{$value}}\n{{end}}",
                images().getFirst()))
        .contains("tinyfaas.role=image")
        .noneMatch(label -> label.matches(INHERITED));
  }

  @Test
  void shouldGiveAFunctionNoNetworkButItsOwnLoopback() {
    deploy(
        spec(),
        Zip.node(
            """
            const { networkInterfaces } = require('node:os')
            const { lookup } = require('node:dns/promises')
            module.exports = async (req, res) => {
              const { address } = await lookup('localhost')
              res.send(Object.keys(networkInterfaces()) + ' ' + address)
            }
            """));

    assertThat(invoke(onlyHandler())).endsWith("\r\nlo 127.0.0.1");
  }

  @Test
  void shouldShutTheSocketsFolderOnceAHandlerIsHealthy() throws IOException {
    deploy(
        spec(),
        Zip.node(
            """
            const fs = require('fs')
            module.exports = (req, res) => {
              try {
                fs.writeFileSync('/run/tinyfaas/fill', 'x')
                res.send('written')
              } catch (e) {
                res.send(e.code)
              }
            }
            """));

    assertThat(invoke(onlyHandler())).endsWith("EACCES");
    assertThat(Files.isSymbolicLink(sockets.resolve("Thing"))).isFalse();
  }
}
