package io.tinyfaas.manager.compat;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.InetAddress;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Where an archive may come from, whoever sends the manager there. */
class ArchiveFetchAddressesTest extends ArchiveFetches {

  private final AtomicInteger lookUps = new AtomicInteger();

  @Test
  void shouldFollowAFewRedirects() {
    redirect("/1", "/2");
    redirect("/2", url("/archive.zip"));

    assertThat(read(url("/1"))).isEqualTo("the archive");
  }

  @Test
  void shouldNotFollowRedirectsForEver() {
    redirect("/round", "/round");

    assertThat(refusal(url("/round"))).hasMessageContaining("more than 5 redirects");
  }

  @Test
  void shouldNotBeLedToAnAddressThatIsNotAllowed() {
    redirect("/trap", secretUrl());

    assertThat(refusal(url("/trap")))
        .hasMessageContaining("not public")
        .hasMessageContaining("127.0.0.1");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "http://127.0.0.1:%d/",
        "http://localhost:%d/",
        "http://[::1]:%d/",
        "http://[::ffff:127.0.0.1]:%d/",
        "http://2130706433:%d/",
        "http://0:%d/",
        "http://127.1:%d/"
      })
  void shouldNotReachThisBoxByAnyOfItsNames(String url) {
    refusal(url.formatted(secret.getAddress().getPort()));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "archive.zip",
        "ftp://example.com/a.zip",
        "file:///etc/passwd",
        "http:///a.zip",
        "http://user:secret@example.com/a.zip",
        "http://example.com:70000/a.zip",
        "http://exa mple.com/"
      })
  void shouldFetchByHttpAndHttpsOnly(String url) {
    assertThat(refusal(url)).hasMessageContaining("http://HOST/");
  }

  @Test
  void shouldNotBeLedToAnotherScheme() {
    redirect("/ftp", "ftp://" + ALLOWED + "/a.zip");
    redirect("/file", "file:///etc/passwd");

    assertThat(refusal(url("/ftp"))).hasMessageContaining("http://HOST/");
    assertThat(refusal(url("/file"))).hasMessageContaining("http://HOST/");
  }

  @Test
  void shouldConnectToTheAddressThatItLookedAt() throws IOException {
    // A name server that says something else each time it is asked.
    ArchiveFetch fetch =
        fetch(
            host ->
                new InetAddress[] {
                  InetAddress.getByName(lookUps.getAndIncrement() == 0 ? ALLOWED : "127.0.0.1")
                });
    server.createContext("/host", e -> send(e, 200, e.getRequestHeaders().getFirst("Host")));
    String authority = "rebinding.example:" + server.getAddress().getPort();

    assertThat(read(fetch, "http://" + authority + "/host")).isEqualTo(authority);
    assertThat(lookUps).hasValue(1);
  }
}
