package io.tinyfaas.function;

import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.file.Path;
import java.util.concurrent.ConcurrentLinkedDeque;
import java.util.concurrent.Future;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;

/** The connections to the gateway, which are kept: at most 16, others wait for one of them. */
final class CallConnections {

  /** The time is up. */
  static final class Late extends Exception {
    private static final long serialVersionUID = 1;
  }

  /** There is no connection to the gateway; the cause says why. */
  static final class Unreachable extends Exception {
    private static final long serialVersionUID = 1;

    Unreachable(IOException cause) {
      super(cause);
    }
  }

  private static final int MAX_CONNECTIONS = 16;

  /** The gateway keeps them for longer, so that none is used while it is being closed. */
  private static final long MAX_IDLE_NANOS = TimeUnit.SECONDS.toNanos(10);

  /** In bytes: the JDK copies what is written into a direct buffer as large, and keeps that. */
  private static final int MAX_SLICE = 64 * 1024;

  private final UnixDomainSocketAddress address;
  private final int maxBody;

  /** Fair, so that nobody waits for ever. */
  private final Semaphore free = new Semaphore(MAX_CONNECTIONS, true);

  private final ConcurrentLinkedDeque<Connection> idle = new ConcurrentLinkedDeque<>();

  /** Channels have no timeouts: at its end, a call's is closed. */
  private final ScheduledThreadPoolExecutor ends;

  CallConnections(Path socket, int maxBody) {
    this.address = UnixDomainSocketAddress.of(socket);
    this.maxBody = maxBody;
    this.ends =
        new ScheduledThreadPoolExecutor(
            1,
            task -> {
              Thread thread = new Thread(task, "ends-of-calls");
              thread.setDaemon(true);
              return thread;
            });
    ends.setRemoveOnCancelPolicy(true);
  }

  /**
   * @param end by {@link System#nanoTime}; the wait for a connection counts
   * @throws java.io.EOFException if the answer was cut short
   * @throws AnswerReader.Unacceptable if it is none, or too large
   * @throws IOException if the connection ended before there was any of it
   */
  Answer exchange(CallRequest request, long end)
      throws IOException, InterruptedException, Late, Unreachable {
    if (!free.tryAcquire(end - System.nanoTime(), TimeUnit.NANOSECONDS)) {
      throw new Late();
    }
    try {
      Connection kept = takeIdle();
      if (kept != null) {
        try {
          return on(kept, request, end);
        } catch (IOException e) {
          if (kept.hasReceived() || kept.isSentWhole && !request.isRepeatable()) {
            throw e;
          }
          // It was closed meanwhile, and nobody can have run what was sent, or may once more.
        }
      }
      return on(open(), request, end);
    } finally {
      free.release();
    }
  }

  private Answer on(Connection connection, CallRequest request, long end) throws IOException, Late {
    Future<?> closing =
        ends.schedule(connection::endLate, end - System.nanoTime(), TimeUnit.NANOSECONDS);
    boolean isKept = false;
    try {
      connection.send(request);
      Answer answer = connection.answers.read(request.method());
      isKept = connection.answers.isKept();
      return answer;
    } catch (IOException e) {
      if (connection.isLate) {
        throw new Late();
      }
      throw e;
    } finally {
      closing.cancel(false);
      if (isKept && !connection.isLate) {
        connection.idleSince = System.nanoTime();
        idle.addFirst(connection);
      } else {
        connection.close();
      }
    }
  }

  private Connection takeIdle() {
    for (Connection kept = idle.pollFirst(); kept != null; kept = idle.pollFirst()) {
      if (kept.isUsable()) {
        return kept;
      }
      kept.close();
    }
    return null;
  }

  private Connection open() throws Unreachable {
    SocketChannel channel = null;
    try {
      channel = SocketChannel.open(StandardProtocolFamily.UNIX);
      channel.connect(address);
      return new Connection(channel, maxBody);
    } catch (IOException e) {
      close(channel);
      throw new Unreachable(e);
    }
  }

  private static void close(SocketChannel channel) {
    try {
      if (channel != null) {
        channel.close();
      }
    } catch (IOException e) {
      // It is closed all the same.
    }
  }

  private static final class Connection {
    private final SocketChannel channel;
    private final AnswerReader answers;
    private long idleSince;
    private boolean isSentWhole;
    private volatile boolean isLate;

    Connection(SocketChannel channel, int maxBody) {
      this.channel = channel;
      this.answers = new AnswerReader(channel, maxBody);
    }

    /** The other side has neither closed it nor said anything. */
    boolean isUsable() {
      if (System.nanoTime() - idleSince > MAX_IDLE_NANOS || !answers.isEmpty()) {
        return false;
      }
      try {
        channel.configureBlocking(false);
        int count = channel.read(ByteBuffer.allocate(1));
        channel.configureBlocking(true);
        return count == 0;
      } catch (IOException e) {
        return false;
      }
    }

    void send(CallRequest request) throws IOException {
      isSentWhole = false;
      answers.begin();
      ByteBuffer[] both = {ByteBuffer.wrap(request.head()), ByteBuffer.wrap(request.body())};
      while (both[0].hasRemaining() || both[1].position() < request.body().length) {
        both[1].limit(Math.min(request.body().length, both[1].position() + MAX_SLICE));
        channel.write(both);
      }
      isSentWhole = true;
    }

    boolean hasReceived() {
      return answers.hasBegun();
    }

    void endLate() {
      isLate = true;
      close();
    }

    void close() {
      CallConnections.close(channel);
    }
  }
}
