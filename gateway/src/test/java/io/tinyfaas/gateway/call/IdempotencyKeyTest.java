package io.tinyfaas.gateway.call;

import static org.assertj.core.api.Assertions.assertThat;

import io.tinyfaas.contract.handler.HandlerHttp;
import io.tinyfaas.gateway.ingress.Protocol;
import io.tinyfaas.gateway.invoke.Invocation;
import io.vertx.core.MultiMap;
import java.net.InetAddress;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Map;
import org.junit.jupiter.api.Test;

class IdempotencyKeyTest {

  private static final Map<String, String> ASKED =
      Map.of(
          HandlerHttp.METHOD_HEADER,
          "POST",
          HandlerHttp.PATH_HEADER,
          "/a",
          HandlerHttp.QUERY_HEADER,
          "b=1",
          "Content-Type",
          "text/plain");

  private static IdempotencyKey of(
      String key, String function, String device, Map<String, String> headers, String body) {
    return IdempotencyKey.of(
        key,
        new Invocation(
            function,
            Protocol.HTTP,
            InetAddress.getLoopbackAddress(),
            device,
            MultiMap.caseInsensitiveMultiMap().addAll(headers),
            body.getBytes(StandardCharsets.UTF_8)));
  }

  @Test
  void shouldBeTheSameForTheSame() {
    assertThat(of("k", "f", "", ASKED, "x")).isEqualTo(of("k", "f", "", ASKED, "x"));
  }

  @Test
  void shouldBelongToAFunctionAndADevice() {
    IdempotencyKey key = of("k", "f", "d", ASKED, "x");

    assertThat(of("l", "f", "d", ASKED, "x").key()).isNotEqualTo(key.key());
    assertThat(of("k", "g", "d", ASKED, "x").key()).isNotEqualTo(key.key());
    assertThat(of("k", "f", "", ASKED, "x").key()).isNotEqualTo(key.key());
    assertThat(of("k", "fd", "", ASKED, "x").key()).isNotEqualTo(key.key());
  }

  @Test
  void shouldKnowAnotherRequest() {
    IdempotencyKey key = of("k", "f", "d", ASKED, "x");

    assertThat(of("k", "f", "d", ASKED, "y").key()).isEqualTo(key.key());
    assertThat(of("k", "f", "d", ASKED, "y").request()).isNotEqualTo(key.request());
    for (String name : ASKED.keySet()) {
      Map<String, String> other = new HashMap<>(ASKED);
      other.remove(name);
      assertThat(of("k", "f", "d", other, "x").request()).isNotEqualTo(key.request());
    }
    Map<String, String> more = new HashMap<>(ASKED);
    more.put("User-Agent", "another");
    assertThat(of("k", "f", "d", more, "x")).isEqualTo(key);
  }
}
