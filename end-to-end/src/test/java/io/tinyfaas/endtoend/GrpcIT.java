package io.tinyfaas.endtoend;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;

/** Functions by gRPC, asked with Debian's client for Python. */
class GrpcIT {

  @RegisterExtension private static final Installation SYSTEM = Installation.UNIX;
  private static final String ECHO = "contract/golden/handler/functions/nodejs/echo";

  @RegisterExtension private final Functions functions = new Functions(SYSTEM);

  @TempDir private Path folder;
  private GrpcClient client;

  @BeforeEach
  void deploy() {
    client = new GrpcClient(SYSTEM, folder).build();
    functions.deploy("echo", Archives.ofFolder(ECHO));
  }

  @Tag("smoke")
  @Test
  void shouldEchoText() {
    assertThat(
            client.python(
                """
                for text in '', 'x', 'grüße ✓ 😀', 'ab\\n' * (170 * 1024):
                    print(len(text), ask('echo', text) == text)
                """))
        .containsExactly("0 True", "1 True", "9 True", "522240 True");
  }

  @Test
  void shouldPassMetadataOnAndSayWhatIsWrong() {
    functions.deploy("headers", Functions.HEADERS);
    functions.deploy("failing", Functions.FAILING);
    functions.deploy(
        "bytes", Code.node("module.exports = (req, res) => res.send(Buffer.of(255));"));
    functions.deploy("slow", Code.node("module.exports = () => {};"));

    assertThat(
            client.python(
                """
                print(ask('headers', metadata=[('x-own', 'mine'), ('x-bytes-bin', b'x')]))
                print(ask('nobody'))
                print(ask('failing'))
                print(ask('bytes'))
                print(ask('slow', timeout=1))
                """))
        .contains("x-own: mine", "x-tinyfaas-protocol: grpc", "x-tinyfaas-method: POST")
        .contains("NOT_FOUND no such function", "DEADLINE_EXCEEDED Deadline Exceeded")
        .anyMatch(
            line ->
                line.startsWith("UNKNOWN the function answered 500") && line.contains("no lamp"))
        .anyMatch(line -> line.startsWith("INTERNAL") && line.contains("not UTF-8"))
        .noneMatch(line -> line.startsWith("x-bytes-bin"));
  }

  /** What grpcurl and others ask first, by both names of the service. */
  @Test
  void shouldDescribeItselfAsTheContractDoes() {
    assertThat(
            client.python(
                """
                def reflect(version, question):
                    call = channel.stream_stream(f'/grpc.reflection.{version}.ServerReflection/ServerReflectionInfo')
                    return next(call(iter([question]), timeout=60))
                name = b'openfogstack.tinyfaas.tinyfaas.TinyFaaS'
                for version in 'v1', 'v1alpha':
                    print(name in reflect(version, b'\\x3a\\x00'))
                    print(tinyfaas_pb2.DESCRIPTOR.serialized_pb in reflect(version, b'\\x22' + bytes([len(name)]) + name))
                print(channel.unary_unary('/grpc.health.v1.Health/Check')(b'', timeout=60))
                """))
        .containsExactly("True", "True", "True", "True", "b'\\x08\\x01'");
  }
}
