package io.tinyfaas.manager.compat;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import java.io.IOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

class ArchiveFetchTest extends ArchiveFetches {

  @Test
  void shouldFetchAnArchive() {
    assertThat(read(url("/archive.zip"))).isEqualTo("the archive");
  }

  @Test
  void shouldTellWhatTheServerAnswered() {
    answer("/missing", 404, "no");

    assertThat(refusal(url("/missing"))).hasMessageContaining("answered 404");
    assertThat(refusal("http://" + ALLOWED + ":1/")).hasMessageContaining("could not be reached");
    ArchiveFetch nameless =
        fetch(
            host -> {
              throw new UnknownHostException(host);
            });
    assertThat(refusal(nameless, "http://does-not-exist.invalid/"))
        .hasMessageContaining("no address");
  }

  @Test
  void shouldGiveUpASlowBody() {
    server.createContext(
        "/slow",
        exchange -> {
          exchange.sendResponseHeaders(200, 0);
          drip(exchange.getResponseBody());
        });
    ArchiveFetch fetch = fetch(Duration.ofSeconds(2), InetAddress::getAllByName);

    assertThat(refusal(fetch, url("/slow"))).hasMessageContaining("in time");
  }

  /** A byte now and then, until the reader has had enough. */
  private static void drip(OutputStream body) throws IOException {
    try (body) {
      while (true) {
        body.write('x');
        body.flush();
        Thread.sleep(100);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  @Test
  void shouldAskForNoMoreThanIsTaken() {
    server.createContext(
        "/endless",
        exchange -> {
          exchange.sendResponseHeaders(200, 0);
          byte[] piece = new byte[64 * 1024];
          try (OutputStream body = exchange.getResponseBody()) {
            while (true) {
              body.write(piece);
            }
          }
        });
    AtomicInteger taken = new AtomicInteger();
    OutputStream limited =
        new OutputStream() {
          @Override
          public void write(int b) {
            throw new AssertionError("not byte by byte");
          }

          @Override
          public void write(byte[] bytes, int offset, int length) throws IOException {
            if (taken.addAndGet(length) > 1 << 20) {
              throw new IOException("enough");
            }
          }
        };
    ArchiveFetch fetch = fetch(InetAddress::getAllByName);

    try (FetchedArchive archive = fetch.open(url("/endless"))) {
      assertThat(catchThrowableOfType(IOException.class, () -> archive.writeTo(limited)))
          .hasMessage("enough");
    }
  }

  @Test
  void shouldTellThatABodyBrokeOff() {
    server.createContext(
        "/broken",
        exchange -> {
          exchange.sendResponseHeaders(200, 1_000);
          exchange.getResponseBody().write('x');
          exchange.getResponseBody().flush();
          throw new IOException("the server dies");
        });

    assertThat(refusal(url("/broken"))).hasMessageContaining("broke off");
  }
}
