package io.tinyfaas.gateway.ingress.coap.message;

import static org.assertj.core.api.Assertions.assertThat;

import io.tinyfaas.gateway.invoke.Invocation;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.eclipse.californium.core.coap.CoAP.Code;
import org.eclipse.californium.core.coap.CoAP.ResponseCode;
import org.eclipse.californium.core.coap.CoAP.Type;
import org.eclipse.californium.core.coap.OptionSet;
import org.eclipse.californium.core.coap.Request;
import org.eclipse.californium.core.coap.Token;
import org.eclipse.californium.core.network.serialization.UdpDataSerializer;
import org.eclipse.californium.elements.AddressEndpointContext;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

class CoapRequestsTest {

  private static Request request(Code code, Consumer<OptionSet> options) {
    Request request = new Request(code, Type.CON);
    request.setSourceContext(new AddressEndpointContext(new InetSocketAddress("192.0.2.7", 40123)));
    options.accept(request.getOptions());
    return request;
  }

  private static Map<String, String> headers(Invocation invocation) {
    Map<String, String> headers = new TreeMap<>(String.CASE_INSENSITIVE_ORDER);
    invocation.headers().forEach(entry -> headers.put(entry.getKey(), entry.getValue()));
    return headers;
  }

  @Test
  void shouldSayNothingThatTheDeviceDidNot() {
    Invocation invocation =
        CoapRequests.toInvocation(request(Code.GET, options -> options.addUriPath("sieve")));
    assertThat(invocation.function()).isEqualTo("sieve");
    assertThat(invocation.body()).isEmpty();
    assertThat(headers(invocation))
        .containsExactlyInAnyOrderEntriesOf(
            Map.of(
                "X-tinyFaaS-Method", "GET",
                "X-tinyFaaS-Protocol", "coap",
                "X-tinyFaaS-Peer", "192.0.2.7:40123",
                "X-tinyFaaS-Message-Type", "CON"));
  }

  @ParameterizedTest
  @CsvSource({
    "GET,GET",
    "POST,POST",
    "PUT,PUT",
    "DELETE,DELETE",
    "FETCH,FETCH",
    "PATCH,PATCH",
    "IPATCH,iPATCH"
  })
  void shouldNameTheMethod(Code code, String name) {
    Invocation invocation =
        CoapRequests.toInvocation(request(code, options -> options.addUriPath("f")));
    assertThat(invocation.headers().get("X-tinyFaaS-Method")).isEqualTo(name);
  }

  static Stream<Arguments> paths() {
    return Stream.of(
        Arguments.of(List.of("f"), null),
        Arguments.of(List.of("f", ""), "/"),
        Arguments.of(List.of("f", "a", "b"), "/a/b"),
        Arguments.of(List.of("f", "a/b", "c d", "ä", "%41"), "/a%2Fb/c%20d/%C3%A4/%2541"),
        Arguments.of(List.of("f", "~-._!$&'()*+,;=:@"), "/~-._!$&'()*+,;=:@"),
        Arguments.of(List.of("f", "x\r\ny\u0000"), "/x%0D%0Ay%00"),
        Arguments.of(List.of("f", "..", "?"), "/../%3F"));
  }

  @ParameterizedTest
  @MethodSource("paths")
  void shouldPassTheRestOfThePathPercentEncoded(List<String> segments, String header) {
    Invocation invocation =
        CoapRequests.toInvocation(
            request(Code.GET, options -> segments.forEach(options::addUriPath)));
    assertThat(invocation.function()).isEqualTo("f");
    assertThat(invocation.headers().get("X-tinyFaaS-Path")).isEqualTo(header);
  }

  @Test
  void shouldPassTheQueryPercentEncoded() {
    Invocation invocation =
        CoapRequests.toInvocation(
            request(
                Code.GET,
                options ->
                    options
                        .addUriPath("f")
                        .addUriQuery("a=1")
                        .addUriQuery("b=x&y z")
                        .addUriQuery("c=/?:@")
                        .addUriQuery("")));
    assertThat(invocation.headers().get("X-tinyFaaS-Query")).isEqualTo("a=1&b=x%26y%20z&c=/?:@&");
  }

  /** A function that reads its query as a form would have a space. */
  @Test
  void shouldPassAPlusInTheQueryAsAPlus() {
    Request request =
        request(
            Code.GET,
            options ->
                options
                    .addUriPath("f")
                    .addUriPath("a+b")
                    .addUriQuery("t=2024-01-01T00:00:00+01:00")
                    .addUriQuery("+"));
    request.setType(Type.CON);
    request.setMID(1);
    request.setToken(Token.EMPTY);
    PlainRequest plain =
        PlainRequest.parse(new UdpDataSerializer().getByteArray(request)).orElseThrow();
    for (Invocation invocation :
        List.of(
            CoapRequests.toInvocation(request),
            CoapRequests.toInvocation(plain, new InetSocketAddress("127.0.0.1", 1)))) {
      assertThat(invocation.headers().get("X-tinyFaaS-Query"))
          .isEqualTo("t=2024-01-01T00:00:00%2B01:00&%2B");
      assertThat(invocation.headers().get("X-tinyFaaS-Path")).isEqualTo("/a+b");
    }
  }

  @Test
  void shouldHaveNoFunctionWithoutAPath() {
    assertThat(CoapRequests.toInvocation(request(Code.GET, options -> {})).function()).isEmpty();
  }

  static Stream<Arguments> options() {
    byte[] tag = {0, 1};
    return Stream.of(
        option(o -> o.setContentFormat(60), "Content-Type", "application/cbor"),
        option(o -> o.setContentFormat(0), "Content-Type", "text/plain; charset=utf-8"),
        option(o -> o.setContentFormat(11_060), "Content-Encoding", "deflate"),
        option(o -> o.setContentFormat(999), "Content-Type", "application/coap-payload;cf=999"),
        option(o -> o.setAccept(50), "Accept", "application/json"),
        option(o -> o.setAccept(999), "Accept", "application/coap-payload;cf=999"),
        option(o -> o.setAccept(11_050), "Accept-Encoding", "deflate"),
        option(o -> o.addETag("v1".getBytes(StandardCharsets.UTF_8)), "ETag", "\"v1\""),
        option(o -> o.addETag(tag), "If-None-Match", "\"0001\""),
        option(o -> o.addETag(tag).addETag(new byte[] {2}), "If-None-Match", "\"0001\", \"02\""),
        option(o -> o.setIfNoneMatch(true), "If-None-Match", "*"),
        option(o -> o.setIfNoneMatch(true).addETag(tag), "If-None-Match", "*"),
        option(o -> o.addIfMatch(tag), "If-Match", "\"0001\""),
        option(o -> o.addIfMatch(tag).addIfMatch(new byte[] {'a'}), "If-Match", "\"0001\", \"a\""),
        option(o -> o.addIfMatch(new byte[0]), "If-Match", "*"));
  }

  private static Arguments option(Consumer<OptionSet> option, String header, String value) {
    return Arguments.of(option, header, value);
  }

  @ParameterizedTest
  @MethodSource("options")
  void shouldMapOptionsToHeaders(Consumer<OptionSet> option, String header, String value) {
    Invocation invocation =
        CoapRequests.toInvocation(request(Code.PUT, option.andThen(o -> o.addUriPath("f"))));
    assertThat(invocation.headers().get(header)).isEqualTo(value);
  }

  @Test
  void shouldPassBytesAsTheyAre() {
    byte[] body = {0, (byte) 0xff, 13, 10};
    Request request = request(Code.POST, options -> options.addUriPath("f"));
    request.setPayload(body);
    assertThat(CoapRequests.toInvocation(request).body()).isEqualTo(body);
  }

  @Test
  void shouldPassAPayloadOfAGet() {
    Request request = request(Code.GET, options -> options.addUriPath("f"));
    request.setUnintendedPayload();
    request.setPayload("x");
    assertThat(CoapRequests.toInvocation(request).body()).isEqualTo(new byte[] {'x'});
  }

  @Test
  void shouldWriteAnIpv6PeerInBrackets() {
    Request request = request(Code.GET, options -> options.addUriPath("f"));
    request.setSourceContext(new AddressEndpointContext(new InetSocketAddress("::1", 5)));
    assertThat(CoapRequests.toInvocation(request).headers().get("X-tinyFaaS-Peer"))
        .isEqualTo("[0:0:0:0:0:0:0:1]:5");
  }

  @Test
  void shouldTellNonFromCon() {
    Request request = request(Code.GET, options -> options.addUriPath("f"));
    request.setType(Type.NON);
    assertThat(CoapRequests.toInvocation(request).headers().get("X-tinyFaaS-Message-Type"))
        .isEqualTo("NON");
  }

  @Test
  void shouldRefuseToBeAProxy() {
    assertThat(CoapRequests.refusal(request(Code.GET, o -> o.setProxyUri("coap://other/f"))))
        .hasValue(ResponseCode.PROXY_NOT_SUPPORTED);
    assertThat(CoapRequests.refusal(request(Code.GET, o -> o.setProxyScheme("coap"))))
        .hasValue(ResponseCode.PROXY_NOT_SUPPORTED);
  }

  @ParameterizedTest
  @EnumSource(value = Code.class, mode = EnumSource.Mode.EXCLUDE, names = "CUSTOM_30")
  void shouldTakeAllMethods(Code code) {
    assertThat(CoapRequests.refusal(request(code, o -> o.addUriPath("f")))).isEmpty();
  }
}
