package io.tinyfaas.gateway.ingress.mqtt;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.tinyfaas.gateway.ingress.Protocol;
import io.tinyfaas.gateway.invoke.Invocation;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class InvocationsTest {

  private static Publication publication(String topic, String contentType, String... properties) {
    return new Publication(
        Optional.empty(),
        Protocol.MQTTS,
        new InetSocketAddress(InetAddress.getLoopbackAddress(), 8_883),
        topic,
        2,
        true,
        true,
        contentType,
        "",
        new byte[0],
        Publication.NEVER,
        List.of(properties).stream()
            .map(each -> each.split("=", 2))
            .map(InvocationsTest::entry)
            .toList(),
        "21".getBytes(UTF_8));
  }

  private static Map.Entry<String, String> entry(String[] parts) {
    return Map.entry(parts[0], parts[1]);
  }

  private static String header(Publication publication, String name) {
    return Invocations.of(publication, "f", "").headers().get(name);
  }

  @Test
  void shouldTellTheFunctionWhatIsSaidOfTheMessage() {
    Invocation invocation = Invocations.of(publication("shed/7", "text/plain", "a=b"), "f", "/x y");

    assertThat(invocation.function()).isEqualTo("f");
    assertThat(invocation.protocol()).isEqualTo(Protocol.MQTTS);
    assertThat(invocation.isOfDevice()).isTrue();
    assertThat(invocation.body()).asString(UTF_8).isEqualTo("21");
    assertThat(
            invocation.headers().entries().stream()
                .map(header -> Map.entry(header.getKey(), header.getValue())))
        .containsExactlyInAnyOrder(
            Map.entry("content-type", "text/plain"),
            Map.entry("a", "b"),
            Map.entry("X-tinyFaaS-Method", "POST"),
            Map.entry("X-tinyFaaS-Path", "/x%20y"),
            Map.entry("X-tinyFaaS-Protocol", "mqtts"),
            Map.entry("X-tinyFaaS-MQTT-Topic", "shed/7"),
            Map.entry("X-tinyFaaS-MQTT-QoS", "2"),
            Map.entry("X-tinyFaaS-MQTT-Retained", "true"),
            Map.entry("X-tinyFaaS-MQTT-Duplicate", "true"));
  }

  @ParameterizedTest
  @CsvSource({
    "shed/7/temperature, shed/7/temperature",
    "Halle 1/100%, Halle%201/100%25",
    "ä/?/, %C3%A4/%3F/",
    "'$x/a', '$x/a'",
  })
  void shouldEncodeATopicButForItsSlashes(String topic, String encoded) {
    assertThat(header(publication(topic, ""), "X-tinyFaaS-MQTT-Topic")).isEqualTo(encoded);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "X-tinyFaaS-Device=me",
        "x-tinyfaas-call=1",
        "Content-Length=7",
        "Transfer-Encoding=chunked",
        "Connection=close",
        "Host=elsewhere",
        "Content-Type=text/x",
        "Proxy-Authorization=me",
        "a b=c",
        "ä=c",
        "=c",
        "a=Łódź",
        "a=\u0001",
        "a="
      })
  void shouldSayHowManyPropertiesAreNoHeaders(String property) {
    Publication publication = publication("a", "", property, "b=c");

    assertThat(header(publication, "X-tinyFaaS-MQTT-Left-Out")).isEqualTo("1");
    assertThat(header(publication, "b")).isEqualTo("c");
    assertThat(header(publication, "X-tinyFaaS-Device")).isNull();
    assertThat(Invocations.of(publication, "f", "").headers().size()).isEqualTo(8);
  }

  @Test
  void shouldKeepPropertiesThatAreThereTwice() {
    assertThat(Invocations.of(publication("a", "", "b=1", "b=2"), "f", "").headers().getAll("b"))
        .containsExactly("1", "2");
  }
}
