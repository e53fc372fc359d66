package io.tinyfaas.manager;

import static io.tinyfaas.harness.Docker.docker;
import static io.tinyfaas.harness.Eventually.eventually;
import static io.tinyfaas.manager.RealParts.INSTANCE;
import static org.assertj.core.api.Assertions.assertThat;

import io.quarkus.test.common.WithTestResource;
import io.quarkus.test.junit.QuarkusTest;
import io.tinyfaas.contract.route.FunctionName;
import io.tinyfaas.contract.route.Route;
import io.tinyfaas.manager.archive.Zip;
import io.tinyfaas.manager.reconcile.FunctionRunner;
import io.tinyfaas.manager.reconcile.Reconciler;
import io.tinyfaas.manager.spec.FunctionSpec;
import io.tinyfaas.manager.spec.Specs;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.net.NetServer;
import io.vertx.core.net.SocketAddress;
import jakarta.inject.Inject;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.eclipse.microprofile.config.inject.ConfigProperty;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** What a handler whose function may call others has of the gateway's socket. */
@Tag("slow")
@QuarkusTest
@WithTestResource(RealParts.class)
class CallingHandlerIT extends FunctionOnAnEngine {

  @Inject FunctionRunner runner;
  @Inject Reconciler reconciler;

  @ConfigProperty(name = "tinyfaas.call-sockets")
  Path callSockets;

  private static FunctionSpec calling(String... functions) {
    return Specs.of(
        "{\"runtime\": \"nodejs\", \"handlers\": 1, \"cpus\": 0.5, \"calls\": [%s]}"
            .formatted(functions.length == 0 ? "" : '"' + String.join("\",\"", functions) + '"'));
  }

  @Override
  void assertNothingIsLeft() {
    super.assertNothingIsLeft();
    eventually()
        .untilAsserted(() -> assertThat(callSockets).isDirectoryNotContaining(Files::isDirectory));
  }

  private Path folder() {
    return callSockets.resolve("Thing").resolve(onlyHandler().id());
  }

  @Test
  void shouldReachTheSocketOfTheGatewayAndChangeNothingThere() throws Exception {
    deploy(
        calling("alarm"),
        Zip.node(
            """
            const fs = require('fs'), net = require('net')
            const socket = process.env.TINYFAAS_CALLS_SOCKET
            const tried = f => { try { f(); return 'done' } catch (e) { return e.code } }
            module.exports = (req, res) => {
              const folder = require('path').dirname(socket)
              const all = [
                socket,
                tried(() => fs.writeFileSync(folder + '/fill', 'x')),
                tried(() => fs.unlinkSync(socket)),
                tried(() => fs.renameSync(socket, folder + '/other')),
                tried(() => fs.chmodSync(socket, 0)),
                tried(() => fs.mkdirSync(folder + '/more')),
                tried(() => fs.symlinkSync('/etc/passwd', folder + '/link')),
                fs.readdirSync(folder).join()
              ]
              net.connect(socket).on('data', d => { all.push(d); res.send(all.join(' ')) })
                .on('error', e => { all.push(e.code); res.send(all.join(' ')) })
            }
            """));
    assertThat(gateway.route("Thing").map(Route::mayCall))
        .contains(List.of(new FunctionName("alarm")));
    Path socket = folder().resolve("http.sock");
    NetServer played =
        vertx.createNetServer().connectHandler(connection -> connection.end(hello()));
    played
        .listen(SocketAddress.domainSocketAddress(socket.toString()))
        .toCompletionStage()
        .toCompletableFuture()
        .get(10, TimeUnit.SECONDS);
    Files.setPosixFilePermissions(socket, PosixFilePermissions.fromString("rw-rw-rw-"));
    try {
      assertThat(invoke(onlyHandler()))
          .endsWith(
              "\r\n/run/tinyfaas-calls/http.sock EROFS EROFS EROFS EROFS EROFS EROFS http.sock"
                  + " hello");
    } finally {
      played.close();
    }
  }

  private static Buffer hello() {
    return Buffer.buffer("hello");
  }

  @Test
  void shouldHaveNothingOfItWhereItsFunctionMayCallNone() {
    deploy(
        spec(),
        Zip.node(
            """
            module.exports = (req, res) => res.send(
              process.env.TINYFAAS_CALLS_SOCKET + ' ' + require('fs').existsSync('/run/tinyfaas-calls'))
            """));

    assertThat(invoke(onlyHandler())).endsWith("\r\nundefined false");
    assertThat(callSockets).isDirectoryNotContaining(Files::isDirectory);
  }

  @Test
  void shouldStayWhereOthersMayBeCalledAndBeMadeAnewWhereThatBeginsOrEnds() {
    deploy(calling("alarm"), Zip.saying("one"));
    List<String> before = containers();
    deploy(calling("alarm", "lamp"), Zip.saying("one"));
    assertThat(containers()).isEqualTo(before);
    assertThat(gateway.route("Thing").orElseThrow().mayCall()).hasSize(2);

    Path folder = folder();
    deploy(calling(), Zip.saying("one"));
    eventually().untilAsserted(() -> assertThat(containers()).doesNotContainAnyElementsOf(before));
    eventually().untilAsserted(() -> assertThat(folder).doesNotExist());
    assertThat(invoke(onlyHandler())).endsWith("one");
  }

  @Test
  void shouldKeepWhatTheGatewayHasMadeWhenItsHandlerStartsAgain() throws IOException {
    deploy(calling("alarm"), Zip.saying("one"));
    Path made = Files.createFile(folder().resolve("http.sock"));

    killAndAwaitTheNextStart(containers().getFirst());

    eventually()
        .ignoreExceptions()
        .untilAsserted(() -> assertThat(invoke(onlyHandler())).endsWith("one"));
    assertThat(made).exists();
  }

  @Test
  void shouldReplaceAHandlerWhoseFolderIsGone() throws IOException {
    deploy(calling("alarm"), Zip.saying("one"));
    List<String> before = containers();
    Files.delete(folder());

    reconciler.signal(FUNCTION);

    eventually().untilAsserted(() -> assertThat(containers()).doesNotContainAnyElementsOf(before));
    eventually().ignoreExceptions().untilAsserted(() -> assertThat(folder()).isDirectory());
  }

  @Test
  void shouldRemoveTheFoldersOfHandlersThatAreGone() throws IOException {
    deploy(calling("alarm"), Zip.saying("one"));
    Path own = folder();
    Files.createDirectories(callSockets.resolve("Thing/0badc0de"));
    Files.createDirectories(callSockets.resolve("Gone/0badc0de"));

    runner.findLeft();
    reconciler.signal(FUNCTION);
    reconciler.signal(new FunctionName("Gone"));

    eventually()
        .untilAsserted(
            () -> {
              assertThat(callSockets.resolve("Gone")).doesNotExist();
              assertThat(callSockets.resolve("Thing/0badc0de")).doesNotExist();
              assertThat(own).exists();
            });
  }

  @Test
  void shouldMountTheFolderOfItsOwnHandlerOnlyAndReadOnly() {
    deploy(calling("alarm"), Zip.saying("one"));

    assertThat(
            docker(
                "inspect",
                "-f",
                "{{range .Mounts}}{{.Source}} {{.Destination}} {{.RW}}\n{{end}}",
                containers().getFirst()))
        .contains(
            docker("volume", "inspect", "-f", "{{.Mountpoint}}", INSTANCE + "_call-sockets")
                    .getFirst()
                + "/Thing/"
                + onlyHandler().id()
                + " /run/tinyfaas-calls false");
  }
}
