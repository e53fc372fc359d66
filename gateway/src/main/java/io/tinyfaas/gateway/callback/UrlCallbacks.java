package io.tinyfaas.gateway.callback;

import io.quarkus.runtime.configuration.ConfigurationException;
import io.tinyfaas.contract.address.PermittedAddresses;
import io.tinyfaas.contract.address.TrustedAuthorities;
import io.tinyfaas.gateway.callback.Callback.ToUrl;
import io.tinyfaas.gateway.loop.BugLog;
import io.tinyfaas.gateway.loop.EventLoops;
import io.tinyfaas.gateway.loop.InvocationLoop;
import io.tinyfaas.gateway.memory.Places;
import io.vertx.core.http.HttpClient;
import io.vertx.core.http.HttpClientOptions;
import io.vertx.core.impl.ContextInternal;
import io.vertx.core.net.TrustOptions;
import jakarta.inject.Inject;
import jakarta.inject.Singleton;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.SynchronousQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jboss.logging.Logger;

/**
 * Sends answers to servers. Whoever may call a function may name a URL, and the gateway is in the
 * box's network: it goes to {@link PermittedAddresses} only, and to none of the box's own ports. A
 * name is resolved for each attempt, and the address that was looked at is the one connected to, so
 * that a name server cannot lead elsewhere in between.
 *
 * <p>Asked on the invocation loop. Names are resolved on threads of its own, since that blocks, and
 * connections are on the other event loop, where TLS takes no time of invocations.
 */
@Singleton
final class UrlCallbacks {

  private static final Logger LOG = Logger.getLogger(UrlCallbacks.class);

  private static final BugLog BUGS = new BugLog(LOG, "callback-not-sent");

  /** Under way at once; to one server three quarters of it. */
  static final int MAX = 16;

  static final Duration TIMEOUT = Duration.ofSeconds(10);

  private static final long IDLE_THREAD_SECONDS = 10;
  private static final int MAX_LINE = 1_024;
  private static final int MAX_HEAD = 4 * 1_024;

  /** A name's addresses. */
  interface Resolver {
    InetAddress[] resolve(String host) throws UnknownHostException;
  }

  private final InvocationLoop loop;
  private final ContextInternal network;
  private final CallbackSettings settings;
  private final PermittedAddresses addresses;
  private final Resolver resolver;
  private final Duration timeout;
  private final Places<String> places = new Places<>(MAX);

  /** Threads end when they are idle; one that a name server keeps waiting has one place less. */
  private final ExecutorService threads =
      new ThreadPoolExecutor(
          0,
          MAX,
          IDLE_THREAD_SECONDS,
          TimeUnit.SECONDS,
          new SynchronousQueue<>(),
          Thread.ofPlatform().daemon().name("callback-", 0).factory());

  /** Made with the first callback, since what it trusts is read from disk. */
  private HttpClient client;

  @Inject
  UrlCallbacks(InvocationLoop loop, EventLoops loops, CallbackSettings settings) {
    this(loop, loops.broker(), settings, InetAddress::getAllByName, ours(settings), TIMEOUT);
  }

  /**
   * @param network where connections are
   * @param ours the box' own addresses
   */
  UrlCallbacks(
      InvocationLoop loop,
      ContextInternal network,
      CallbackSettings settings,
      Resolver resolver,
      Supplier<Set<String>> ours,
      Duration timeout) {
    this.loop = loop;
    this.network = network;
    this.settings = settings;
    this.resolver = resolver;
    this.timeout = timeout;
    try {
      this.addresses = new PermittedAddresses(settings.fetchAllow().orElse(List.of()), ours);
    } catch (IllegalArgumentException e) {
      throw new ConfigurationException(e.getMessage());
    }
  }

  private static Supplier<Set<String>> ours(CallbackSettings settings) {
    Supplier<Set<String>> own = new OwnAddresses();
    Set<String> told =
        Stream.of(settings.boxNames().orElse("").split("\\s+"))
            .filter(UrlCallbacks::isAddress)
            .collect(Collectors.toSet());
    return () -> Stream.concat(own.get().stream(), told.stream()).collect(Collectors.toSet());
  }

  /** What can be said before its name is resolved, which may block: of one that is an address. */
  Optional<String> refusal(ToUrl to) {
    try {
      return isAddress(to.host())
          ? refusal(to, InetAddress.getByName(to.host()))
          : Optional.empty();
    } catch (UnknownHostException e) {
      return Optional.of("its host is no address");
    }
  }

  /** All else that a URL has as its host are names (RFC 2396, 3.2.2). */
  private static boolean isAddress(String host) {
    return host.indexOf(':') >= 0 || host.matches("[0-9.]+");
  }

  private Optional<String> refusal(ToUrl to, InetAddress address) {
    if (!addresses.permit(address)) {
      return Optional.of(
          "it is at an address that is not public, or this box itself; the operator can allow it"
              + " with "
              + PermittedAddresses.VARIABLE);
    }
    return settings.ports().contains(to.port()) && addresses.isOurs(address)
        ? Optional.of("its port is one of the box's own, which nobody is called back at")
        : Optional.empty();
  }

  Telling tell(ToUrl to, Answer answer) {
    String server = to.destination();
    UrlExchange exchange = new UrlExchange(to, answer, loop.context(), network);
    if (!places.take(server)) {
      exchange.end(new Outcome.NotTaken("too many callbacks are under way"));
      return exchange;
    }
    long timer = loop.context().setTimer(timeout.toMillis(), late -> exchange.timeUp(timeout));
    exchange
        .outcome()
        .onComplete(
            ended -> {
              loop.context().owner().cancelTimer(timer);
              places.give(server);
            });
    try {
      threads.execute(() -> resolve(to, answer.attempt(), exchange));
    } catch (RejectedExecutionException e) {
      exchange.end(new Outcome.Failed("name servers keep all who ask waiting"));
    }
    return exchange;
  }

  /** On one of {@link #threads}. */
  private void resolve(ToUrl to, int attempt, UrlExchange exchange) {
    try {
      InetAddress[] found = resolver.resolve(to.host());
      List<InetAddress> permitted =
          Arrays.stream(found).filter(each -> refusal(to, each).isEmpty()).toList();
      if (permitted.isEmpty()) {
        exchange.end(
            new Outcome.Refused(
                Outcome.NO_STATUS, refusal(to, found[0]).orElse("its host has no address")));
      } else { // of several one may be away
        exchange.send(client(), permitted.get((attempt - 1) % permitted.size()));
      }
    } catch (UnknownHostException e) {
      exchange.end(new Outcome.Failed("its host's name has no address"));
    } catch (RuntimeException bug) {
      BUGS.say(bug);
      exchange.end(new Outcome.Failed("the gateway has a bug: its log says more"));
    }
  }

  private synchronized HttpClient client() {
    if (client == null) {
      client =
          network
              .owner()
              .createHttpClient(
                  new HttpClientOptions()
                      .setKeepAlive(false)
                      .setMaxPoolSize(MAX)
                      .setConnectTimeout((int) timeout.toMillis())
                      .setSslHandshakeTimeout(timeout.toMillis())
                      .setSslHandshakeTimeoutUnit(TimeUnit.MILLISECONDS)
                      .setMaxInitialLineLength(MAX_LINE)
                      .setMaxHeaderSize(MAX_HEAD)
                      .setTrustOptions(
                          TrustOptions.wrap(
                              TrustedAuthorities.of(
                                  settings.caCertificates(), UrlCallbacks::ignored))));
    }
    return client;
  }

  private static void ignored(Path file, String why) {
    LOG.warnf("event=ca-certificate file=%s outcome=ignored reason=\"%s\"", file, why);
  }
}
