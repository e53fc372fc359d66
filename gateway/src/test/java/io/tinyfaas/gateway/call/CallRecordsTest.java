package io.tinyfaas.gateway.call;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.tinyfaas.contract.control.CallState;
import io.tinyfaas.gateway.call.Call.Origin;
import io.tinyfaas.gateway.call.IdempotencyKey.Digest;
import io.tinyfaas.gateway.callback.Callback;
import io.tinyfaas.gateway.ingress.Protocol;
import io.tinyfaas.gateway.invoke.Invocation;
import io.tinyfaas.gateway.invoke.InvocationResult.Answered;
import io.tinyfaas.gateway.invoke.Lineage;
import io.tinyfaas.harness.Seed;
import io.vertx.core.MultiMap;
import java.io.IOException;
import java.net.InetAddress;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class CallRecordsTest {

  @RegisterExtension final Seed seed = new Seed();

  private interface Reading {
    Object of(byte[] bytes) throws IOException;
  }

  private static Call call(Optional<IdempotencyKey> key) {
    Origin origin =
        new Origin(TestCalls.id(7), 7, "f", Protocol.COAPS, "sensor-1", "back", "", 3, key, 1_234);
    return new Call(origin, 1_000, 2_000, true);
  }

  private static Invocation request() throws IOException {
    return new Invocation(
        "f",
        Protocol.HTTP,
        InetAddress.getByName("2001:db8::1"),
        "sensor-1",
        MultiMap.caseInsensitiveMultiMap()
            .add("A", "1")
            .add("a", "2")
            .add("B", "\u00e9\ud83d\ude00"),
        new byte[] {1, 2, 3});
  }

  private static void assertSame(Call read, Call written) {
    assertThat(read.origin()).isEqualTo(written.origin());
    assertThat(read).usingRecursiveComparison().ignoringFields("watchers").isEqualTo(written);
  }

  @Test
  void shouldReadStatesAsTheyWereWritten() throws IOException {
    Call waits = call(Optional.of(new IdempotencyKey(new Digest(1, 2), new Digest(3, -4))));
    assertSame(CallRecords.toCall(7, CallRecords.ofState(waits)), waits);

    Call again = call(Optional.empty());
    again.begin();
    again.attempted(503, "status 503: later");
    again.waitUntil(5_000);
    assertSame(CallRecords.toCall(7, CallRecords.ofState(again)), again);
  }

  @ParameterizedTest
  @EnumSource(names = {"DONE", "FAILED"})
  void shouldReadHowItWasDecided(CallState end) throws IOException {
    Call ended = call(Optional.empty());
    ended.begin();
    ended.attempted(200, "");
    ended.finish(end, 9_000);
    byte[] written = CallRecords.ofState(ended);
    assertThat(ended.state()).isEqualTo(CallState.RUNNING);

    ended.settle();
    assertSame(CallRecords.toCall(7, written), ended);
  }

  @Test
  void shouldReadWhatRanAsWaiting() throws IOException {
    Call runs = call(Optional.empty());
    runs.begin();

    Call read = CallRecords.toCall(7, CallRecords.ofState(runs));
    assertThat(read.state()).isEqualTo(CallState.WAITING);
    assertThat(read.attempts()).isZero();
  }

  @Test
  void shouldReadWhichFunctionCalled() throws IOException {
    Lineage lineage = new Lineage("shed", 3, 1_000);
    Invocation written =
        new Invocation(
            "f",
            Protocol.FUNCTION,
            InetAddress.getLoopbackAddress(),
            "",
            MultiMap.caseInsensitiveMultiMap().add("A", "1"),
            new byte[] {1},
            lineage);
    Invocation read =
        CallRecords.toRequest(CallRecords.ofRequest(CallRequest.of(written))).invocation();

    assertThat(read.lineage()).isEqualTo(new Lineage("shed", 0, Lineage.NO_DEADLINE));
    assertThat(read.headers().get("A")).isEqualTo("1");
    assertThat(
            CallRecords.toRequest(CallRecords.ofRequest(CallRequest.of(request())))
                .invocation()
                .lineage())
        .isEqualTo(Lineage.OUTSIDE);
  }

  @Test
  void shouldReadRequestsAndResults() throws IOException {
    Invocation request = request();
    Invocation read =
        CallRecords.toRequest(CallRecords.ofRequest(CallRequest.of(request))).invocation();
    assertThat(read).usingRecursiveComparison().ignoringFields("headers").isEqualTo(request);
    assertThat(read.headers()).hasToString(request.headers().toString());

    Answered result = PlayedCalls.answer(201, "made");
    result.headers().add("Set-Cookie", "a").add("Set-Cookie", "b");
    Answered kept = CallRecords.toResult(CallRecords.ofResult(result));
    assertThat(kept.status()).isEqualTo(201);
    assertThat(kept.body()).isEqualTo(result.body());
    assertThat(kept.headers().getAll("Set-Cookie")).containsExactly("a", "b");
  }

  private static Call telling() {
    Origin origin =
        new Origin(
            TestCalls.id(7),
            7,
            "f",
            Protocol.HTTP,
            "",
            "",
            "https://example.org:443",
            1,
            Optional.empty(),
            99);
    return new Call(origin, 1_000, 2_000, false);
  }

  @Test
  void shouldReadWhomACallTells() throws IOException {
    assertSame(CallRecords.toCall(7, CallRecords.ofState(telling())), telling());
    assertThat(telling().tells()).isTrue();
    assertThat(telling().lane()).isEqualTo("https://example.org:443");

    for (String to : List.of("mqtt:callbacks/a", "https://example.org/?key=1")) {
      for (boolean tells : new boolean[] {true, false}) {
        CallRequest request = new CallRequest(request(), Optional.of(Callback.parse(to)), tells);
        CallRequest read = CallRecords.toRequest(CallRecords.ofRequest(request));
        assertThat(read.callback()).isEqualTo(request.callback());
        assertThat(read.tells()).isEqualTo(tells);
        assertThat(read.invocation().body()).isEqualTo(request.invocation().body());
      }
    }
  }

  /** Written by a gateway that knew functions as callbacks only, and read by such a one. */
  @Test
  void shouldReadAndWriteWhatHasToDoWithFunctionsAsBefore() throws IOException {
    byte[] before =
        HexFormat.of()
            .parseHex(
                "0153001641414141414141414141634141414141414141414141000166"
                    + "0005636f617073000873656e736f722d3100046261636b00000003"
                    + "00000004d200000000000003e800000000000007d001000757414954494e47"
                    + "00000000000007d0000000000000000000000000000000000000");
    assertThat(HexFormat.of().formatHex(CallRecords.ofState(call(Optional.empty()))))
        .isEqualTo(HexFormat.of().formatHex(before));
    assertSame(CallRecords.toCall(7, before), call(Optional.empty()));
    assertThat(CallRecords.ofRequest(CallRequest.of(request()))[0]).isEqualTo((byte) 1);
    assertThat(CallRecords.ofState(telling())[0]).isEqualTo((byte) 2);
  }

  @Test
  void shouldTakeNoKindForAnother() throws IOException {
    byte[] state = CallRecords.ofState(call(Optional.empty()));
    byte[] request = CallRecords.ofRequest(CallRequest.of(request()));
    byte[] result = CallRecords.ofResult(PlayedCalls.answer(200, "x"));

    for (byte[] other : new byte[][] {request, result}) {
      assertThatThrownBy(() -> CallRecords.toCall(7, other)).isInstanceOf(IOException.class);
    }
    for (byte[] other : new byte[][] {state, result}) {
      assertThatThrownBy(() -> CallRecords.toRequest(other)).isInstanceOf(IOException.class);
    }
    for (byte[] other : new byte[][] {state, request}) {
      assertThatThrownBy(() -> CallRecords.toResult(other)).isInstanceOf(IOException.class);
    }
  }

  @Test
  void shouldNotReadALaterVersion() {
    byte[] later = CallRecords.ofState(call(Optional.empty()));
    later[0] = 3;

    assertThatThrownBy(() -> CallRecords.toCall(7, later))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("version 3");
  }

  /** What a checksum did not find. */
  @Test
  void shouldRefuseWhatIsDamaged() throws IOException {
    Random random = seed.random();
    byte[] state =
        CallRecords.ofState(
            call(Optional.of(new IdempotencyKey(new Digest(1, 2), new Digest(3, 4)))));
    byte[] request = CallRecords.ofRequest(CallRequest.of(request()));
    byte[] tellingState = CallRecords.ofState(telling());
    byte[] tellingRequest =
        CallRecords.ofRequest(
            new CallRequest(request(), Optional.of(Callback.parse("http://a.b/")), true));
    byte[] result = CallRecords.ofResult(PlayedCalls.answer(200, "x"));
    for (int i = 0; i < 20_000; i++) {
      read(bytes -> CallRecords.toCall(7, bytes).describe(), damaged(state, random));
      read(CallRecords::toRequest, damaged(request, random));
      read(bytes -> CallRecords.toCall(7, bytes).describe(), damaged(tellingState, random));
      read(CallRecords::toRequest, damaged(tellingRequest, random));
      read(CallRecords::toResult, damaged(result, random));
    }
  }

  private static void read(Reading reading, byte[] bytes) {
    try {
      assertThat(reading.of(bytes)).isNotNull();
    } catch (IOException e) {
      // That is what it is for.
    }
  }

  /** Some bytes of it are others, or its end is missing, or it is anything. */
  private static byte[] damaged(byte[] whole, Random random) {
    int length = random.nextInt(4) == 0 ? random.nextInt(whole.length + 1) : whole.length;
    byte[] bytes = Arrays.copyOf(whole, length);
    if (random.nextInt(4) == 0) {
      random.nextBytes(bytes);
    }
    for (int i = random.nextInt(4); i > 0 && length > 2; i--) {
      bytes[2 + random.nextInt(length - 2)] = (byte) random.nextInt();
    }
    if (length > 2 && whole.length > 2) {
      bytes[0] = whole[0];
      bytes[1] = whole[1];
    }
    return bytes;
  }
}
