package io.tinyfaas.gateway;

import static io.tinyfaas.gateway.CoapFunctions.MAX_BODY;
import static io.tinyfaas.gateway.CoapFunctions.code;
import static io.tinyfaas.gateway.PlayedFunction.random;
import static io.tinyfaas.harness.Eventually.eventually;
import static org.assertj.core.api.Assertions.assertThat;

import io.tinyfaas.harness.Command;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.eclipse.californium.core.CoapResponse;
import org.eclipse.californium.core.coap.CoAP.Code;
import org.eclipse.californium.core.coap.CoAP.Type;
import org.eclipse.californium.core.coap.Request;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Devices that speak CoAP with the packaged gateway, and real handlers behind it. */
class CoapInvocationIT {

  @RegisterExtension private static final CoapFunctions SYSTEM = CoapFunctions.STARTED_ONCE;

  @TempDir private static Path folder;

  @ParameterizedTest
  @CsvSource({
    "GET,2.05",
    "POST,2.04",
    "PUT,2.04",
    "DELETE,2.02",
    "FETCH,2.05",
    "PATCH,2.04",
    "IPATCH,2.04"
  })
  void shouldRunTheFunctionByEachMethodWithItsPayload(Code method, String code) {
    for (String function : List.of("unix", "tcp")) {
      CoapResponse response = SYSTEM.send(method, function, new byte[] {0, (byte) 0xff, 7});
      assertThat(code(response)).isEqualTo(code);
      assertThat(response.getPayload()).isEqualTo(new byte[] {0, (byte) 0xff, 7});
    }
  }

  @Test
  void shouldTellTheHandlerWhatItsContractNames() {
    Request request = new Request(Code.FETCH, Type.NON);
    request.setPayload("x");
    request.getOptions().setContentFormat(60).setAccept(50).addETag(new byte[] {'v', '1'});
    String headers = SYSTEM.advanced("unix/headers/a%20b?q=1&r=2", request).getResponseText();
    assertThat(headers)
        .contains(
            "accept=application/json",
            "content-length=1",
            "content-type=application/cbor",
            "etag=\"v1\"",
            "if-none-match=\"v1\"",
            "x-tinyfaas-message-type=NON",
            "x-tinyfaas-method=FETCH",
            "x-tinyfaas-path=/headers/a%20b",
            "x-tinyfaas-peer=127.0.0.1:" + SYSTEM.devicePort(),
            "x-tinyfaas-protocol=coap",
            "x-tinyfaas-query=q=1&r=2");
    assertThat(SYSTEM.get("unix/headers").getResponseText()).contains("content-length=0");
  }

  @Test
  void shouldMarkADynamicAnswerAsStaleAtOnce() {
    assertThat(SYSTEM.get("unix").getOptions().getMaxAge()).isZero();
  }

  @Test
  void shouldTakeAChunkedAnswer() {
    assertThat(SYSTEM.get("unix/chunked").getResponseText()).isEqualTo("one,two");
  }

  @Test
  void shouldRefuseAFunctionForDevicesToWhoHasNotProvedToBeOne() throws Exception {
    int runs = SYSTEM.runs();
    CoapResponse refused = SYSTEM.get("locked");
    assertThat(code(refused)).isEqualTo("4.01");
    assertThat(refused.getResponseText())
        .isEqualTo("the function is for registered devices: use coaps");
    assertThat(SYSTEM.runs()).isEqualTo(runs);
    assertThat(SYSTEM.gateway().get("/q/metrics").body())
        .contains(
            "tinyfaas_invocations_total{function=\"locked\",outcome=\"unauthorized\",protocol=\"coap\"} 1.0");
  }

  @Test
  void shouldAnswerAnUnknownFunctionWithNotFound() {
    assertThat(code(SYSTEM.get("nobody"))).isEqualTo("4.04");
    assertThat(code(SYSTEM.get(""))).isEqualTo("4.04");
    assertThat(code(SYSTEM.get("UNIX"))).as("names differ by case").isEqualTo("4.04");
    assertThat(SYSTEM.gateway().get("/q/metrics").body()).doesNotContain("nobody", "UNIX");
  }

  @Test
  void shouldAnswerWithoutAHealthyHandlerComeBackLater() {
    for (String function : List.of("empty", "dead")) {
      CoapResponse response = SYSTEM.get(function);
      assertThat(code(response)).isEqualTo("5.03");
      assertThat(response.getOptions().getMaxAge()).isBetween(1L, 10L);
    }
  }

  @Test
  void shouldTryAnotherHandlerWhereOneRefuses() {
    for (int i = 0; i < 20; i++) {
      assertThat(code(SYSTEM.get("half"))).isEqualTo("2.05");
    }
  }

  @Test
  void shouldAnswerTooSlowWithGatewayTimeoutAndCloseTheConnection() {
    SYSTEM.held().hold();
    int before = SYSTEM.heldConnections();
    assertThat(code(SYSTEM.get("hasty"))).isEqualTo("5.04");
    eventually().until(() -> SYSTEM.heldConnections() <= before);
  }

  @Test
  void shouldAnswerGarbageWithBadGateway() {
    assertThat(code(SYSTEM.get("garbage"))).isEqualTo("5.02");
    assertThat(code(SYSTEM.get("unix/vanish"))).isEqualTo("5.02");
    CoapResponse redirect = SYSTEM.get("unix/status/302");
    assertThat(code(redirect)).isEqualTo("5.02");
    assertThat(redirect.getResponseText()).contains("302");
  }

  @Test
  void shouldPassAnErrorAsADiagnostic() {
    CoapResponse response = SYSTEM.get("unix/status/500");
    assertThat(code(response)).isEqualTo("5.00");
    assertThat(response.getResponseText()).isEqualTo("as asked");
    assertThat(response.getOptions().hasContentFormat()).isFalse();
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 1, 1_024, 1_025, 65_536, 524_288, MAX_BODY})
  void shouldCarryABodyBothWays(int size) {
    byte[] body = random(size);
    int runs = SYSTEM.runs();
    CoapResponse response = SYSTEM.send(Code.POST, "unix", body);
    assertThat(code(response)).isEqualTo("2.04");
    assertThat(response.getPayload()).isEqualTo(body);
    assertThat(SYSTEM.runs() - runs).as("assembled, then run once").isEqualTo(1);
  }

  @Test
  void shouldRefuseABodyAboveTheBound() {
    int runs = SYSTEM.runs();
    CoapResponse response = SYSTEM.send(Code.POST, "unix", random(MAX_BODY + 1));
    assertThat(code(response)).isEqualTo("4.13");
    assertThat(response.getOptions().getSize1()).isEqualTo(MAX_BODY);
    assertThat(SYSTEM.runs()).isEqualTo(runs);
  }

  @Test
  void shouldRefuseAnAnswerAboveTheBound() {
    CoapResponse response = SYSTEM.get("unix/size/" + (MAX_BODY + 1));
    assertThat(code(response)).isEqualTo("5.02");
    assertThat(response.getResponseText()).contains("1048576");
  }

  @Test
  void shouldCarryAGetsPayloadBlockWise() {
    assertThat(SYSTEM.send(Code.GET, "unix", random(5_000)).getPayload()).isEqualTo(random(5_000));
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "-N", "-b 64", "-b 1024"})
  void shouldServeLibcoapsClient(String options) throws Exception {
    Path body = Files.write(folder.resolve("body"), random(20_000));
    Path out = folder.resolve("out");
    List<String> command = new ArrayList<>(List.of("coap-client-notls", "-B", "90", "-m", "put"));
    if (!options.isEmpty()) {
      command.addAll(List.of(options.split(" ")));
    }
    command.addAll(List.of("-f", body.toString(), "-o", out.toString(), SYSTEM.uri("unix")));
    String output = Command.of(command).succeed().output();
    assertThat(Files.readAllBytes(out)).as(output).isEqualTo(random(20_000));
  }

  @Test
  void shouldCountAndMeasure() {
    SYSTEM.get("tcp");
    SYSTEM.get("tcp/status/500");
    SYSTEM.get("tcp/status/404");
    SYSTEM.get("nobody");
    eventually()
        .untilAsserted(
            () ->
                assertThat(SYSTEM.gateway().get("/q/metrics").body())
                    .contains("tinyfaas_in_flight 0.0\n"));
    HttpResponse<String> metrics = SYSTEM.gateway().get("/q/metrics");
    assertThat(metrics.body().lines())
        .anyMatch(
            l ->
                l.matches(
                    "tinyfaas_invocations_total\\{function=\"tcp\",outcome=\"ok\",protocol=\"coap\"} .*"))
        .anyMatch(
            l ->
                l.startsWith(
                    "tinyfaas_invocations_total{function=\"tcp\",outcome=\"function_error\""))
        .anyMatch(
            l ->
                l.startsWith(
                    "tinyfaas_invocations_total{function=\"tcp\",outcome=\"client_error\""))
        .anyMatch(
            l ->
                l.startsWith(
                    "tinyfaas_invocations_total{function=\"\",outcome=\"unknown_function\""))
        .anyMatch(
            l ->
                l.startsWith(
                    "tinyfaas_invocation_seconds_bucket{function=\"tcp\",protocol=\"coap\",le=\"0.001\"}"))
        .anyMatch(l -> l.equals("tinyfaas_route_revision 1.0"));
  }

  @Test
  void shouldBeReady() {
    assertThat(SYSTEM.gateway().get("/q/health/ready").statusCode()).isEqualTo(200);
    assertThat(SYSTEM.gateway().get("/q/health/live").statusCode()).isEqualTo(200);
  }
}
