package io.tinyfaas.endtoend;

import static io.tinyfaas.harness.Eventually.eventually;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import org.awaitility.core.ThrowingRunnable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Clients by others, as people have them on their machines. */
class PeersIT {

  @RegisterExtension private static final Installation SYSTEM = Installation.UNIX;
  private static final String ECHO = "contract/golden/handler/functions/nodejs/echo";
  private static final String HEADERS = "contract/golden/handler/functions/nodejs/headers";

  @RegisterExtension private final Functions functions = new Functions(SYSTEM);

  @TempDir private Path folder;

  @BeforeEach
  void deploy() {
    functions.deploy("echo", Archives.ofFolder(ECHO));
  }

  private Path file(int size) throws IOException {
    byte[] content = new byte[size];
    new Random(size).nextBytes(content);
    return Files.write(folder.resolve("sent"), content);
  }

  /** libcoap's client, of the packages that Debian has of it. */
  @Nested
  class LibcoapClient {

    private String ask(String path, String... options) {
      return Libcoap.ask(SYSTEM, SYSTEM.coapUri(path), options);
    }

    /** On a box that is slow, the acknowledgement may go before the answer. */
    private static void untilPiggybacked(ThrowingRunnable assertion) {
      eventually().untilAsserted(assertion);
    }

    @Test
    void shouldGet() {
      functions.deploy("sieve", Archives.ofFolder("examples/sieve-node"));

      untilPiggybacked(
          () ->
              assertThat(ask("sieve", "-m", "get", "-v", "6"))
                  .contains("t:ACK c:2.05", "Content-Format:text/plain", "2,3,5,7,11,13,17,19"));
    }

    @ParameterizedTest
    @ValueSource(strings = {"post", "put", "patch", "ipatch", "fetch", "delete"})
    void shouldTellTheMethod(String method) {
      functions.deploy("headers", Archives.ofFolder(HEADERS));

      assertThat(ask("headers/a%20b?x=1&y=%26", "-m", method, "-e", "x"))
          .containsIgnoringCase("x-tinyfaas-method: " + method + "\n")
          .contains("x-tinyfaas-path: /a%20b\n", "x-tinyfaas-query: x=1&y=%26");
    }

    @Test
    void shouldPostABody() {
      untilPiggybacked(
          () ->
              assertThat(ask("echo", "-m", "post", "-t", "text/plain", "-e", "Hello", "-v", "6"))
                  .contains("t:ACK c:2.04", "Content-Format:text/plain", "Hello"));
    }

    @Test
    void shouldGetAnAnswerToANonConfirmableRequest() {
      functions.deploy("headers", Archives.ofFolder(HEADERS));

      assertThat(ask("headers", "-N", "-m", "get", "-v", "6"))
          .contains("t:NON c:2.05", "x-tinyfaas-message-type: NON");
    }

    @ParameterizedTest
    @ValueSource(ints = {16, 64, 256, 1024})
    void shouldTransferInBlocksOfItsSize(int block) throws IOException {
      Path sent = file(block * 20 + 7);
      Path received = folder.resolve("received");

      ask(
          "echo",
          "-m",
          "post",
          "-b",
          Integer.toString(block),
          "-f",
          sent.toString(),
          "-o",
          received.toString());

      assertThat(received).hasSameBinaryContentAs(sent);
    }

    @Test
    void shouldBeToldThatThereIsNoSuchFunction() {
      assertThat(ask("nobody", "-m", "get")).contains("4.04", "no such function");
    }

    @Test
    void shouldBeToldThatTheFunctionFailed() {
      functions.deploy(
          "failing", Code.node("module.exports = () => { throw new Error('no such lamp'); };"));

      assertThat(ask("failing", "-m", "get")).contains("5.00", "no such lamp");
    }
  }

  @Nested
  class AiocoapClient {

    private List<String> python(String script) {
      return new Aiocoap(SYSTEM, folder).build().python(script);
    }

    @Test
    void shouldGetAndPutAndBeToldOfErrors() {
      functions.deploy("headers", Archives.ofFolder(HEADERS));

      assertThat(
              python(
                  """
                  answer = await ask(GET, 'headers/a/b?x=1')
                  print(answer.code, answer.payload.decode())
                  answer = await ask(PUT, 'echo', b'on', content_format=0)
                  print(answer.code, int(answer.opt.content_format), answer.payload.decode())
                  answer = await ask(GET, 'headers', mtype=NON)
                  print(answer.code, answer.mtype, 'NON' in answer.payload.decode())
                  answer = await ask(GET, 'nobody')
                  print(answer.code, answer.payload.decode())
                  """))
          .contains(
              "2.05 Content x-tinyfaas-message-type: CON",
              "x-tinyfaas-path: /a/b",
              "x-tinyfaas-query: x=1",
              "2.04 Changed 0 on",
              "2.05 Content NON True",
              "4.04 Not Found no such function");
    }

    @Test
    void shouldTransferBlockWiseBothWays() {
      assertThat(
              python(
                  """
                  body = bytes(n * 7 % 251 for n in range(300_001))
                  for code in PUT, POST:
                      answer = await ask(code, 'echo', body)
                      print(answer.code, len(answer.payload), answer.payload == body)
                  """))
          .containsExactly("2.04 Changed 300001 True", "2.04 Changed 300001 True");
    }

    /** Each of its own resource: RFC 7959, 2.5, has one transfer at a time of one resource. */
    @Test
    void shouldTransferManyBodiesAtOnce() {
      assertThat(
              python(
                  """
                  bodies = [bytes([n]) * (n * 1_000) for n in range(20)]
                  answers = await asyncio.gather(*[ask(POST, f'echo/{n}', b) for n, b in enumerate(bodies)])
                  print([a.payload for a in answers] == bodies)
                  """))
          .containsExactly("True");
    }
  }
}
