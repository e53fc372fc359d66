package io.tinyfaas.gateway.call;

import io.tinyfaas.contract.control.CallId;
import io.tinyfaas.contract.control.CallState;
import io.tinyfaas.gateway.call.Call.Origin;
import io.tinyfaas.gateway.callback.Callback;
import io.tinyfaas.gateway.invoke.Invocation;
import io.tinyfaas.gateway.invoke.InvocationResult.Answered;
import io.tinyfaas.gateway.journal.Batch;
import io.tinyfaas.gateway.journal.Journal;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.util.Base64;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.NavigableSet;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.Executor;
import java.util.stream.Stream;
import org.jboss.logging.Logger;

/**
 * Calls on disk, of each two records: its state under an even key, and under the odd one after it
 * its request, or its result once it is done. What is asked of it is answered on the invocation
 * loop.
 */
final class CallStore {

  private static final Logger LOG = Logger.getLogger(CallStore.class);

  /** A larger answer is not kept. */
  static final int MAX_RESULT_BYTES = 64 * 1_024;

  private static final int ID_BYTES = 16;

  /** So that a disk that works again does not hold up the loop. */
  private static final int SAVED_AT_ONCE = 256;

  /** A part of the room in which results do not get in the way of calls. */
  private static final int NOT_FOR_RESULTS = 4;

  private final Journal journal;
  private final long maxBytes;
  private final Executor loop;
  private final SecureRandom random = new SecureRandom();
  private long lastNumber;

  /** Of these the disk has not taken the last change. */
  private final Set<Call> unsaved = new LinkedHashSet<>();

  private boolean failing;

  private CallStore(Journal journal, long maxBytes, Executor loop, long lastNumber) {
    this.journal = journal;
    this.maxBytes = maxBytes;
    this.loop = loop;
    this.lastNumber = lastNumber;
  }

  /**
   * What there is on disk.
   *
   * @param calls in the order in which they were accepted
   * @param beside what others have there, under keys below 0
   */
  record Opened(CallStore store, List<Call> calls, Map<Long, byte[]> beside) {}

  /**
   * @param maxBytes of all records
   * @throws IOException if the folder cannot be made, read or written
   */
  static Opened open(Path folder, long maxBytes, Executor loop) throws IOException {
    NavigableMap<Long, Call> calls = new TreeMap<>();
    Map<Long, byte[]> beside = new HashMap<>();
    Set<Long> states = new HashSet<>();
    NavigableSet<Long> records = new TreeSet<>();
    Journal journal =
        Journal.open(
            folder,
            maxBytes,
            new Journal.Visitor() {
              @Override
              public boolean wants(long key) {
                if (key < 0) {
                  return true;
                }
                if (!isState(key)) {
                  records.add(key);
                }
                return isState(key);
              }

              @Override
              public void record(long key, ByteBuffer value) {
                byte[] bytes = new byte[value.remaining()];
                value.get(bytes);
                if (key < 0) {
                  beside.put(key, bytes);
                  return;
                }
                states.add(key);
                read(key / 2, bytes).ifPresent(call -> calls.put(key / 2, call));
              }
            });
    long last =
        Stream.concat(states.stream(), records.stream()).mapToLong(key -> key / 2).max().orElse(0);
    // Numbers of calls that were forgotten are not used again: what is damaged later may bring back
    // what they had on disk.
    CallStore store =
        new CallStore(journal, maxBytes, loop, Math.max(last, System.currentTimeMillis()));
    records.stream()
        .filter(key -> !states.contains(key - 1))
        .forEach(key -> store.failedOf(key).ifPresent(call -> calls.put(key / 2, call)));
    return new Opened(store, List.copyOf(calls.values()), beside);
  }

  private static boolean isState(long key) {
    return key % 2 == 0;
  }

  private static Optional<Call> read(long number, byte[] bytes) {
    try {
      return Optional.of(CallRecords.toCall(number, bytes));
    } catch (IOException e) {
      LOG.errorf("event=call-unreadable number=%d reason=\"%s\"", number, e.getMessage());
      return Optional.empty();
    }
  }

  /**
   * A request of which the state was damaged. Nobody knows how often it has run, so it is for
   * people to say what is to become of it.
   *
   * @return empty if there is no request: then it is removed
   */
  private Optional<Call> failedOf(long key) {
    try {
      byte[] bytes = journal.read(key).join();
      CallRequest whole = CallRecords.toRequest(bytes);
      Invocation request = whole.invocation();
      Origin origin =
          new Origin(
              newId(),
              key / 2,
              request.function(),
              request.protocol(),
              request.device(),
              "",
              whole.tells() ? whole.callback().map(Callback::destination).orElseThrow() : "",
              0,
              Optional.empty(),
              bytes.length);
      long now = System.currentTimeMillis();
      Call call = new Call(origin, now, now, false);
      call.because("its state was damaged on disk; whether it has run is not known");
      call.finish(CallState.FAILED, now);
      call.settle();
      save(call);
      return Optional.of(call);
    } catch (CompletionException | IOException e) {
      LOG.errorf("event=call-unreadable number=%d reason=\"%s\"", key / 2, e.getMessage());
      write(new Batch().remove(key));
      return Optional.empty();
    }
  }

  /** What names the next call. */
  long nextNumber() {
    return ++lastNumber;
  }

  /** Nobody guesses it: who knows it may see what became of the call. */
  CallId newId() {
    byte[] bytes = new byte[ID_BYTES];
    random.nextBytes(bytes);
    return new CallId(Base64.getUrlEncoder().withoutPadding().encodeToString(bytes));
  }

  boolean hasRoom(long bytes) {
    return journal.hasRoom(bytes);
  }

  /** Of records that are still wanted. */
  long bytes() {
    return journal.bytes();
  }

  static Batch add(Batch batch, Call call, byte[] request) {
    return state(batch, call).put(recordKey(call), request);
  }

  static Batch state(Batch batch, Call call) {
    return batch.put(stateKey(call), CallRecords.ofState(call));
  }

  /** With the result, if there is room for it and for all that calls have to write. */
  Batch done(Batch batch, Call call, Answered result) {
    int length = result.body().length;
    state(batch, call);
    return length <= MAX_RESULT_BYTES && hasRoom(length + maxBytes / NOT_FOR_RESULTS)
        ? batch.put(recordKey(call), CallRecords.ofResult(result))
        : batch.remove(recordKey(call));
  }

  /** Of what was told, nothing is asked for later. */
  static Batch told(Batch batch, Call call) {
    return state(batch, call).remove(recordKey(call));
  }

  private static Batch remove(Batch batch, Call call) {
    return batch.remove(stateKey(call)).remove(recordKey(call));
  }

  private static long stateKey(Call call) {
    return 2 * call.origin().number();
  }

  private static long recordKey(Call call) {
    return stateKey(call) + 1;
  }

  /**
   * All of it or nothing.
   *
   * @return completes once it is on disk, fails if the disk does not take it
   */
  Future<Void> write(Batch batch) {
    return onLoop(journal.write(batch));
  }

  /**
   * Writes what has become of the call, or that it is forgotten, as soon as the disk takes it.
   *
   * @return completes once it is on disk, fails if that will be later
   */
  Future<Void> save(Call call) {
    if (!call.isSettled() && !call.isForgotten()) {
      unsaved.add(call); // what follows from its end is written with it, and never after it
      return Future.failedFuture("its end is being written");
    }
    return write(asItIs(call))
        .onSuccess(saved -> unsaved.remove(call))
        .onFailure(
            full -> {
              unsaved.add(call);
              say(full);
            });
  }

  /** To be called now and then. */
  void saveAgain() {
    failing = false;
    unsaved.stream().limit(SAVED_AT_ONCE).toList().forEach(this::save);
  }

  private static Batch asItIs(Call call) {
    if (call.isForgotten()) {
      return remove(new Batch(), call);
    }
    Batch batch = state(new Batch(), call);
    return call.isRecordOld() ? batch.remove(recordKey(call)) : batch;
  }

  private void say(Throwable why) {
    if (!failing) {
      failing = true;
      LOG.errorf("event=calls-not-saved reason=\"%s\" retry=yes", why.getMessage());
    }
  }

  /** Fails if it cannot be read. */
  Future<CallRequest> request(Call call) {
    return onLoop(journal.read(recordKey(call)))
        .compose(bytes -> parsed(() -> CallRecords.toRequest(bytes)));
  }

  /** Fails if it cannot be read, or was not kept. */
  Future<Answered> result(Call call) {
    return onLoop(journal.read(recordKey(call)))
        .compose(bytes -> parsed(() -> CallRecords.toResult(bytes)));
  }

  private interface Parsing<T> {
    T parse() throws IOException;
  }

  private static <T> Future<T> parsed(Parsing<T> parsing) {
    try {
      return Future.succeededFuture(parsing.parse());
    } catch (IOException e) {
      return Future.failedFuture(e);
    }
  }

  private <T> Future<T> onLoop(CompletableFuture<T> written) {
    Promise<T> promise = Promise.promise();
    written.whenComplete(
        (value, failure) ->
            loop.execute(
                () -> {
                  if (failure == null) {
                    promise.complete(value);
                  } else {
                    promise.fail(failure);
                  }
                }));
    return promise.future();
  }

  void close() {
    journal.close();
  }
}
