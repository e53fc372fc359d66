package io.tinyfaas.gateway.ingress.coap.message;

import static org.assertj.core.api.Assertions.assertThat;

import io.tinyfaas.gateway.invoke.InvocationResult;
import io.tinyfaas.gateway.invoke.InvocationResult.Answered;
import io.vertx.core.MultiMap;
import io.vertx.core.http.HttpHeaders;
import java.nio.charset.StandardCharsets;
import java.time.ZoneOffset;
import java.time.ZonedDateTime;
import java.time.format.DateTimeFormatter;
import org.eclipse.californium.core.coap.CoAP.Code;
import org.eclipse.californium.core.coap.CoAP.ResponseCode;
import org.eclipse.californium.core.coap.Request;
import org.eclipse.californium.core.coap.Response;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class CoapResponsesTest {

  private static Request request(Code code) {
    Request request = new Request(code);
    request.getOptions().addUriPath("things").addUriPath("a");
    return request;
  }

  private static Response answer(Code code, int status, String body, String... headers) {
    return answer(request(code), status, body.getBytes(StandardCharsets.UTF_8), headers);
  }

  private static Response answer(Request request, int status, byte[] body, String... headers) {
    MultiMap map = HttpHeaders.headers();
    for (int i = 0; i < headers.length; i += 2) {
      map.set(headers[i], headers[i + 1]);
    }
    return CoapResponses.toResponse(request, new Answered(status, map, body));
  }

  @ParameterizedTest
  @CsvSource({
    "200,GET,2.05",
    "200,FETCH,2.05",
    "200,POST,2.04",
    "200,PUT,2.04",
    "200,PATCH,2.04",
    "200,IPATCH,2.04",
    "200,DELETE,2.02",
    "202,POST,2.04",
    "201,POST,2.01",
    "201,PUT,2.01",
    "204,GET,2.04",
    "204,POST,2.04",
    "204,DELETE,2.02",
    "304,GET,2.03",
    "400,GET,4.00",
    "401,GET,4.01",
    "403,GET,4.03",
    "404,GET,4.04",
    "405,GET,4.05",
    "406,GET,4.06",
    "409,PUT,4.09",
    "412,PUT,4.12",
    "413,PUT,4.13",
    "415,PUT,4.15",
    "422,PUT,4.22",
    "429,GET,4.29",
    "402,GET,4.00",
    "410,GET,4.00",
    "499,GET,4.00",
    "500,GET,5.00",
    "501,GET,5.01",
    "502,GET,5.02",
    "503,GET,5.03",
    "504,GET,5.04",
    "505,GET,5.00",
    "599,GET,5.00",
    "302,GET,5.02",
    "101,GET,5.02",
    "600,GET,5.02",
    "999,GET,5.02",
  })
  void shouldMapEachStatus(int status, Code method, String code) {
    assertThat(answer(method, status, "").getCode()).isEqualTo(ResponseCode.valueOfText(code));
  }

  @Test
  void shouldSayWhatTheGatewayItselfMeans() {
    Request request = request(Code.GET);
    assertThat(code(request, new InvocationResult.NoRouteTable())).isEqualTo("5.03");
    assertThat(code(request, new InvocationResult.UnknownFunction())).isEqualTo("4.04");
    assertThat(code(request, new InvocationResult.NoHandler())).isEqualTo("5.03");
    assertThat(code(request, new InvocationResult.Overloaded())).isEqualTo("5.03");
    assertThat(code(request, new InvocationResult.PeerOverloaded())).isEqualTo("4.29");
    assertThat(code(request, new InvocationResult.TimedOut())).isEqualTo("5.04");
    assertThat(code(request, new InvocationResult.Stopping())).isEqualTo("5.03");
    assertThat(code(request, new InvocationResult.BadRequest("why"))).isEqualTo("4.00");
    assertThat(code(request, new InvocationResult.BadAnswer("why"))).isEqualTo("5.02");
    assertThat(
            CoapResponses.toResponse(request, new InvocationResult.Overloaded())
                .getOptions()
                .getMaxAge())
        .isEqualTo(1);
    assertThat(
            CoapResponses.toResponse(request, new InvocationResult.NoRouteTable())
                .getOptions()
                .getMaxAge())
        .isEqualTo(1);
    assertThat(
            CoapResponses.toResponse(request, new InvocationResult.NoHandler())
                .getOptions()
                .hasMaxAge())
        .isTrue();
  }

  private static String code(Request request, InvocationResult result) {
    return CoapResponses.toResponse(request, result).getCode().text;
  }

  @Test
  void shouldPassBodyAndContentFormat() {
    Response response = answer(Code.GET, 200, "{}", "content-type", "application/json");
    assertThat(response.getPayloadString()).isEqualTo("{}");
    assertThat(response.getOptions().getContentFormat()).isEqualTo(50);
  }

  @Test
  void shouldHaveNoContentFormatWithoutABody() {
    Response response = answer(Code.POST, 200, "", "content-type", "application/json");
    assertThat(response.getOptions().hasContentFormat()).isFalse();
  }

  @Test
  void shouldDropTheBodyOfAValid() {
    assertThat(answer(Code.GET, 304, "x").getPayloadSize()).isZero();
  }

  @ParameterizedTest
  @CsvSource(
      nullValues = "-",
      value = {
        "200,GET,-,0",
        "200,FETCH,-,0",
        "304,GET,-,0",
        "200,POST,-,-",
        "404,GET,-,-",
        "500,GET,-,-",
        "200,GET,max-age=30,30",
        "200,GET,'public, max-age=30',30",
        "200,GET,Max-Age=30,30",
        "200,GET,max-age=99999999999,4294967295",
        "200,GET,max-age=9999999999,4294967295",
        "200,GET,'no-store, max-age=30',0",
        "200,GET,no-cache,0",
        "200,GET,private,0",
        "200,GET,s-maxage=7,0",
        "200,GET,max-age=x,0",
        "404,GET,max-age=5,5",
      })
  void shouldMapCacheControlToMaxAge(int status, Code method, String control, String seconds) {
    Response response =
        control == null
            ? answer(method, status, "x")
            : answer(method, status, "x", "Cache-Control", control);
    assertThat(response.getOptions().getMaxAge())
        .isEqualTo(seconds == null ? 60L : Long.parseLong(seconds));
    assertThat(response.getOptions().hasMaxAge()).isEqualTo(seconds != null);
  }

  @ParameterizedTest
  @ValueSource(ints = {429, 503})
  void shouldMapRetryAfterToMaxAge(int status) {
    assertThat(answer(Code.GET, status, "", "Retry-After", "120").getOptions().getMaxAge())
        .isEqualTo(120);
    String date =
        DateTimeFormatter.RFC_1123_DATE_TIME.format(
            ZonedDateTime.now(ZoneOffset.UTC).plusSeconds(100));
    assertThat(answer(Code.GET, status, "", "Retry-After", date).getOptions().getMaxAge())
        .isBetween(90L, 100L);
    assertThat(answer(Code.GET, status, "", "Retry-After", "soon").getOptions().hasMaxAge())
        .isFalse();
    assertThat(answer(Code.GET, status, "").getOptions().hasMaxAge()).isFalse();
  }

  @Test
  void shouldKeepAnEntityTag() {
    Response response = answer(Code.GET, 200, "x", "ETag", "\"v1\"");
    assertThat(response.getOptions().getETags()).hasSize(1);
    assertThat(response.getOptions().getETags().getFirst()).isEqualTo(new byte[] {'v', '1'});
    assertThat(answer(Code.GET, 200, "x", "ETag", "v1").getOptions().getETags().getFirst())
        .as("without quotes")
        .isEqualTo(new byte[] {'v', '1'});
  }

  @Test
  void shouldHaveATagOfItsOwnForOneThatCoapCannotCarry() {
    String[] tag = {"ETag", "\"longer-than-that\""};
    byte[] own = answer(Code.GET, 200, "x", tag).getOptions().getETags().getFirst();
    assertThat(own).hasSize(8);
    assertThat(answer(Code.FETCH, 200, "y", tag).getOptions().getETags().getFirst())
        .isNotEqualTo(own);
    assertThat(answer(Code.POST, 200, "x", tag).getOptions().getETagCount()).isZero();

    Request request = request(Code.GET);
    request.getOptions().addETag(own);
    Response valid =
        answer(
            request,
            200,
            "x".getBytes(StandardCharsets.UTF_8),
            "ETag",
            tag[1],
            "Cache-Control",
            "max-age=9");
    assertThat(valid.getCode()).isEqualTo(ResponseCode.VALID);
    assertThat(valid.getOptions().getETags().getFirst()).isEqualTo(own);
    assertThat(valid.getOptions().getMaxAge()).isEqualTo(9);
    assertThat(valid.getPayloadSize()).isZero();
    assertThat(answer(request, 200, new byte[] {'y'}, tag).getCode())
        .isEqualTo(ResponseCode.CONTENT);
  }

  @Test
  void shouldSayWhichRepresentationIsValid() {
    Request request = request(Code.GET);
    request.getOptions().addETag(new byte[] {1, 2});
    assertThat(answer(request, 304, new byte[0]).getOptions().getETags().getFirst())
        .isEqualTo(new byte[] {1, 2});
  }

  @ParameterizedTest
  @CsvSource(
      nullValues = "-",
      value = {
        "/things/5?x=1&y=%26, things|5, x=1|y=&",
        "5, things|5, -",
        "/a%2Fb/%C3%A4+, a/b|ä+, -",
        "http://localhost/things/5, things|5, -",
        "coap://box:5683/things/5, things|5, -",
        "http://BOX/things/5, things|5, -",
        "//box/things/5?q, things|5, q",
        "http://box:8080/things/5, -, -",
        "http://handler/things/5, -, -",
        "//handler/things/5, -, -",
        "ftp://box/things/5, -, -",
        "urn:things:5, -, -",
        "/things/%FF, -, -",
        "/things?x=%E4, -, -",
        "?q, things|, q",
        "/, -, -",
        "not a uri, -, -",
      })
  void shouldMapLocation(String location, String path, String query) {
    Request request = request(Code.POST);
    request.getOptions().setUriHost("box").setUriPort(5_683);
    Response response = answer(request, 201, new byte[0], "Location", location);
    assertThat(String.join("|", response.getOptions().getLocationPath()))
        .isEqualTo(path == null ? "" : path);
    assertThat(String.join("|", response.getOptions().getLocationQuery()))
        .isEqualTo(query == null ? "" : query);
  }

  @Test
  void shouldResolveALocationAgainstAPathThatIsNoUri() {
    Request request = new Request(Code.POST);
    request.getOptions().addUriPath("f").addUriPath("a b").addUriPath("100%");
    Response response = answer(request, 201, new byte[0], "Location", "5");
    assertThat(response.getOptions().getLocationPath()).containsExactly("f", "a b", "5");
  }

  @Test
  void shouldLeaveOutALocationThatCoapCannotCarry() {
    Response response = answer(Code.POST, 201, "", "Location", "/" + "x".repeat(256));
    assertThat(response.getOptions().getLocationPathCount()).isZero();
  }

  @Test
  void shouldMakeAnErrorsBodyAShortDiagnostic() {
    Response response =
        answer(Code.GET, 500, "boom\n", "Content-Type", "text/plain; charset=utf-8");
    assertThat(response.getPayloadString()).isEqualTo("boom");
    assertThat(response.getOptions().hasContentFormat()).isFalse();
  }

  @Test
  void shouldCutALongDiagnosticBetweenCharacters() {
    Response response = answer(Code.GET, 500, "x" + "ä".repeat(600));
    assertThat(response.getPayloadSize()).isEqualTo(511);
    assertThat(response.getPayloadString()).doesNotContain("\ufffd").endsWith("ä");
  }

  @Test
  void shouldDropADiagnosticThatIsNotText() {
    assertThat(answer(request(Code.GET), 500, new byte[] {(byte) 0xff, 0}).getPayloadSize())
        .isZero();
  }
}
