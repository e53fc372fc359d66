package io.tinyfaas.gateway.ingress.grpc;

import io.grpc.Context;
import io.grpc.Context.CancellableContext;
import io.grpc.InternalMetadata;
import io.grpc.Metadata;
import io.grpc.ServerStreamTracer;
import io.grpc.Status;
import io.tinyfaas.gateway.memory.BodyMemory;
import io.tinyfaas.gateway.memory.Holder;
import java.util.concurrent.TimeoutException;

/**
 * What one call holds of its metadata, and of its message while it arrives: grpc-java bounds each,
 * this all of them together. On the event loop only.
 */
final class CallMemory extends ServerStreamTracer {

  /** What is there of an entry of metadata besides its bytes. */
  private static final int ENTRY_BYTES = 80;

  /** Of a call and its stream: measured, with 1,500 whose messages had not come. */
  private static final int CALL_BYTES = 2_560;

  private static final Context.Key<CallMemory> KEY = Context.key("tinyfaas-call-memory");

  private static final TimeoutException TIME_IS_UP =
      new TimeoutException("the client takes too long");

  private static final Runnable NOBODY = () -> {};

  /**
   * That there was no room for, and that are not gone yet; they end after all that is to be read.
   */
  private static final int MAX_REFUSED = 500;

  private final Factory calls;
  private final BodyMemory memory;
  private final Holder peer;
  private final int entries;
  private final long head;
  private final boolean room;
  private CancellableContext context;
  private long max = Long.MAX_VALUE;
  private Runnable exhausted = NOBODY;
  private long wire;
  private long unpacked;
  private long taken;
  private boolean done;
  private boolean closed;

  private CallMemory(Factory calls, BodyMemory memory, Metadata metadata) {
    byte[][] namesAndValues = InternalMetadata.serialize(metadata);
    this.calls = calls;
    this.memory = memory;
    this.peer = calls.peer;
    this.entries = namesAndValues.length / 2;
    long bytes = CALL_BYTES + (long) ENTRY_BYTES * entries;
    for (byte[] part : namesAndValues) {
      bytes += part.length;
    }
    this.head = bytes;
    this.room = memory.take(bytes, peer);
    if (!room) {
      calls.refused++;
    }
  }

  /** For each call one. */
  static final class Factory extends ServerStreamTracer.Factory {

    private final BodyMemory memory;
    private Holder peer = new Holder();
    private int refused;

    Factory(BodyMemory memory) {
      this.memory = memory;
    }

    /** Those that begin next: of what is made of a call, this learns only here who makes it. */
    void comeFrom(Holder address) {
      peer = address;
    }

    /** Whether not even a refusal is to be made of a further one. */
    boolean isFull() {
      return refused >= MAX_REFUSED;
    }

    @Override
    public ServerStreamTracer newServerStreamTracer(String method, Metadata metadata) {
      return new CallMemory(this, memory, metadata);
    }
  }

  /** That of the call whose handler runs. */
  static CallMemory current() {
    return KEY.get();
  }

  /** Who makes it. */
  Holder peer() {
    return peer;
  }

  /** Whether there was room for its metadata. */
  boolean hasRoom() {
    return room;
  }

  /** Of its metadata. */
  int entries() {
    return entries;
  }

  /**
   * @param max of a message that is there as it came and as it is, in bytes
   * @param exhausted is told when there is no room for the message
   */
  void watch(long max, Runnable exhausted) {
    this.max = max;
    this.exhausted = exhausted;
  }

  /** The message has been parsed, or is not wanted. */
  void release() {
    done = true;
    exhausted = NOBODY;
    memory.give(taken, peer);
    taken = 0;
  }

  /**
   * Ends the call with a reset, whatever has been queued for it: so grpc-java understands a time
   * that is up, and no other cause.
   */
  void cancel() {
    context.cancel(TIME_IS_UP);
  }

  @Override
  public Context filterContext(Context parent) {
    context = parent.withValue(KEY, this).withCancellation();
    return context;
  }

  @Override
  public void inboundWireSize(long bytes) {
    wire += bytes;
    count();
  }

  /** As much again where it is not compressed. */
  @Override
  public void inboundUncompressedSize(long bytes) {
    unpacked += bytes;
    count();
  }

  /** A message is there twice while it is parsed, as it came and as it is. */
  private void count() {
    long more = wire + Math.max(wire, unpacked) - taken;
    if (done || more <= 0) {
      return;
    }
    if (taken + more <= max && memory.take(more, peer)) {
      taken += more;
    } else {
      Runnable tell = exhausted;
      release();
      tell.run();
    }
  }

  @Override
  public void streamClosed(Status status) {
    release();
    if (!closed && room) {
      memory.give(head, peer);
    } else if (!closed) {
      calls.refused--;
    }
    closed = true;
  }
}
