package io.tinyfaas.endtoend;

import static io.tinyfaas.harness.Eventually.eventually;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.tinyfaas.endtoend.StockClient.Body;
import io.tinyfaas.golden.GoldenExchanges;
import java.io.IOException;
import java.net.UnixDomainSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.function.UnaryOperator;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.eclipse.californium.core.CoapResponse;
import org.eclipse.californium.core.coap.CoAP.ResponseCode;
import org.eclipse.californium.core.coap.CoAP.Type;
import org.eclipse.californium.core.coap.MediaTypeRegistry;
import org.eclipse.californium.core.coap.Message;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.AfterParameterizedClassInvocation;
import org.junit.jupiter.params.BeforeParameterizedClassInvocation;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.FieldSource;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * What holds for functions in every language, asked of the golden functions, deployed once each.
 */
@ParameterizedClass
@MethodSource("runtimes")
class RuntimeIT {

  @RegisterExtension private static final Installation SYSTEM = Installation.UNIX;
  private static final String GOLDEN = "contract/golden/handler/";

  private static final List<String> FUNCTIONS =
      List.of("echo", "throw", "status", "headers", "slow");

  /** What tells where in the author's file an error comes from, in languages that have that. */
  private static final Map<String, String> TRACES =
      Map.of("nodejs", "index\\.js", "java", "Throw\\.java", "python3", "fn\\.py");

  /** A header's name as functions of each language see it. */
  private static final Map<String, UnaryOperator<String>> NAMES =
      Map.of(
          "nodejs", name -> name,
          "java", name -> name.toUpperCase(Locale.ROOT),
          "python3", RuntimeIT::capitalised,
          "go", RuntimeIT::capitalised,
          "binary", name -> "HTTP_" + name.toUpperCase(Locale.ROOT).replace('-', '_'));

  private static final Functions GOLDEN_FUNCTIONS = new Functions(SYSTEM);

  @RegisterExtension private final Functions functions = new Functions(SYSTEM);

  @RegisterExtension private final Device device = new Device(SYSTEM);

  @Parameter String runtime;

  /** Those that the golden functions are written for. */
  static List<String> runtimes() {
    return folders(Checkout.path().resolve(GOLDEN + "functions"));
  }

  private static List<String> folders(Path parent) {
    try (Stream<Path> found = Files.list(parent)) {
      return found
          .filter(Files::isDirectory)
          .map(folder -> folder.getFileName().toString())
          .sorted()
          .toList();
    } catch (IOException e) {
      throw new IllegalStateException(e);
    }
  }

  @BeforeParameterizedClassInvocation
  static void deploy(String runtime) {
    for (String function : FUNCTIONS) {
      GOLDEN_FUNCTIONS.deploy(
          function,
          Map.of("runtime", runtime),
          Archives.ofFolder(GOLDEN + "functions/" + runtime + "/" + function));
    }
    GOLDEN_FUNCTIONS.deploy(
        "names",
        Map.of("runtime", runtime),
        Archives.ofFolder("end-to-end/src/test/functions/names/" + runtime));
  }

  @AfterParameterizedClassInvocation
  static void delete() {
    GOLDEN_FUNCTIONS.removeAll();
  }

  @ParameterizedTest
  @FieldSource("FUNCTIONS")
  void shouldAnswerTheGoldenExchanges(String function) throws Exception {
    String handler = GOLDEN_FUNCTIONS.handlers(function).getFirst();

    GoldenExchanges.in(Checkout.path().resolve(GOLDEN + function + ".json"))
        .replay(UnixDomainSocketAddress.of(SYSTEM.socket(function, handler)));
  }

  @Test
  void shouldRefuseHeadsAsAllRuntimesDo() throws Exception {
    String handler = GOLDEN_FUNCTIONS.handlers("echo").getFirst();

    GoldenExchanges.in(Checkout.path().resolve(GOLDEN + "head.json"))
        .replay(UnixDomainSocketAddress.of(SYSTEM.socket("echo", handler)));
  }

  @Test
  void shouldReturnBodiesOfEverySizeByteByByte() {
    Random random = new Random(7);
    for (int size : List.of(0, 1, 16, 1_024, 1_025, 64 * 1_024, 512 * 1_024, 1_024 * 1_024)) {
      byte[] body = new byte[size];
      random.nextBytes(body);

      CoapResponse response = device.post("echo", body);

      assertThat(response).as(size + " bytes").isNotNull();
      assertThat(response.getCode()).as(size + " bytes").isEqualTo(ResponseCode.CHANGED);
      assertThat(Arrays.equals(response.getPayload(), body)).as(size + " bytes").isTrue();
    }
    byte[] text = "Grüße, 世界 🌍".getBytes(UTF_8);
    assertThat(device.post("echo", text).getPayload()).isEqualTo(text);
  }

  @Test
  void shouldRefuseABodyAboveTheLimit() {
    CoapResponse response = device.post("echo", new byte[1_024 * 1_024 + 1]);

    assertThat(response.getCode()).isEqualTo(ResponseCode.REQUEST_ENTITY_TOO_LARGE);
    assertThat(device.post("echo", new byte[] {1}).getPayload()).containsExactly(1);
  }

  @Test
  void shouldTellTheFunctionWhatTheDeviceAsked() {
    CoapResponse response = device.get("headers/a%20b/%C3%BC?x=1&y=%C3%BC");

    assertThat(response.getResponseText().lines())
        .contains(
            "x-tinyfaas-method: GET",
            "x-tinyfaas-path: /a%20b/%C3%BC",
            "x-tinyfaas-query: x=1&y=%C3%BC",
            "x-tinyfaas-protocol: coap",
            "x-tinyfaas-message-type: CON")
        .anyMatch(line -> line.matches("x-tinyfaas-peer: 127\\.0\\.0\\.1:\\d+"));
  }

  @Test
  void shouldAnswerWithTheFunctionsStatusLocationAndFormat() {
    CoapResponse response = device.post("status", new byte[0]);

    assertThat(response.getCode()).isEqualTo(ResponseCode.CREATED);
    assertThat(response.getOptions().getLocationPathString()).isEqualTo("things/7");
    assertThat(response.getOptions().getContentFormat()).isEqualTo(MediaTypeRegistry.TEXT_PLAIN);
    assertThat(response.getResponseText()).isEqualTo("made");
  }

  @Test
  void shouldAnswerAThrownErrorShortlyAndLiveOn() {
    List<String> handlers = SYSTEM.handlers("throw");

    for (int n = 1; n <= 3; n++) {
      CoapResponse response = device.post("throw", ("no such device " + n).getBytes(UTF_8));
      assertThat(response.getCode()).isEqualTo(ResponseCode.INTERNAL_SERVER_ERROR);
      assertThat(response.getResponseText()).isEqualTo("no such device " + n);
      assertThat(response.getOptions().hasContentFormat()).isFalse();
    }

    eventually()
        .untilAsserted(
            () ->
                assertThat(SYSTEM.rest().get("/functions/throw/logs").asString().lines())
                    .anyMatch(line -> line.contains("no such device 3"))
                    .anyMatch(
                        line -> line.matches(".*" + TRACES.getOrDefault(runtime, "") + ".*")));
    assertThat(SYSTEM.handlers("throw")).isEqualTo(handlers);
    assertThat(
            SYSTEM.docker(
                "inspect", "--format", "{{.RestartCount}} {{.State.Running}}", handlers.getFirst()))
        .containsExactly("0 true");
  }

  @Test
  void shouldRunAFunctionWithADependency() {
    functions.deploy("dependent", Map.of("runtime", runtime), Code.withADependency(runtime));

    assertThat(device.post("dependent", utf8("42")).getResponseText()).isEqualTo("true");
    assertThat(device.post("dependent", utf8("x")).getResponseText()).isEqualTo("false");
  }

  /** By clients that we did not write. */
  @ParameterizedTest
  @EnumSource
  void shouldEchoAndTellHeadersOverEveryProtocol(StockClient client, @TempDir Path folder)
      throws IOException {
    byte[] random = new byte[client == StockClient.AIOCOAP ? 20_000 : 512 * 1_024];
    new Random(7).nextBytes(random);
    byte[] large = client.carriesBytes ? random : "0123456789abcdef".repeat(32 * 1_024).getBytes();
    List<Body> asked = new ArrayList<>();
    for (byte[] body : List.of(new byte[0], utf8("x"), utf8("Grüße, 世界 🌍"), large)) {
      asked.add(new Body("echo", body));
    }
    asked.add(new Body("names", utf8("x-tinyfaas-protocol")));
    if (client.hasHeaders()) {
      asked.add(new Body("names", utf8("x-own")));
    }

    List<byte[]> answers = client.post(SYSTEM, folder, asked);

    for (int n = 0; n < 4; n++) {
      assertThat(Arrays.equals(answers.get(n), asked.get(n).bytes()))
          .as(asked.get(n).bytes().length + " bytes, " + answers.get(n).length + " came back")
          .isTrue();
    }
    assertThat(new String(answers.get(4), UTF_8))
        .isEqualTo(NAMES.get(runtime).apply("x-tinyfaas-protocol") + "=" + client.protocol);
    if (client.hasHeaders()) {
      assertThat(new String(answers.get(5), UTF_8))
          .isEqualTo(NAMES.get(runtime).apply("x-own") + "=mine");
    }
  }

  @Test
  void shouldRunARetransmittedRequestOnce() {
    // CON POST names, its body after the marker.
    String header = "x-tinyfaas-message-type";
    String request =
        "4002 5a5a b5 %s ff %s"
            .formatted(
                HexFormat.of().formatHex(utf8("names")), HexFormat.of().formatHex(utf8(header)));
    Set<String> answers = new HashSet<>();
    try (DatagramClient client = new DatagramClient(SYSTEM.coapPort())) {
      client.send(request);
      client.send(request);
      Message answer = client.receive();
      while (!isAnswer(answer)) {
        answer = client.receive();
      }
      answers.add(answer.getPayloadString());
      if (answer.getType() == Type.CON) {
        // It took longer than an acknowledgement may, and wants one itself.
        client.send("6000 %04x".formatted(answer.getMID()));
      }
      client.send(request);
      // A ping: what the gateway says to the request comes before its answer to that.
      client.send("4000 7b7b");
      Message again = client.receive();
      while (again.getMID() != 0x7b7b) {
        if (isAnswer(again)) {
          answers.add(again.getPayloadString());
        }
        again = client.receive();
      }
    }

    assertThat(answers).hasSize(1).first().asString().endsWith("=CON");
    // What is asked afterwards is logged afterwards.
    String later = "x-tinyfaas-peer";
    device.post("names", utf8(later));
    Gate.awaitAsked(SYSTEM, "names", later);
    assertThat(SYSTEM.rest().get("/functions/names/logs").asString().lines())
        .filteredOn(line -> line.endsWith("asked for " + header))
        .hasSize(1);
  }

  /** And no empty acknowledgement. */
  private static boolean isAnswer(Message message) {
    return message.getPayloadSize() > 0;
  }

  /** {@code X-Tinyfaas-Method} */
  private static String capitalised(String name) {
    return Pattern.compile("(^|-)([a-z])")
        .matcher(name)
        .replaceAll(m -> m.group().toUpperCase(Locale.ROOT));
  }

  private static byte[] utf8(String text) {
    return text.getBytes(UTF_8);
  }
}
