package io.tinyfaas.gateway.call;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.tinyfaas.gateway.callback.Callback.ToTopic;
import io.vertx.core.MultiMap;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.time.temporal.ChronoUnit;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class CallOptionsTest {

  private static CallOptions of(String... fields) {
    return CallOptions.of(headers(fields));
  }

  private static MultiMap headers(String... fields) {
    MultiMap headers = MultiMap.caseInsensitiveMultiMap();
    for (int i = 0; i < fields.length; i += 2) {
      headers.add(fields[i], fields[i + 1]);
    }
    return headers;
  }

  private static void assertRefused(String... fields) {
    assertThatThrownBy(() -> of(fields))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining(fields[0]);
  }

  @Test
  void shouldHaveNone() {
    assertThat(of("X-Other", "1")).isEqualTo(CallOptions.NONE);
  }

  @ParameterizedTest
  @CsvSource({
    "0, 0",
    "30, 30000",
    "500ms, 500",
    "30s, 30000",
    "10m, 600000",
    "6h, 21600000",
    "2d, 172800000",
    "30d, 2592000000",
    "' 5 ', 5000",
    "999999999ms, 999999999"
  })
  void shouldReadDelays(String text, long millis) {
    assertThat(of("X-tinyFaaS-Delay", text).delay()).isEqualTo(Duration.ofMillis(millis));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "-1",
        "1.5s",
        "soon",
        "31d",
        "721h",
        "999999999d",
        "1 s",
        "1w",
        "9999999999",
        "٣"
      })
  void shouldRefuseOtherDelays(String text) {
    assertRefused("X-tinyFaaS-Delay", text);
  }

  @Test
  void shouldReadTimesOfHttpAndOfRfc3339() {
    Instant then = Instant.now().plus(Duration.ofDays(2)).truncatedTo(ChronoUnit.SECONDS);

    for (String text :
        new String[] {
          then.toString(),
          then.atOffset(ZoneOffset.ofHours(2)).toString(),
          DateTimeFormatter.RFC_1123_DATE_TIME.format(then.atOffset(ZoneOffset.UTC))
        }) {
      assertThat(of("X-tinyFaaS-Not-Before", text).notBefore()).hasValue(then);
    }
    assertThat(of("X-tinyFaaS-Not-Before", "1970-01-01T00:00:00Z").notBefore())
        .hasValue(Instant.EPOCH);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "tomorrow",
        "2026-12-31",
        "2026-12-31T06:00:00",
        "9999-12-31T23:59:59Z",
        "+999999999-12-31T23:59:59Z",
        "2026-02-30T00:00:00Z",
        "1893456000"
      })
  void shouldRefuseOtherTimes(String text) {
    assertRefused("X-tinyFaaS-Not-Before", text);
  }

  @Test
  void shouldRefuseWhatContradicts() {
    assertRefused("X-tinyFaaS-Delay", "1", "X-tinyFaaS-Not-Before", "2026-01-01T00:00:00Z");
    assertRefused("X-tinyFaaS-Delay", "1", "x-tinyfaas-delay", "1");
    assertRefused("Idempotency-Key", "a", "Idempotency-Key", "b");
  }

  @Test
  void shouldReadKeysAndCallbacks() {
    CallOptions options = of("Idempotency-Key", " \"a b\" ", "X-tinyFaaS-Callback", "report");

    assertThat(options.key()).hasValue("\"a b\"");
    assertThat(options.callback().orElseThrow().text()).isEqualTo("report");
    assertThat(of("Idempotency-Key", "k".repeat(255)).key()).hasValue("k".repeat(255));
    assertRefused("Idempotency-Key", "k".repeat(256));
    assertRefused("Idempotency-Key", " ");
    assertRefused("X-tinyFaaS-Callback", "ftp://example.org/");
    assertRefused("X-tinyFaaS-Callback", "http://me:word@example.org/");
    assertRefused("X-tinyFaaS-Callback", "");
  }

  /** An order to a device would be one that anybody could give. */
  @Test
  void shouldLetAnybodyNameOnlyTopicsThatAreThereForIt() {
    assertThat(of("X-tinyFaaS-Callback", "mqtt:callbacks/shed").callback())
        .hasValue(new ToTopic("callbacks/shed"));
    for (String topic :
        List.of("devices/lamp/set", "callbacks", "callbacksx/a", "shed", "functions/f", "$SYS/a")) {
      assertRefused("X-tinyFaaS-Callback", "mqtt:" + topic);
    }
  }

  @Test
  void shouldLetADeviceNameTopicsThatItMaySubscribeTo() {
    MultiMap headers = headers("X-tinyFaaS-Callback", "mqtt:devices/lamp/answers");

    assertThat(CallOptions.of(headers, "devices/lamp/answers"::equals).callback())
        .hasValue(new ToTopic("devices/lamp/answers"));
    assertThatThrownBy(() -> CallOptions.of(headers, "devices/door/answers"::equals))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("may not name");
  }

  @Test
  void shouldTakeAnyTopicOfASpecification() {
    assertThat(CallOptions.NONE.withCallback(new ToTopic("shed/alarms")).callback())
        .hasValue(new ToTopic("shed/alarms"));
  }

  @Test
  void shouldSayWhoDoesNotWait() {
    assertThat(CallOptions.isAsked(headers("X-tinyFaaS-Async", ""))).isTrue();
    assertThat(CallOptions.isAsked(headers("Prefer", "respond-async"))).isTrue();
    assertThat(CallOptions.isAsked(headers("Prefer", "return=minimal, Respond-Async;x"))).isTrue();
    assertThat(CallOptions.isAsked(headers("Prefer", "wait=1", "Prefer", "respond-async")))
        .isTrue();
    assertThat(CallOptions.isAsked(headers("Prefer", "not-respond-async"))).isFalse();
    assertThat(CallOptions.isAsked(headers("Prefer", "respond-async-not"))).isFalse();
    assertThat(CallOptions.isAsked(headers())).isFalse();
  }
}
