package io.tinyfaas.gateway.callback;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.tinyfaas.gateway.callback.Callback.OfFunction;
import io.tinyfaas.gateway.callback.Callback.ToTopic;
import io.tinyfaas.gateway.callback.Callback.ToUrl;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class CallbackTest {

  @Test
  void shouldTellWhatItIs() {
    assertThat(Callback.parse("report")).isInstanceOf(OfFunction.class);
    assertThat(Callback.parse("mqtt:shed/alarms")).isEqualTo(new ToTopic("shed/alarms"));
    assertThat(Callback.parse("HTTPS://example.org/a?b=c#d"))
        .isInstanceOfSatisfying(
            ToUrl.class,
            url -> {
              assertThat(url.isEncrypted()).isTrue();
              assertThat(url.port()).isEqualTo(443);
              assertThat(url.target()).isEqualTo("/a?b=c");
            });
    assertThat(((ToUrl) Callback.parse("http://[2001:db8::1]:81")).host()).isEqualTo("2001:db8::1");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"report", "mqtt:shed/alarms", "https://example.org/a?b=c", "http://a.b:81/%20"})
  void shouldReadWhatItHasWritten(String text) {
    assertThat(Callback.parse(text).text()).isEqualTo(text);
    assertThat(Callback.parse(Callback.parse(text).text())).isEqualTo(Callback.parse(text));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "no function",
        "mqtt:",
        "mqtt:a/+",
        "mqtt:a/#",
        "mqtt:$SYS/a",
        "mqtt:$share/a/b",
        "mqtt:functions",
        "mqtt:functions/f",
        "mqtt:a\u0000b",
        "ftp://example.org/",
        "file:///etc/passwd",
        "http:",
        "http://",
        "http:///path",
        "http:example.org",
        "http://user@example.org/",
        "http://user:word@example.org/",
        "http://example.org:0/",
        "http://example.org:65536/",
        "http://exa mple.org/",
        "http://example.org/a b",
        "http://127.1/",
        "http://0x7f.1/",
        "http://example.org/\r\nHost: other"
      })
  void shouldRefuseWhatIsNone(String text) {
    assertThatThrownBy(() -> Callback.parse(text)).isInstanceOf(IllegalArgumentException.class);
  }

  @Test
  void shouldRefuseWhatIsTooLong() {
    String url = "https://example.org/" + "a".repeat(Callback.MAX_URL - 20);
    assertThat(Callback.parse(url).text()).hasSize(Callback.MAX_URL);
    assertThatThrownBy(() -> Callback.parse(url + "a"))
        .isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> Callback.parse("mqtt:" + "a".repeat(513)))
        .isInstanceOf(IllegalArgumentException.class);
  }

  /** What follows the server may be a secret. */
  @ParameterizedTest
  @CsvSource({
    "report, report",
    "mqtt:shed/alarms, mqtt:shed/alarms",
    "https://example.org/hook?key=secret, https://example.org:443",
    "http://example.org:81/hook, http://example.org:81"
  })
  void shouldShowWhereItGoesAndNoMore(String text, String destination) {
    assertThat(Callback.parse(text).destination()).isEqualTo(destination);
  }

  @Test
  void shouldShowNoMoreThanThereIsRoomFor() {
    assertThat(Callback.parse("mqtt:" + "a".repeat(200)).destination())
        .hasSize(Callback.MAX_DESTINATION);
    String cut = Callback.parse("mqtt:" + "a".repeat(58) + "\ud83d\ude00").destination();
    assertThat(cut).isEqualTo("mqtt:" + "a".repeat(58));
  }
}
