package io.tinyfaas.manager.compat;

import static io.tinyfaas.manager.problem.ProblemType.FETCH_FAILED;

import io.quarkus.runtime.Startup;
import io.quarkus.runtime.configuration.ConfigurationException;
import io.tinyfaas.contract.address.PermittedAddresses;
import io.tinyfaas.contract.address.TrustedAuthorities;
import io.tinyfaas.manager.engine.HostAddresses;
import io.tinyfaas.manager.problem.ProblemException;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.core.http.HttpClient;
import io.vertx.core.http.HttpClientOptions;
import io.vertx.core.http.HttpHeaders;
import io.vertx.core.http.RequestOptions;
import io.vertx.core.net.SocketAddress;
import io.vertx.core.net.TrustOptions;
import jakarta.enterprise.inject.Instance;
import jakarta.inject.Inject;
import jakarta.inject.Singleton;
import java.net.InetAddress;
import java.net.URI;
import java.net.UnknownHostException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Supplier;
import org.jboss.logging.Logger;

/**
 * Fetches archives from the web for whoever may deploy, and nothing else: http and https, few
 * redirects, within a time, and only from {@link PermittedAddresses}. A name is resolved once; the
 * address that was looked at is the one connected to, so that a name server cannot lead elsewhere
 * in between.
 */
@Startup
@Singleton
class ArchiveFetch {

  private static final Logger LOG = Logger.getLogger(ArchiveFetch.class);

  private static final int MAX_REDIRECTS = 5;
  private static final int MAX_URL = 2_048;
  private static final Duration CONNECT_TIMEOUT = Duration.ofSeconds(10);
  private static final int SILENCE_SECONDS = 20;
  private static final Set<Integer> REDIRECTS = Set.of(301, 302, 303, 307, 308);

  /** A name's addresses. */
  interface Resolver {
    InetAddress[] resolve(String host) throws UnknownHostException;
  }

  private final HttpClient client;
  private final PermittedAddresses addresses;
  private final Duration timeout;
  private final Resolver resolver;

  /**
   * @param host there is none in tests of the API alone
   */
  @Inject
  ArchiveFetch(Vertx vertx, CompatSettings settings, Instance<HostAddresses> host) {
    this(vertx, settings, () -> host.get().list(), InetAddress::getAllByName);
  }

  /**
   * @param ours the box' own addresses
   */
  ArchiveFetch(
      Vertx vertx, CompatSettings settings, Supplier<Set<String>> ours, Resolver resolver) {
    this.client =
        vertx.createHttpClient(
            new HttpClientOptions()
                .setKeepAlive(false)
                .setConnectTimeout((int) CONNECT_TIMEOUT.toMillis())
                .setSslHandshakeTimeout(CONNECT_TIMEOUT.toSeconds())
                .setIdleTimeout(SILENCE_SECONDS)
                .setTrustOptions(
                    TrustOptions.wrap(
                        TrustedAuthorities.of(
                            settings.checkout().map(c -> c.resolve("compose/ca-certificates")),
                            ArchiveFetch::ignored))));
    try {
      this.addresses = new PermittedAddresses(settings.fetchAllow().orElse(List.of()), ours);
    } catch (IllegalArgumentException e) {
      throw new ConfigurationException(e.getMessage());
    }
    this.timeout = settings.fetchTimeout();
    this.resolver = resolver;
  }

  private static void ignored(Path file, String why) {
    LOG.warnf("event=ca-certificate file=%s outcome=ignored reason=\"%s\"", file, why);
  }

  /**
   * @return the answer's body, which the caller closes
   * @throws ProblemException FETCH_FAILED
   */
  FetchedArchive open(String url) {
    long deadline = System.nanoTime() + timeout.toNanos();
    URI uri = parse(url);
    for (int redirects = 0; redirects <= MAX_REDIRECTS; redirects++) {
      FetchedArchive answer = get(uri, addressOf(uri, deadline), deadline);
      if (answer.status() == 200) {
        return answer;
      }
      answer.close();
      if (!REDIRECTS.contains(answer.status()) || answer.location().isEmpty()) {
        throw FetchedArchive.failed(uri, "answered " + answer.status());
      }
      URI next = parse(resolve(uri, answer.location()));
      if (uri.getScheme().equals("https") && next.getScheme().equals("http")) {
        throw FetchedArchive.failed(uri, "leads from https to http");
      }
      uri = next;
    }
    throw FetchedArchive.failed(uri, "is reached by more than " + MAX_REDIRECTS + " redirects");
  }

  private static String resolve(URI uri, String location) {
    try {
      return uri.resolve(location).toString();
    } catch (IllegalArgumentException e) {
      throw FetchedArchive.failed(uri, "redirects to what is no URL");
    }
  }

  private static URI parse(String url) {
    try {
      URI uri = URI.create(url.length() > MAX_URL ? "" : url.strip());
      String scheme = String.valueOf(uri.getScheme()).toLowerCase(Locale.ROOT);
      if (uri.getHost() != null
          && uri.getRawUserInfo() == null
          && uri.getPort() <= 65_535
          && uri.getPort() != 0
          && (scheme.equals("http") || scheme.equals("https"))) {
        return URI.create(scheme + uri.toString().substring(scheme.length()));
      }
    } catch (IllegalArgumentException e) {
      // Said below.
    }
    throw ProblemException.ofField(
        FETCH_FAILED,
        "url",
        "The archive's URL, or what it redirects to, is not http://HOST/… or https://HOST/… of at"
            + " most "
            + MAX_URL
            + " characters and without a user's name.");
  }

  private InetAddress addressOf(URI uri, long deadline) {
    InetAddress[] found =
        await(
            uri,
            CompletableFuture.supplyAsync(
                () -> {
                  try {
                    return resolver.resolve(uri.getHost());
                  } catch (UnknownHostException e) {
                    return new InetAddress[0];
                  }
                },
                task -> Thread.ofVirtual().name("resolve").start(task)),
            deadline);
    if (found.length == 0) {
      throw FetchedArchive.failed(uri, "has a host whose name has no address");
    }
    return Arrays.stream(found)
        .filter(addresses::permit)
        .findFirst()
        .orElseThrow(
            () ->
                FetchedArchive.failed(
                    uri,
                    "is at an address that is not public, or this box itself; the operator can"
                        + " allow it with TINYFAAS_FETCH_ALLOW"));
  }

  private FetchedArchive get(URI uri, InetAddress address, long deadline) {
    boolean tls = uri.getScheme().equals("https");
    int port = uri.getPort() >= 0 ? uri.getPort() : tls ? 443 : 80;
    String path = uri.getRawPath().isEmpty() ? "/" : uri.getRawPath();
    RequestOptions request =
        new RequestOptions()
            .setServer(SocketAddress.inetSocketAddress(port, address.getHostAddress()))
            .setHost(uri.getHost())
            .setPort(port)
            .setSsl(tls)
            .setURI(uri.getRawQuery() == null ? path : path + "?" + uri.getRawQuery())
            .putHeader(HttpHeaders.ACCEPT, "application/zip, */*;q=0.5")
            .putHeader(HttpHeaders.USER_AGENT, "tinyFaaS");
    Future<FetchedArchive> answer =
        client
            .request(request)
            .compose(open -> open.send())
            .map(response -> new FetchedArchive(response, uri, deadline));
    try {
      return await(uri, answer.toCompletionStage().toCompletableFuture(), deadline);
    } catch (RuntimeException e) {
      // Whatever arrives later is not waited for any more.
      answer.onSuccess(FetchedArchive::close);
      throw e;
    }
  }

  private static <T> T await(URI uri, CompletableFuture<T> result, long deadline) {
    try {
      return result.get(deadline - System.nanoTime(), TimeUnit.NANOSECONDS);
    } catch (TimeoutException e) {
      throw FetchedArchive.failed(uri, "did not answer in time");
    } catch (ExecutionException e) {
      throw FetchedArchive.failed(uri, "could not be reached: " + e.getCause().getMessage());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("interrupted while fetching an archive", e);
    }
  }
}
