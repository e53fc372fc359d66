package io.tinyfaas.gateway.ingress.coap.dtls;

import io.tinyfaas.contract.peer.PeerNetwork;
import io.tinyfaas.gateway.memory.Places;
import java.net.InetAddress;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Iterator;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import org.eclipse.californium.scandium.dtls.Connection;
import org.eclipse.californium.scandium.dtls.ConnectionEvictedException;
import org.eclipse.californium.scandium.dtls.Handshaker;
import org.eclipse.californium.scandium.dtls.InMemoryReadWriteLockConnectionStore;

/**
 * Sessions, and handshakes that are to become some. Whoever has an address can begin one, which
 * costs the gateway 2 to 4 ms, and 10 to 20 KB until it is given up: those of one address are
 * bounded by time, all of them by number. Of the sessions one device has three quarters at most.
 */
final class BoundedHandshakes extends InMemoryReadWriteLockConnectionStore {

  /** Within {@link #WINDOW_NANOS}, in which so many devices behind one address come back. */
  private static final int MAX_OF_AN_ADDRESS = 128;

  /** As long as one that is not answered lasts. */
  private static final long WINDOW_NANOS = TimeUnit.SECONDS.toNanos(15);

  /** Beyond it the oldest makes room: those of devices are over within a second. */
  private static final int MAX_OPEN = 256;

  private record Begun(InetAddress address, long nanos) {}

  /** The oldest first; guarded by the store's lock, which whoever begins one holds. */
  private final Deque<Begun> begun = new ArrayDeque<>();

  BoundedHandshakes(int capacity, long staleSeconds, boolean uniquePrincipals) {
    super(capacity, staleSeconds, null, uniquePrincipals);
  }

  /**
   * For each handshake that begins, by an address that is proved.
   *
   * @return false if it is not to begin; the device is asked to prove its address again
   */
  @Override
  public boolean put(Connection connection) {
    InetAddress address = PeerNetwork.of(connection.getPeerAddress().getAddress());
    long now = System.nanoTime();
    while (!begun.isEmpty() && now - begun.getFirst().nanos() > WINDOW_NANOS) {
      begun.removeFirst();
    }
    long ofAddress = begun.stream().filter(other -> other.address().equals(address)).count();
    if (ofAddress >= MAX_OF_AN_ADDRESS) {
      return false;
    }
    makeRoom();
    if (!super.put(connection)) {
      return false;
    }
    begun.addLast(new Begun(address, now));
    return true;
  }

  private void makeRoom() {
    Connection oldest = null;
    int open = 0;
    for (Iterator<Connection> each = connections.ascendingIterator(); each.hasNext(); ) {
      Connection other = each.next();
      if (!other.hasEstablishedDtlsContext()) {
        open++;
        oldest = oldest == null ? other : oldest;
      }
    }
    if (open >= MAX_OPEN) {
      giveUp(oldest);
    }
  }

  /** Of a device that has its share already, the session that is silent for longest ends. */
  @Override
  public void putEstablishedSession(Connection connection) {
    super.putEstablishedSession(connection);
    writeLock().lock();
    try {
      Connection silent = null;
      int its = 0;
      for (Iterator<Connection> each = connections.ascendingIterator(); each.hasNext(); ) {
        Connection other = each.next();
        if (isOfSameDevice(other, connection)) {
          its++;
          silent = silent == null && other != connection ? other : silent;
        }
      }
      if (silent != null && Places.isMoreThanShare(its, connections.remainingCapacity())) {
        end(silent);
      }
    } finally {
      writeLock().unlock();
    }
  }

  private static boolean isOfSameDevice(Connection one, Connection other) {
    return one.hasEstablishedDtlsContext()
        && one.getEstablishedSession()
            .getPeerIdentity()
            .getName()
            .equals(other.getEstablishedSession().getPeerIdentity().getName());
  }

  /** In the connection's own order of things. */
  private void end(Connection connection) {
    try {
      connection.getExecutor().execute(() -> remove(connection, true));
    } catch (RejectedExecutionException e) {
      // It has ended by itself.
    }
  }

  /** In the connection's own order of things. */
  private void giveUp(Connection connection) {
    try {
      connection
          .getExecutor()
          .execute(
              () -> {
                Handshaker handshaker = connection.getOngoingHandshake();
                if (handshaker != null) {
                  handshaker.handshakeFailed(new ConnectionEvictedException("too many handshakes"));
                }
              });
    } catch (RejectedExecutionException e) {
      // It has ended by itself.
    }
  }
}
