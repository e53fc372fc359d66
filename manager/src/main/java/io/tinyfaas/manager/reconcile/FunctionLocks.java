package io.tinyfaas.manager.reconcile;

import io.tinyfaas.contract.route.FunctionName;
import io.tinyfaas.manager.problem.ProblemException;
import io.tinyfaas.manager.problem.ProblemType;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.locks.ReentrantLock;

/** One at a time changes a function; others of the same name wait their turn, a few of them. */
final class FunctionLocks {

  private static final int MAX_WAITING = 16;

  private final ConcurrentHashMap<FunctionName, Lock> locks = new ConcurrentHashMap<>();

  private static final class Lock extends ReentrantLock {
    /** Holders and those who wait; guarded by the map. */
    private int users;

    Lock() {
      super(true);
    }
  }

  /**
   * Waits for the function, and holds it until closed.
   *
   * @throws ProblemException {@code TOO_MANY} if {@value #MAX_WAITING} wait already
   */
  Held acquire(FunctionName function) {
    Lock lock =
        locks.compute(
            function,
            (name, existing) -> {
              Lock used = existing == null ? new Lock() : existing;
              if (used.users > MAX_WAITING) {
                throw ProblemException.of(
                    ProblemType.TOO_MANY,
                    MAX_WAITING
                        + " changes of "
                        + function
                        + " are waiting already: try again when they are done.");
              }
              used.users++;
              return used;
            });
    lock.lock();
    return new Held(function, lock);
  }

  final class Held implements AutoCloseable {
    private final FunctionName function;
    private final Lock lock;

    private Held(FunctionName function, Lock lock) {
      this.function = function;
      this.lock = lock;
    }

    /** Whether somebody else waits for this function. */
    boolean isWanted() {
      return lock.hasQueuedThreads();
    }

    @Override
    public void close() {
      lock.unlock();
      locks.compute(function, (name, used) -> --lock.users == 0 ? null : used);
    }
  }
}
