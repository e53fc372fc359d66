package io.tinyfaas.endtoend;

import static io.tinyfaas.harness.Eventually.eventually;
import static java.nio.charset.StandardCharsets.UTF_8;

import java.util.List;
import java.util.Map;
import org.eclipse.californium.core.CoapResponse;

/**
 * What a function waits at until the test opens it: what has not happened yet has then certainly
 * not happened, on a fast box and on a slow one.
 */
final class Gate {

  private static final String OPEN = "open";
  private static final String FILE = "/tmp/open";

  /**
   * Answers nobody until it is asked to open, and then everybody with the body that they sent. The
   * test opens it by {@link #open(Device, String)}.
   */
  static final byte[] IN_A_FUNCTION =
      Code.node(
          """
          let open;
          const opened = new Promise((resolve) => (open = resolve));
          module.exports = async (req, res) => {
            console.log('asked for ' + req.body);
            if (req.body === '%s') open();
            await opened;
            res.send(req.body);
          };
          """
              .formatted(OPEN));

  /**
   * The same for a function that nobody may reach any more when it is opened, by {@link
   * #open(Installation, String)}. Who sends no body is answered at once.
   */
  static final byte[] IN_A_HANDLER =
      Code.node(
          """
          const fs = require('node:fs');
          module.exports = (req, res) => {
            console.log('asked for ' + req.body);
            const look = () => !req.body || fs.existsSync('%s') ? res.send(req.body) : setTimeout(look, 20);
            look();
          };
          """
              .formatted(FILE));

  private Gate() {}

  /** A function whose build waits, and which then is this code. */
  static byte[] inTheBuildOf(String code) {
    return Code.of(
        Map.of(
            "index.js",
            code,
            "package.json",
            "{\"scripts\":{\"preinstall\":\"until [ -e %s ]; do sleep 0.05; done\"}}"
                .formatted(FILE)));
  }

  /** A function that does not end loading, and then answers this. */
  static byte[] whileItLoads(String text) {
    return Code.node(
        """
        const fs = require('node:fs');
        const pause = new Int32Array(new SharedArrayBuffer(4));
        while (!fs.existsSync('%s')) Atomics.wait(pause, 0, 0, 20);
        module.exports = (req, res) => res.send('%s');
        """
            .formatted(FILE, text));
  }

  static void open(Device device, String function) {
    CoapResponse answer = device.post(function, OPEN.getBytes(UTF_8));
    if (answer == null || !answer.isSuccess()) {
      throw new AssertionError(function + " did not open: " + answer);
    }
  }

  /** In a container. */
  static void open(Installation system, String container) {
    system.docker("exec", container, "touch", FILE);
  }

  /** In those containers of a function that run and are still there when it is their turn. */
  static void openThoseThatRun(Installation system, String function) {
    for (String container : system.running(function)) {
      system.command("docker", "exec", container, "touch", FILE).run();
    }
  }

  /** The container that runs of a function's build, once there is one. */
  static String awaitBuild(Installation system, String function) {
    return eventually()
        .until(
            () ->
                system.docker(
                    "ps",
                    "--quiet",
                    "--filter",
                    "label=tinyfaas.instance=" + system.project(),
                    "--filter",
                    "label=tinyfaas.function=" + function,
                    "--filter",
                    "label=tinyfaas.role=build"),
            found -> !found.isEmpty())
        .getFirst();
  }

  /** Returns when a function has been asked for something, by what it logs. */
  static void awaitAsked(Installation system, String function, String body) {
    eventually()
        .until(
            () -> system.rest().get("/functions/{name}/logs", function).asString().lines().toList(),
            (List<String> lines) ->
                lines.stream().anyMatch(line -> line.endsWith("asked for " + body)));
  }
}
