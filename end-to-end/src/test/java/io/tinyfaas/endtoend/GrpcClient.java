package io.tinyfaas.endtoend;

import static io.tinyfaas.harness.Eventually.patient;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * Debian's gRPC client for Python, with what its compiler makes of our {@code .proto}; in a
 * container, so that the machine need not have it.
 */
final class GrpcClient {

  private static final ClientImage IMAGE =
      new ClientImage(
          "tinyfaas/test-grpc",
          """
          FROM debian:trixie-slim
          RUN apt-get update \\
           && apt-get install -y --no-install-recommends python3-grpcio python3-protobuf protobuf-compiler \\
                protobuf-compiler-grpc \\
           && rm -rf /var/lib/apt/lists/*
          COPY tinyfaas.proto /client/
          RUN cd /client && protoc --python_out=. --grpc_out=. --plugin=protoc-gen-grpc=/usr/bin/grpc_python_plugin \\
                tinyfaas.proto
          ENV PYTHONPATH=/client
          """);

  private final Installation system;
  private final Path folder;

  /**
   * @param folder for files of its own
   */
  GrpcClient(Installation system, Path folder) {
    this.system = system;
    this.folder = folder;
  }

  /** Builds its image, if that is not there yet. */
  GrpcClient build() {
    IMAGE.build(system, folder, Map.of("tinyfaas.proto", Checkout.read("contract/tinyfaas.proto")));
    return this;
  }

  /**
   * @param script has {@code stub}, {@code channel} and a function {@code ask(function, data='',
   *     **more)}, which returns the answer's text or, where the call fails, {@code 'STATUS
   *     details'}
   * @return the lines that it printed
   */
  List<String> python(String script) {
    return system.docker(docker(script).toArray(String[]::new));
  }

  /** The same for a script that prints, and ends when the process does. */
  Process start(String script) throws IOException {
    List<String> command = new ArrayList<>(List.of("docker"));
    command.addAll(docker(script));
    return system.process(command.toArray(String[]::new)).start();
  }

  private List<String> docker(String script) {
    String frame =
        """
        import grpc, hashlib, tinyfaas_pb2, tinyfaas_pb2_grpc
        target = '%s'
        channel = grpc.insecure_channel(target)
        stub = tinyfaas_pb2_grpc.TinyFaaSStub(channel)
        def ask(function, data='', **more):
            more.setdefault('timeout', %d)
            try:
                return stub.Request(tinyfaas_pb2.Data(functionIdentifier=function, data=data), **more).response
            except grpc.RpcError as error:
                return f'{error.code().name} {error.details()}'
        %s
        """
            .formatted(system.grpcTarget(), patient(Duration.ofSeconds(20)).toSeconds(), script);
    try {
      Files.writeString(folder.resolve("ask.py"), frame);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return List.of(
        "run",
        "--rm",
        "--init",
        "--network",
        "host",
        "--volume",
        folder + ":/work:ro",
        IMAGE.tag(),
        "python3",
        "/work/ask.py");
  }
}
