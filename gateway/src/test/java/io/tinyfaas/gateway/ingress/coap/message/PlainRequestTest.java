package io.tinyfaas.gateway.ingress.coap.message;

import static org.assertj.core.api.Assertions.assertThat;

import io.tinyfaas.gateway.invoke.Invocation;
import io.tinyfaas.harness.Seed;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.function.Consumer;
import java.util.stream.IntStream;
import org.eclipse.californium.core.coap.CoAP.Code;
import org.eclipse.californium.core.coap.CoAP.Type;
import org.eclipse.californium.core.coap.Message;
import org.eclipse.californium.core.coap.OptionSet;
import org.eclipse.californium.core.coap.Request;
import org.eclipse.californium.core.coap.Token;
import org.eclipse.californium.core.network.serialization.UdpDataSerializer;
import org.eclipse.californium.elements.AddressEndpointContext;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.EnumSource.Mode;
import org.junit.jupiter.params.provider.MethodSource;

class PlainRequestTest {

  private static final InetSocketAddress PEER =
      new InetSocketAddress(InetAddress.ofLiteral("192.0.2.7"), 40_123);
  private static final int CHANGED = 200_000;

  @RegisterExtension private final Seed seed = new Seed();

  private static byte[] message(
      Type type, Code method, int tokenLength, byte[] payload, Consumer<OptionSet> options) {
    Request request = new Request(method, type);
    request.setMID(0x1234);
    request.setToken(new Token(new byte[tokenLength]));
    if (payload.length > 0) {
      if (!request.isIntendedPayload()) {
        request.setUnintendedPayload();
      }
      request.setPayload(payload);
    }
    options.accept(request.getOptions());
    return new UdpDataSerializer().getByteArray(request);
  }

  private static byte[] get(Consumer<OptionSet> options) {
    return message(Type.CON, Code.GET, 2, new byte[0], options.andThen(o -> o.addUriPath("f")));
  }

  private static Optional<PlainRequest> parse(byte[] message) {
    return PlainRequest.isConfirmable(message) ? PlainRequest.parse(message) : Optional.empty();
  }

  @Test
  void shouldLeaveMoreOptionsThanTheParserTakesToIt() {
    int others = CoapParser.MAX_OPTIONS - 1;
    Consumer<OptionSet> most = o -> IntStream.range(0, others).forEach(i -> o.addUriQuery(""));

    assertThat(parse(get(most))).isPresent();
    assertThat(parse(get(most.andThen(o -> o.addUriQuery(""))))).isEmpty();
  }

  @ParameterizedTest
  @EnumSource(value = Code.class, names = "CUSTOM_30", mode = Mode.EXCLUDE)
  void shouldReadWhatNearlyAllRequestsAre(Code method) {
    byte[] message =
        message(
            Type.CON,
            method,
            8,
            new byte[] {1, 2, 3},
            options ->
                options
                    .setUriHost("box")
                    .setUriPort(5683)
                    .addUriPath("f")
                    .addUriPath("a b")
                    .setContentFormat(11_050)
                    .addUriQuery("x=1")
                    .addUriQuery("y".repeat(255))
                    .setAccept(0));
    PlainRequest request = parse(message).orElseThrow();
    assertThat(PlainRequest.mid(message)).isEqualTo(0x1234);
    assertThat(PlainRequest.tokenLength(message)).isEqualTo(8);
    assertThat(request.function()).isEqualTo("f");
    assertThat(request.method()).isEqualTo(method);
    assertThat(request.path()).containsExactly("f", "a b");
    assertThat(request.query()).containsExactly("x=1", "y".repeat(255));
    assertThat(request.contentFormat()).isEqualTo(11_050);
    assertThat(request.accept()).isZero();
    assertThat(request.payload()).containsExactly(1, 2, 3);
  }

  static List<byte[]> others() {
    return List.of(
        new byte[] {0x40, 0, 1, 2},
        message(Type.NON, Code.GET, 0, new byte[0], options -> options.addUriPath("f")),
        message(Type.CON, Code.CUSTOM_30, 0, new byte[0], options -> options.addUriPath("f")),
        message(Type.CON, Code.POST, 0, new byte[1_025], options -> options.addUriPath("f")),
        get(options -> options.setObserve(0)),
        get(options -> options.setBlock1(6, false, 0)),
        get(options -> options.setBlock2(6, false, 0)),
        get(options -> options.addETag(new byte[] {1})),
        get(options -> options.setIfNoneMatch(true)),
        get(options -> options.addIfMatch(new byte[] {1})),
        get(options -> options.setNoResponse(2)),
        get(options -> options.setProxyUri("coap://other")),
        get(options -> options.setProxyScheme("http")),
        get(options -> options.setSize1(1)),
        get(options -> options.setSize2(0)),
        get(options -> options.addUriPath("ä")));
  }

  @ParameterizedTest
  @MethodSource("others")
  void shouldLeaveEverythingElse(byte[] message) {
    assertThat(parse(message)).isEmpty();
  }

  private static Map<String, String> headers(Invocation invocation) {
    Map<String, String> headers = new HashMap<>();
    invocation.headers().forEach(entry -> headers.put(entry.getKey(), entry.getValue()));
    return headers;
  }

  /** What this reads Californium reads, too, and as the same: else a request could be lost. */
  @Test
  void shouldNotReadWhatCaliforniumReadsOtherwise() {
    Random random = seed.random();
    byte[] whole =
        message(
            Type.CON,
            Code.POST,
            4,
            new byte[] {1, 2, 3},
            options ->
                options
                    .setUriHost("box")
                    .setUriPort(5683)
                    .addUriPath("f")
                    .addUriPath("g")
                    .setContentFormat(50)
                    .addUriQuery("x=1")
                    .setAccept(60));
    CoapParser parser = new CoapParser();
    int plain = 0;
    for (int i = 0; i < CHANGED; i++) {
      byte[] message = whole.clone();
      for (int changes = random.nextInt(4); changes >= 0; changes--) {
        message[random.nextInt(message.length)] = (byte) random.nextInt(256);
      }
      Optional<PlainRequest> read = parse(message);
      if (read.isPresent()) {
        plain++;
        Message known = parser.parseMessage(message);
        known.setSourceContext(new AddressEndpointContext(PEER));
        Invocation expected = CoapRequests.toInvocation((Request) known);
        Invocation invocation = CoapRequests.toInvocation(read.get(), PEER);
        assertThat(invocation.function()).isEqualTo(expected.function());
        assertThat(headers(invocation)).isEqualTo(headers(expected));
        assertThat(invocation.body()).isEqualTo(expected.body());
        assertThat(known.getMID()).isEqualTo(PlainRequest.mid(message));
        assertThat(known.getToken().length()).isEqualTo(PlainRequest.tokenLength(message));
        assertThat(CoapRequests.refusal((Request) known)).isEmpty();
      }
    }
    assertThat(plain).as("of %d", CHANGED).isGreaterThan(CHANGED / 20);
  }
}
