package io.tinyfaas.gateway.ingress.coap.transfer;

import io.tinyfaas.gateway.ingress.coap.peer.Peers;
import io.tinyfaas.gateway.ingress.coap.peer.TransferShare;
import io.tinyfaas.gateway.ingress.coap.socket.PeerContext;
import io.tinyfaas.gateway.ingress.coap.transfer.Transfer.Subject;
import io.tinyfaas.gateway.memory.BodyMemory;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import java.util.stream.Stream;
import org.eclipse.californium.core.coap.BlockOption;
import org.eclipse.californium.core.coap.Response;
import org.eclipse.californium.core.coap.Token;
import org.eclipse.californium.elements.EndpointContext;

/**
 * The transfers that are not finished: which one a block belongs to, and how many there may be with
 * how much memory. Several of one subject are told apart by the tokens of devices that keep one for
 * a transfer, otherwise by where their next block begins; a block that may belong to two belongs to
 * none, so that no body is ever made of two. On the event loop only.
 */
final class TransferList {

  /** In all. */
  private static final int MAX_COUNT = 1_024;

  /** Of one address, and of all together that are not verified. */
  private static final int MAX_SHARE_COUNT = 64;

  /**
   * A transfer holds what it does for as long as it likes. So an eighth of the memory is left to
   * invocations, beside one for answers that are not acknowledged, and one for those that wait for
   * a proof of their address.
   */
  private static final int EIGHTHS = 8;

  private static final int EIGHTHS_OF_ALL = 5;
  private static final int EIGHTHS_OF_ONE = 4;
  private static final int EIGHTHS_OF_UNVERIFIED = 2;

  /** How long a transfer may pause: longer than a device retransmits (93 s, RFC 7252, 4.8.2). */
  private static final int LIFETIME_SECONDS = 100;

  private static final long LIFETIME_NANOS = TimeUnit.SECONDS.toNanos(LIFETIME_SECONDS);

  /** How many last blocks are kept that may be asked for again: a quarter of a megabyte. */
  private static final int MAX_FINISHED = 128;

  /** Of one subject: each block that a device asks for is looked for among them. */
  private static final int MAX_FINISHED_OF_ONE = 4;

  /** How long: a device that lost it has asked again by then. */
  private static final long FINISHED_NANOS = TimeUnit.SECONDS.toNanos(30);

  /** The one that pauses for longest first. */
  private final Set<Transfer> running = new LinkedHashSet<>();

  private final Map<Subject, List<Transfer>> bySubject = new HashMap<>();

  /** Downloads of which there is the last block only, in the order in which they ended. */
  private final Deque<Transfer> finished = new ArrayDeque<>();

  private final Map<Subject, Deque<Transfer>> finishedBySubject = new HashMap<>();

  /** Of the addresses that are not verified, of which anyone may invent as many as he likes. */
  private final TransferShare unverified = new TransferShare();

  private final BodyMemory memory;
  private final Peers peers;
  private final LongSupplier clock;
  private long bytes;

  TransferList(BodyMemory memory, Peers peers, LongSupplier clock) {
    this.memory = memory;
    this.peers = peers;
    this.clock = clock;
  }

  /** Gives back what transfers held that were never finished. */
  void expire() {
    long now = clock.getAsLong();
    while (!running.isEmpty()) {
      Transfer eldest = running.iterator().next();
      if (now - eldest.nanos() <= LIFETIME_NANOS) {
        return;
      }
      end(eldest);
    }
  }

  /**
   * Begins a transfer in the place of one with this token, which it replaces (RFC 7959, 2.5); where
   * there is no room, of the eldest of this subject.
   *
   * @param length of its first block
   * @param bytes of memory that it holds
   * @return empty if there is no room
   */
  Optional<Transfer> begin(
      Subject subject, Token token, int length, long bytes, EndpointContext peer) {
    finished(subject).filter(last -> last.hasToken(token)).toList().forEach(this::forget);
    Optional<Transfer> replaced =
        of(subject).filter(transfer -> transfer.hasToken(token)).findFirst();
    replaced.ifPresent(this::end);
    Transfer transfer = new Transfer(subject, clock.getAsLong());
    if (!mayBegin(transfer, bytes, peer)) {
      Optional<Transfer> eldest = replaced.isPresent() ? Optional.empty() : of(subject).findFirst();
      eldest.ifPresent(this::end);
      if (eldest.isEmpty() || !mayBegin(transfer, bytes, peer)) {
        return Optional.empty();
      }
    }
    transfer.block(token, 0, length, clock.getAsLong());
    running.add(transfer);
    bySubject.computeIfAbsent(subject, _ -> new ArrayList<>(1)).add(transfer);
    return Optional.of(transfer);
  }

  /**
   * From now on it holds so many bytes, in the share of where its last block came from, which may
   * have become verified.
   *
   * @return false if there is no room: then it is over
   */
  boolean hold(Transfer transfer, long bytes, EndpointContext peer) {
    if (transfer.bytes() == bytes && transfer.share() == share(peer)) {
      return true;
    }
    give(transfer);
    if (take(transfer, bytes, peer)) {
      return true;
    }
    remove(transfer);
    return false;
  }

  /** An upload of this subject with this token, if there is one, is not gone on with. */
  void abandon(Subject subject, Token token) {
    of(subject).filter(transfer -> transfer.hasToken(token)).findFirst().ifPresent(this::end);
  }

  /**
   * The transfer that a further block belongs to, which goes on.
   *
   * @return empty if there is none, or none any more, or one cannot tell which
   */
  Optional<Transfer> continued(Subject subject, Token token, int offset, int length) {
    Optional<Transfer> found = find(subject, token, offset);
    if (found.isEmpty()) {
      return Optional.empty();
    }
    Transfer transfer = found.get();
    running.remove(transfer);
    running.add(transfer);
    transfer.block(token, offset, length, clock.getAsLong());
    if (transfer.isTooOld()) {
      end(transfer);
      return Optional.empty();
    }
    return found;
  }

  private Optional<Transfer> find(Subject subject, Token token, int offset) {
    Optional<Transfer> own = of(subject).filter(one -> one.hasToken(token)).findFirst();
    if (own.isPresent()) {
      return own;
    }
    List<Transfer> others = of(subject).filter(Transfer::mayHaveOther).toList();
    if (others.size() <= 1) {
      return others.stream().findFirst();
    }
    List<Transfer> fitting = others.stream().filter(one -> one.fits(offset)).toList();
    if (fitting.size() == 1) {
      return fitting.stream().findFirst();
    }
    fitting.forEach(this::end);
    return Optional.empty();
  }

  /**
   * The block that is asked for of what is fetched.
   *
   * @return empty if it is of nothing that is known
   */
  Optional<Response> block(Subject subject, Token token, BlockOption asked) {
    Optional<Transfer> last =
        finished(subject).filter(transfer -> transfer.hasToken(token)).findFirst();
    if (last.isPresent()) {
      return last.get().download().flatMap(download -> download.block(asked));
    }
    Optional<Transfer> found = continued(subject, token, asked.getOffset(), asked.getSize());
    if (found.isEmpty()) {
      List<Response> again =
          finished(subject)
              .filter(Transfer::mayHaveOther)
              .flatMap(transfer -> transfer.download().stream())
              .flatMap(download -> download.block(asked).stream())
              .toList();
      return again.size() == 1 ? Optional.of(again.getFirst()) : Optional.empty();
    }
    Transfer transfer = found.get();
    Optional<Response> block = transfer.download().flatMap(download -> download.block(asked));
    if (block.isPresent() && !block.get().getOptions().getBlock2().isM()) {
      finish(transfer, asked.getOffset());
    }
    return block;
  }

  private void finish(Transfer transfer, int offset) {
    end(transfer);
    transfer.download().map(whole -> whole.from(offset)).ifPresent(transfer::fetch);
    if (finished.size() >= MAX_FINISHED) {
      forget(finished.getFirst());
    }
    finished.addLast(transfer);
    Deque<Transfer> its =
        finishedBySubject.computeIfAbsent(transfer.subject(), _ -> new ArrayDeque<>(1));
    its.addLast(transfer);
    if (its.size() > MAX_FINISHED_OF_ONE) {
      forget(its.getFirst());
    }
  }

  private void forget(Transfer last) {
    finished.remove(last);
    finishedBySubject.computeIfPresent(
        last.subject(),
        (_, its) -> {
          its.remove(last);
          return its.isEmpty() ? null : its;
        });
  }

  private Stream<Transfer> finished(Subject subject) {
    Deque<Transfer> its = finishedBySubject.get(subject);
    if (its == null) {
      return Stream.empty();
    }
    long now = clock.getAsLong();
    return its.stream().filter(transfer -> now - transfer.nanos() < FINISHED_NANOS);
  }

  private Stream<Transfer> of(Subject subject) {
    return bySubject.getOrDefault(subject, List.of()).stream();
  }

  /** No block belongs to it any more. Nothing if it is over already. */
  void end(Transfer transfer) {
    if (running.contains(transfer)) {
      remove(transfer);
      give(transfer);
    }
  }

  private void remove(Transfer transfer) {
    running.remove(transfer);
    bySubject.computeIfPresent(
        transfer.subject(),
        (_, all) -> {
          all.remove(transfer);
          return all.isEmpty() ? null : all;
        });
  }

  private void give(Transfer transfer) {
    memory.give(transfer.bytes());
    bytes -= transfer.bytes();
    transfer.share().end(transfer.bytes());
  }

  private boolean mayBegin(Transfer transfer, long bytes, EndpointContext peer) {
    return running.size() < MAX_COUNT && take(transfer, bytes, peer);
  }

  private boolean take(Transfer transfer, long more, EndpointContext peer) {
    TransferShare share = share(peer);
    int eighths = share == unverified ? EIGHTHS_OF_UNVERIFIED : EIGHTHS_OF_ONE;
    if (share.count() >= MAX_SHARE_COUNT
        || share.bytes() + more > memory.size() / EIGHTHS * eighths
        || bytes + more > memory.size() / EIGHTHS * EIGHTHS_OF_ALL
        || !memory.take(more)) {
      return false;
    }
    bytes += more;
    share.begin(more);
    transfer.hold(more, share);
    return true;
  }

  boolean isUnverified(EndpointContext peer) {
    return share(peer) == unverified;
  }

  private TransferShare share(EndpointContext context) {
    return context instanceof PeerContext udp && !udp.peer().isVerified()
        ? unverified
        : PeerContext.peerOf(context, peers).transfers();
  }
}
