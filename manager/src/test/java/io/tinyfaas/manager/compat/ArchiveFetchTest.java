package io.tinyfaas.manager.compat;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import com.sun.net.httpserver.HttpsConfigurator;
import com.sun.net.httpserver.HttpsServer;
import io.tinyfaas.manager.problem.ProblemException;
import io.tinyfaas.manager.problem.ProblemType;
import io.vertx.core.Vertx;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Of a real server, at an address that the operator allows: 127.0.0.2. */
@Timeout(60)
class ArchiveFetchTest {

  private static final String ALLOWED = "127.0.0.2";

  @TempDir Path folder;

  private final Vertx vertx = Vertx.vertx();
  private final AtomicInteger lookUps = new AtomicInteger();
  private HttpServer server;
  private HttpServer secret;
  private final AtomicInteger secrets = new AtomicInteger();

  @BeforeEach
  void serve() throws IOException {
    server = server(ALLOWED);
    answer("/archive.zip", 200, "the archive");
    secret = server("127.0.0.1");
    secret.createContext(
        "/",
        exchange -> {
          secrets.incrementAndGet();
          send(exchange, 200, "the secret");
        });
  }

  private static HttpServer server(String address) throws IOException {
    HttpServer server = HttpServer.create(new InetSocketAddress(address, 0), 0);
    server.setExecutor(Executors.newVirtualThreadPerTaskExecutor());
    server.start();
    return server;
  }

  @AfterEach
  void stop() throws Exception {
    server.stop(0);
    secret.stop(0);
    vertx.close().toCompletionStage().toCompletableFuture().get(10, TimeUnit.SECONDS);
    assertThat(secrets).hasValue(0);
  }

  private void answer(String path, int status, String body) {
    server.createContext(path, exchange -> send(exchange, status, body));
  }

  private void redirect(String path, String location) {
    server.createContext(
        path,
        exchange -> {
          exchange.getResponseHeaders().add("Location", location);
          send(exchange, 302, "");
        });
  }

  private static void send(HttpExchange exchange, int status, String body) throws IOException {
    exchange.sendResponseHeaders(status, body.isEmpty() ? -1 : body.length());
    exchange.getResponseBody().write(body.getBytes(UTF_8));
    exchange.close();
  }

  private String url(String path) {
    return "http://" + ALLOWED + ":" + server.getAddress().getPort() + path;
  }

  private String secretUrl() {
    return "http://127.0.0.1:" + secret.getAddress().getPort() + "/";
  }

  private ArchiveFetch fetch(Duration timeout, ArchiveFetch.Resolver resolver) {
    return new ArchiveFetch(
        vertx,
        new CompatSettings() {
          @Override
          public int coapPort() {
            return -1;
          }

          @Override
          public int httpPort() {
            return -1;
          }

          @Override
          public int grpcPort() {
            return -1;
          }

          @Override
          public boolean uploadNetworkAccess() {
            return false;
          }

          @Override
          public Optional<List<String>> fetchAllow() {
            return Optional.of(List.of(ALLOWED));
          }

          @Override
          public Duration fetchTimeout() {
            return timeout;
          }

          @Override
          public Optional<Path> checkout() {
            return Optional.of(folder);
          }
        },
        Set::of,
        resolver);
  }

  private String read(String url) {
    return read(fetch(Duration.ofSeconds(20), InetAddress::getAllByName), url);
  }

  private static String read(ArchiveFetch fetch, String url) {
    ByteArrayOutputStream body = new ByteArrayOutputStream();
    try (FetchedArchive archive = fetch.open(url)) {
      archive.writeTo(body);
    } catch (IOException e) {
      throw new AssertionError(e);
    }
    return body.toString(UTF_8);
  }

  private ProblemException refusal(String url) {
    ProblemException refusal = catchThrowableOfType(ProblemException.class, () -> read(url));
    assertThat(refusal).isNotNull();
    assertThat(refusal.type()).isEqualTo(ProblemType.FETCH_FAILED);
    return refusal;
  }

  @Test
  void shouldFetchAnArchive() {
    assertThat(read(url("/archive.zip"))).isEqualTo("the archive");
  }

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
            Duration.ofSeconds(20),
            host ->
                new InetAddress[] {
                  InetAddress.getByName(lookUps.getAndIncrement() == 0 ? ALLOWED : "127.0.0.1")
                });
    server.createContext("/host", e -> send(e, 200, e.getRequestHeaders().getFirst("Host")));
    String authority = "rebinding.example:" + server.getAddress().getPort();

    assertThat(read(fetch, "http://" + authority + "/host")).isEqualTo(authority);
    assertThat(lookUps).hasValue(1);
  }

  @Test
  void shouldTellWhatTheServerAnswered() {
    answer("/missing", 404, "no");

    assertThat(refusal(url("/missing"))).hasMessageContaining("answered 404");
    assertThat(refusal("http://" + ALLOWED + ":1/")).hasMessageContaining("could not be reached");
    assertThat(refusal("http://does-not-exist.invalid/")).hasMessageContaining("no address");
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

    ProblemException refusal =
        catchThrowableOfType(ProblemException.class, () -> read(fetch, url("/slow")));

    assertThat(refusal).hasMessageContaining("in time");
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
    ArchiveFetch fetch = fetch(Duration.ofSeconds(20), InetAddress::getAllByName);

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

  @Test
  void shouldCheckTheCertificateForTheNameAndTrustTheOperatorsAuthority() throws Exception {
    Path store = folder.resolve("keys.p12");
    keytool(
        "-genkeypair",
        "-keyalg",
        "EC",
        "-alias",
        "a",
        "-dname",
        "CN=archive.example",
        "-ext",
        "SAN=dns:archive.example",
        "-keystore",
        store.toString(),
        "-storepass",
        "secret");
    Path authorities = Files.createDirectories(folder.resolve("compose/ca-certificates"));
    HttpsServer https = HttpsServer.create(new InetSocketAddress(ALLOWED, 0), 0);
    https.setHttpsConfigurator(new HttpsConfigurator(tls(store)));
    https.createContext("/", exchange -> send(exchange, 200, "over TLS"));
    https.createContext(
        "/down",
        exchange -> {
          exchange.getResponseHeaders().add("Location", url("/archive.zip"));
          send(exchange, 301, "");
        });
    https.start();
    try {
      String authority = "archive.example:" + https.getAddress().getPort();
      ArchiveFetch.Resolver here = host -> new InetAddress[] {InetAddress.getByName(ALLOWED)};

      ArchiveFetch distrusting = fetch(Duration.ofSeconds(20), here);
      assertThat(
              catchThrowableOfType(
                  ProblemException.class, () -> read(distrusting, "https://" + authority + "/")))
          .hasMessageContaining("could not be reached");

      keytool(
          "-exportcert",
          "-rfc",
          "-alias",
          "a",
          "-keystore",
          store.toString(),
          "-storepass",
          "secret",
          "-file",
          authorities.resolve("own.crt").toString());
      ArchiveFetch trusting = fetch(Duration.ofSeconds(20), here);
      assertThat(read(trusting, "https://" + authority + "/")).isEqualTo("over TLS");
      assertThat(
              catchThrowableOfType(
                  ProblemException.class, () -> read(trusting, "https://" + authority + "/down")))
          .hasMessageContaining("from https to http");
      assertThat(
              catchThrowableOfType(
                  ProblemException.class,
                  () -> read(trusting, "https://other.example:" + https.getAddress().getPort())))
          .hasMessageContaining("could not be reached");
    } finally {
      https.stop(0);
    }
  }

  private static SSLContext tls(Path store) throws Exception {
    KeyStore keys = KeyStore.getInstance(store.toFile(), "secret".toCharArray());
    KeyManagerFactory factory =
        KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
    factory.init(keys, "secret".toCharArray());
    SSLContext context = SSLContext.getInstance("TLS");
    context.init(factory.getKeyManagers(), null, null);
    return context;
  }

  private static void keytool(String... arguments) throws Exception {
    String[] command = new String[arguments.length + 1];
    command[0] = Path.of(System.getProperty("java.home"), "bin", "keytool").toString();
    System.arraycopy(arguments, 0, command, 1, arguments.length);
    Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
    String output = new String(process.getInputStream().readAllBytes(), UTF_8);
    assertThat(process.waitFor()).as(output).isZero();
  }
}
