package io.tinyfaas.runtime;

import static io.tinyfaas.harness.Docker.docker;

import io.tinyfaas.harness.FailureLogs;
import java.io.IOException;
import java.net.SocketAddress;
import java.net.UnixDomainSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.UUID;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** A function's image and its one container, run as {@code contract/handler-http.md} says. */
final class HandlerContainer implements AutoCloseable {

  private static final String RUNTIME = "tinyfaas/runtime-java";

  private final String image;
  private final String id;
  private final Path socket;

  /**
   * @param function the folder of the unpacked archive; its sources are compiled
   * @param sockets an empty folder, to be mounted
   * @param environment of build and run, {@code NAME=value} each
   * @throws AssertionError with the compiler's output if it does not compile
   */
  HandlerContainer(Path function, Path sockets, String... environment) throws IOException {
    String command =
        docker(
                "image",
                "inspect",
                "--format",
                "{{index .Config.Labels \"tinyfaas.runtime.build.command\"}}",
                RUNTIME)
            .getFirst();
    Files.writeString(
        function.resolve("Dockerfile"),
        "FROM "
            + RUNTIME
            + Stream.of(environment).map(each -> "\nENV " + each).collect(Collectors.joining())
            + "\nCOPY . /function\nRUN rm /function/Dockerfile && if find /function -name '*.java' | grep -q .; then "
            + command
            + "; fi\n");
    image = "tinyfaas-test/runtime-java:" + UUID.randomUUID();
    docker("build", "--progress=plain", "--network=none", "--tag=" + image, function.toString());
    Files.setPosixFilePermissions(sockets, PosixFilePermissions.fromString("rwxrwxrwx"));
    socket = sockets.resolve("http.sock");
    String options =
        "run --detach --label io.tinyfaas.test=runtime-java --read-only --user 65534:65534 --network none --cap-drop ALL"
            + " --security-opt no-new-privileges --tmpfs /tmp:size=16m --memory 128m --memory-swap 128m"
            + " --pids-limit 64 --env TINYFAAS_SOCKET=/run/tinyfaas/http.sock --volume "
            + sockets
            + ":/run/tinyfaas "
            + image;
    id = docker(options.split(" ")).getLast();
    FailureLogs.open(this, "handler", this::logs);
  }

  SocketAddress address() {
    return UnixDomainSocketAddress.of(socket);
  }

  boolean isListening() {
    return Files.exists(socket);
  }

  void signalTerminate() {
    docker("kill", "--signal", "TERM", id);
  }

  /** Waits for the end of the container. */
  int exitCode() {
    return Integer.parseInt(docker("wait", id).getFirst());
  }

  List<String> logs() {
    return docker("logs", id);
  }

  @Override
  public void close() {
    FailureLogs.close(this);
    docker("rm", "--force", id);
    docker("image", "rm", "--force", image);
  }
}
