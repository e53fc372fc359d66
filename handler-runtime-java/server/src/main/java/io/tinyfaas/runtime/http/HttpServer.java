package io.tinyfaas.runtime.http;

import io.tinyfaas.runtime.load.LoadedFunction;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.net.StandardProtocolFamily;
import java.net.StandardSocketOptions;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Semaphore;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Consumer;

/**
 * The handler contract's HTTP/1.1 for one function, and no more of HTTP than that. One virtual
 * thread per connection, so that a function may simply block.
 */
public final class HttpServer {

  /**
   * Further ones wait in the backlog. Each holds about 12 KB, once requests were pipelined on it up
   * to 28 KB, and a body while it is invoked.
   */
  static final int MAX_CONNECTIONS = 512;

  private static final int BACKLOG = 512;

  private static final Duration PATIENCE = Duration.ofSeconds(30);

  private static final Duration RETRY = Duration.ofMillis(100);

  /** How long an answer may wait for those to further requests that are here already. */
  private static final long MAX_HELD_NANOS = Duration.ofMillis(2).toNanos();

  /** So often somebody looks for answers that are held, before they stop if there are none. */
  private static final int LOOKS = 50;

  private final ServerSocketChannel channel;
  private final LoadedFunction function;
  private final int maxBody;
  private final Duration patience;
  private final ThreadFactory threads;
  private final Semaphore slots = new Semaphore(MAX_CONNECTIONS);
  private final Set<HttpConnection> connections = ConcurrentHashMap.newKeySet();
  private volatile boolean stopping;
  private volatile Thread lateAnswers;
  private volatile boolean nobodyLooks;

  private HttpServer(
      ServerSocketChannel channel,
      LoadedFunction function,
      int maxBody,
      Duration patience,
      ThreadFactory threads) {
    this.channel = channel;
    this.function = function;
    this.maxBody = maxBody;
    this.patience = patience;
    this.threads = threads;
  }

  /**
   * Connections are taken from here on, and served by {@link #serve}.
   *
   * @param address a TCP address, or a Unix socket's, whose left-over file is removed first
   * @param maxBody of a request, in bytes
   */
  public static HttpServer bind(SocketAddress address, LoadedFunction function, int maxBody)
      throws IOException {
    return bind(address, function, maxBody, PATIENCE, Thread.ofVirtual().factory());
  }

  /**
   * @param patience how long a peer may send or take nothing in the middle of a request
   * @param threads one for each connection
   */
  static HttpServer bind(
      SocketAddress address,
      LoadedFunction function,
      int maxBody,
      Duration patience,
      ThreadFactory threads)
      throws IOException {
    try {
      return new HttpServer(listen(address), function, maxBody, patience, threads);
    } catch (IOException e) {
      throw new IOException("cannot listen on " + address + ": " + e.getMessage(), e);
    }
  }

  private static ServerSocketChannel listen(SocketAddress address) throws IOException {
    if (!(address instanceof UnixDomainSocketAddress unix)) {
      return ServerSocketChannel.open().bind(address, BACKLOG);
    }
    Path file = unix.getPath();
    Files.deleteIfExists(file);
    ServerSocketChannel channel = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
    channel.bind(address, BACKLOG);
    // The gateway is another user; who may reach the file is decided by its folder.
    Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-rw-rw-"));
    return channel;
  }

  /** Where it listens, with the port that the system chose where none was given. */
  SocketAddress address() throws IOException {
    return channel.getLocalAddress();
  }

  /** Returns after {@link #stop}, once all requests read by then are answered. */
  public void serve() {
    Thread.ofPlatform().daemon().name("stalled-connections").start(this::closeStalled);
    lateAnswers = Thread.ofPlatform().daemon().name("late-answers").start(this::sendLateAnswers);
    while (!stopping) {
      slots.acquireUninterruptibly();
      if (!accept()) {
        slots.release();
      }
    }
    slots.acquireUninterruptibly(MAX_CONNECTIONS);
  }

  /** Called by any thread, any number of times. */
  public void stop() {
    stopping = true;
    try {
      channel.close();
    } catch (IOException e) {
      System.err.println("The server socket does not close: " + e.getMessage());
    }
    connections.forEach(HttpConnection::closeIfIdle);
  }

  boolean isStopping() {
    return stopping;
  }

  /** An answer is held while the next request is run. */
  void answersAreHeld() {
    if (nobodyLooks) {
      nobodyLooks = false;
      LockSupport.unpark(lateAnswers);
    }
  }

  /** Throws what the machine has against one more thread. */
  void start(Runnable work) {
    threads.newThread(work).start();
  }

  void ended(HttpConnection connection) {
    connections.remove(connection);
    slots.release();
  }

  /**
   * A function that wanted too much at once has its answer, and the handler lives on. But memory
   * that is still in use after a collection is lost to a leak: a fresh handler serves better.
   */
  void memoryRanOut() {
    System.gc();
    Runtime runtime = Runtime.getRuntime();
    long used = runtime.totalMemory() - runtime.freeMemory();
    if (used > runtime.maxMemory() / 10 * 9) {
      System.err.println(
          "The function holds " + used + " of " + runtime.maxMemory() + " bytes: giving up");
      Runtime.getRuntime().halt(1);
    }
  }

  /**
   * @return whether a connection has been started, which gives its slot back by itself
   */
  private boolean accept() {
    SocketChannel accepted;
    try {
      accepted = channel.accept();
    } catch (ClosedChannelException e) {
      return false;
    } catch (IOException e) {
      // Such as too many open files: they become fewer as connections end.
      System.err.println("A connection was not accepted: " + e.getMessage());
      LockSupport.parkNanos(RETRY.toNanos());
      return false;
    }
    Peer peer = new Peer(accepted);
    HttpConnection connection = new HttpConnection(peer, this, function, maxBody);
    try {
      if (accepted.getLocalAddress() instanceof InetSocketAddress) {
        accepted.setOption(StandardSocketOptions.TCP_NODELAY, true);
      }
      connections.add(connection);
      start(connection);
      return true;
    } catch (IOException | RuntimeException | Error e) {
      connections.remove(connection);
      peer.close();
      System.err.println("A connection cannot be served: " + e);
      LockSupport.parkNanos(RETRY.toNanos());
      return false;
    }
  }

  /** A timer for each held answer would cost more than holding it saves. */
  private void sendLateAnswers() {
    while (true) {
      for (int look = 0; look < LOOKS; look++) {
        LockSupport.parkNanos(MAX_HELD_NANOS);
        forEachConnection(each -> each.sendIfHeldFor(MAX_HELD_NANOS));
      }
      nobodyLooks = true;
      // Asked after the field is set: whoever holds an answer looks at them in the opposite order.
      if (connections.stream().noneMatch(HttpConnection::isHolding)) {
        LockSupport.park();
      }
      nobodyLooks = false;
    }
  }

  private void closeStalled() {
    try {
      while (true) {
        Thread.sleep(patience.dividedBy(10));
        forEachConnection(each -> each.closeIfStalled(patience.toNanos()));
      }
    } catch (InterruptedException e) {
      // Nobody interrupts it but the end of the JVM.
    }
  }

  /** What fails at one time (memory, threads) may succeed at the next, and nobody else does it. */
  private void forEachConnection(Consumer<HttpConnection> work) {
    try {
      connections.forEach(work);
    } catch (RuntimeException | Error e) {
      System.err.println("Connections were not looked after: " + e);
      LockSupport.parkNanos(RETRY.toNanos());
    }
  }
}
