package io.tinyfaas.runtime;

import java.io.IOException;
import java.net.SocketAddress;
import java.net.UnixDomainSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** A function's image and its one container, run as {@code contract/handler-http.md} says. */
final class HandlerContainer implements AutoCloseable {

  private static final String RUNTIME = "tinyfaas/runtime-java";
  private static final long PATIENCE_SECONDS = 120;

  private final String image;
  private final String id;
  private final Path socket;

  /**
   * @param function the folder of the unpacked archive; its sources are compiled
   * @param sockets an empty folder, to be mounted
   * @param environment of build and run, {@code NAME=value} each
   * @throws IllegalStateException with the compiler's output if it does not compile
   */
  HandlerContainer(Path function, Path sockets, String... environment) throws IOException {
    String command =
        docker(
                "image",
                "inspect",
                "--format",
                "{{index .Config.Labels \"tinyfaas.runtime.build.command\"}}",
                RUNTIME)
            .outputOr("There is no image " + RUNTIME + ": run `make images` first.");
    Files.writeString(
        function.resolve("Dockerfile"),
        "FROM "
            + RUNTIME
            + Stream.of(environment).map(each -> "\nENV " + each).collect(Collectors.joining())
            + "\nCOPY . /function\nRUN rm /function/Dockerfile && if find /function -name '*.java' | grep -q .; then "
            + command
            + "; fi\n");
    image = "tinyfaas-test/runtime-java:" + UUID.randomUUID();
    docker("build", "--progress=plain", "--network=none", "--tag=" + image, function.toString())
        .outputOr("The build failed.");
    Files.setPosixFilePermissions(sockets, PosixFilePermissions.fromString("rwxrwxrwx"));
    socket = sockets.resolve("http.sock");
    String options =
        "run --detach --label io.tinyfaas.test=runtime-java --read-only --user 65534:65534 --network none --cap-drop ALL"
            + " --security-opt no-new-privileges --tmpfs /tmp:size=16m --memory 128m --memory-swap 128m"
            + " --pids-limit 64 --env TINYFAAS_SOCKET=/run/tinyfaas/http.sock --volume "
            + sockets
            + ":/run/tinyfaas "
            + image;
    id = docker(options.split(" ")).outputOr("The container does not start.");
  }

  SocketAddress address() {
    return UnixDomainSocketAddress.of(socket);
  }

  boolean isListening() {
    return Files.exists(socket);
  }

  void signalTerminate() throws IOException {
    docker("kill", "--signal", "TERM", id).outputOr("It is not running.");
  }

  /** Waits for the end of the container. */
  int exitCode() throws IOException {
    return Integer.parseInt(docker("wait", id).outputOr("It is gone."));
  }

  String logs() throws IOException {
    return docker("logs", id).outputOr("It is gone.");
  }

  @Override
  public void close() throws IOException {
    docker("rm", "--force", id);
    docker("image", "rm", "--force", image);
  }

  private record Result(int code, String output) {
    String outputOr(String failure) {
      if (code != 0) {
        throw new IllegalStateException(failure + "\n" + output);
      }
      return output;
    }
  }

  private static Result docker(String... arguments) throws IOException {
    List<String> command = new ArrayList<>(List.of("docker"));
    command.addAll(List.of(arguments));
    Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
    String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    try {
      if (!process.waitFor(PATIENCE_SECONDS, TimeUnit.SECONDS)) {
        process.destroyForcibly();
        throw new IllegalStateException("docker takes too long: " + command);
      }
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
    return new Result(process.exitValue(), output.strip());
  }
}
