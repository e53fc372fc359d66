package io.tinyfaas.gateway.ingress.coap;

import io.tinyfaas.gateway.ingress.coap.Transfer.Share;
import io.tinyfaas.gateway.ingress.coap.Transfer.Subject;
import io.tinyfaas.gateway.memory.BodyMemory;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
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

  /** In all: each also has a few objects of Californium's, whatever its size. */
  private static final int MAX_COUNT = 1_024;

  /** Of one address, and of all together that are not verified. */
  private static final int MAX_SHARE_COUNT = 64;

  /** A quarter of the memory is for others than the one address that holds most. */
  private static final int QUARTERS = 4;

  private static final int QUARTERS_OF_ONE = 3;

  /** How long a transfer may pause: longer than a device retransmits (93 s, RFC 7252, 4.8.2). */
  static final int LIFETIME_SECONDS = 100;

  /** Californium looks for transfers that are over only every few seconds. */
  private static final long KEPT_NANOS = TimeUnit.SECONDS.toNanos(LIFETIME_SECONDS + 10);

  /** How many last blocks are kept that may be asked for again: a quarter of a megabyte. */
  private static final int MAX_FINISHED = 128;

  /** Of one subject: each block that a device asks for is looked for among them. */
  private static final int MAX_FINISHED_OF_ONE = 4;

  /** How long: a device that lost it has asked again by then. */
  private static final long FINISHED_NANOS = TimeUnit.SECONDS.toNanos(30);

  /** What makes a transfer's name a scheme of its own, where Californium looks for it. */
  private static final String NAME_PREFIX = "coap+";

  /** The one that pauses for longest first. */
  private final Map<String, Transfer> running = new LinkedHashMap<>();

  private final Map<Subject, List<Transfer>> bySubject = new HashMap<>();

  /** Downloads of which there is the last block only, in the order in which they ended. */
  private final Deque<Transfer> finished = new ArrayDeque<>();

  private final Map<Subject, Deque<Transfer>> finishedBySubject = new HashMap<>();

  /** Of the addresses that are not verified, of which anyone may invent as many as he likes. */
  private final Share unverified = new Share();

  private final BodyMemory memory;
  private final Peers peers;
  private final LongSupplier clock;
  private long names;

  TransferList(BodyMemory memory, Peers peers, LongSupplier clock) {
    this.memory = memory;
    this.peers = peers;
    this.clock = clock;
  }

  /** Gives back what transfers held that were never finished. */
  void expire() {
    long now = clock.getAsLong();
    while (!running.isEmpty()) {
      Transfer eldest = running.values().iterator().next();
      if (now - eldest.nanos() < KEPT_NANOS) {
        return;
      }
      remove(eldest);
    }
  }

  /**
   * Begins a transfer in the place of one with this token, which it replaces (RFC 7959, 2.5), or of
   * one that is abandoned; where there is no room, of the eldest of this subject.
   *
   * @param length of its first block
   * @param bytes of memory that it holds
   * @return empty if there is no room
   */
  Optional<Transfer> begin(
      Subject subject, Token token, int length, int bytes, EndpointContext peer) {
    finished(subject).filter(last -> last.hasToken(token)).toList().forEach(this::forget);
    Optional<Transfer> replaced = replaced(subject, token);
    replaced.ifPresent(this::remove);
    Share share = share(peer);
    boolean taken = take(share, bytes);
    if (!taken && replaced.isEmpty()) {
      replaced = of(subject).findFirst();
      replaced.ifPresent(this::remove);
      taken = replaced.isPresent() && take(share, bytes);
    }
    if (!taken) {
      replaced.ifPresent(this::keepAbandoned);
      return Optional.empty();
    }
    String name = replaced.map(Transfer::name).orElseGet(() -> NAME_PREFIX + ++names);
    Transfer transfer = new Transfer(name, subject, bytes, share, clock.getAsLong());
    transfer.block(token, 0, length, clock.getAsLong());
    add(transfer);
    return Optional.of(transfer);
  }

  /** Californium has its body until another one begins with its name, or until it is too old. */
  private Optional<Transfer> replaced(Subject subject, Token token) {
    return of(subject)
        .filter(transfer -> transfer.hasToken(token))
        .findFirst()
        .or(() -> of(subject).filter(Transfer::isAbandoned).findFirst());
  }

  private void keepAbandoned(Transfer transfer) {
    if (take(transfer.share(), transfer.bytes())) {
      transfer.abandon();
      add(transfer);
    }
  }

  /** An upload of this subject with this token, if there is one, is not gone on with. */
  void abandon(Subject subject, Token token) {
    of(subject).filter(transfer -> transfer.hasToken(token)).forEach(Transfer::abandon);
  }

  /**
   * The transfer that a further block belongs to, which goes on.
   *
   * @return empty if there is none, or none any more, or one cannot tell which
   */
  Optional<Transfer> goOn(Subject subject, Token token, int offset, int length) {
    Optional<Transfer> found = find(subject, token, offset);
    if (found.isEmpty()) {
      return Optional.empty();
    }
    Transfer transfer = found.get();
    running.remove(transfer.name());
    running.put(transfer.name(), transfer);
    transfer.block(token, offset, length, clock.getAsLong());
    if (transfer.isTooOld()) {
      remove(transfer);
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
    fitting.forEach(Transfer::abandon);
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
    Optional<Transfer> found = goOn(subject, token, asked.getOffset(), asked.getSize());
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
    remove(transfer);
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

  /** Nothing if there is no transfer of this name. */
  void end(String name) {
    Transfer transfer = running.get(name);
    if (transfer != null) {
      remove(transfer);
    }
  }

  private Stream<Transfer> of(Subject subject) {
    return bySubject.getOrDefault(subject, List.of()).stream();
  }

  private void add(Transfer transfer) {
    running.put(transfer.name(), transfer);
    bySubject.computeIfAbsent(transfer.subject(), _ -> new ArrayList<>(1)).add(transfer);
  }

  private void remove(Transfer transfer) {
    running.remove(transfer.name());
    bySubject.computeIfPresent(
        transfer.subject(),
        (_, all) -> {
          all.remove(transfer);
          return all.isEmpty() ? null : all;
        });
    memory.give(transfer.bytes());
    transfer.share().count--;
    transfer.share().bytes -= transfer.bytes();
  }

  private boolean take(Share share, int bytes) {
    int quarters = share == unverified ? 1 : QUARTERS_OF_ONE;
    if (running.size() >= MAX_COUNT
        || share.count >= MAX_SHARE_COUNT
        || share.bytes + bytes > memory.size() / QUARTERS * quarters
        || !memory.take(bytes)) {
      return false;
    }
    share.count++;
    share.bytes += bytes;
    return true;
  }

  boolean isUnverified(EndpointContext peer) {
    return share(peer) == unverified;
  }

  private Share share(EndpointContext context) {
    return context instanceof PeerContext udp && !udp.peer().isVerified()
        ? unverified
        : peers.of(context).transfers();
  }
}
