package io.tinyfaas.gateway.call;

import io.tinyfaas.contract.control.CallId;
import io.tinyfaas.contract.control.CallState;
import io.tinyfaas.contract.handler.HandlerHttp;
import io.tinyfaas.gateway.call.Call.Origin;
import io.tinyfaas.gateway.call.IdempotencyKey.Digest;
import io.tinyfaas.gateway.ingress.Protocol;
import io.tinyfaas.gateway.invoke.Invocation;
import io.tinyfaas.gateway.invoke.InvocationResult.Answered;
import io.tinyfaas.gateway.invoke.Lineage;
import io.vertx.core.MultiMap;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.util.Map;
import java.util.Optional;

/**
 * Calls as bytes: what is kept of each on disk. A record begins with the version of its form; one
 * of a later version is not read.
 */
final class CallRecords {

  private static final int VERSION = 1;

  /** So that no record is taken for one of another kind. */
  private static final int STATE = 'S';

  private static final int REQUEST = 'Q';
  private static final int RESULT = 'R';
  private static final int KEYLESS = 0;
  private static final int KEYED = 1;

  /** Of these most have less. */
  private static final int USUAL_BYTES = 256;

  private CallRecords() {}

  private interface Writing {
    void to(DataOutputStream out) throws IOException;
  }

  private interface Reading<T> {
    T from(DataInputStream in) throws IOException;
  }

  static byte[] ofState(Call call) {
    Origin origin = call.origin();
    return write(
        STATE,
        USUAL_BYTES,
        out -> {
          out.writeUTF(origin.id().value());
          out.writeUTF(origin.function());
          out.writeUTF(origin.protocol().label());
          out.writeUTF(origin.device());
          out.writeUTF(origin.callback());
          out.writeInt(origin.depth());
          out.writeByte(origin.key().isPresent() ? KEYED : KEYLESS);
          if (origin.key().isPresent()) {
            write(origin.key().get().key(), out);
            write(origin.key().get().request(), out);
          }
          out.writeInt(origin.bytes());
          out.writeLong(call.acceptedAt());
          out.writeLong(call.dueAt());
          out.writeBoolean(call.isDueByClock());
          out.writeUTF(call.decided().name());
          out.writeLong(call.ripeAt());
          out.writeInt(call.attempts());
          out.writeLong(call.finishedAt());
          out.writeInt(call.status());
          out.writeUTF(call.reason());
        });
  }

  /**
   * @throws IOException if these bytes are none
   */
  static Call toCall(long number, byte[] bytes) throws IOException {
    return read(
        STATE,
        bytes,
        in -> {
          Origin origin =
              new Origin(
                  new CallId(in.readUTF()),
                  number,
                  in.readUTF(),
                  protocol(in.readUTF()),
                  in.readUTF(),
                  in.readUTF(),
                  in.readInt(),
                  in.readByte() == KEYLESS
                      ? Optional.empty()
                      : Optional.of(new IdempotencyKey(digest(in), digest(in))),
                  in.readInt());
          Call call = new Call(origin, in.readLong(), in.readLong(), in.readBoolean());
          call.restore(
              CallState.valueOf(in.readUTF()),
              in.readLong(),
              in.readInt(),
              in.readLong(),
              in.readInt(),
              in.readUTF());
          call.describe(); // refuses what could not be said of it
          return call;
        });
  }

  static byte[] ofRequest(Invocation request) {
    return write(
        REQUEST,
        USUAL_BYTES + request.body().length,
        out -> {
          out.writeUTF(request.function());
          out.writeUTF(request.protocol().label());
          byte[] peer = request.peer().getAddress();
          out.writeByte(peer.length);
          out.write(peer);
          out.writeUTF(request.device());
          write(headersWithCaller(request), out);
          write(request.body(), out);
        });
  }

  /**
   * @throws IOException if these bytes are none
   */
  static Invocation toRequest(byte[] bytes) throws IOException {
    return read(
        REQUEST,
        bytes,
        in ->
            withCaller(
                new Invocation(
                    in.readUTF(),
                    protocol(in.readUTF()),
                    InetAddress.getByAddress(in.readNBytes(in.readByte())),
                    in.readUTF(),
                    headers(in),
                    body(in))));
  }

  /** On disk the function that called is a header; how deep it was is in the state. */
  private static MultiMap headersWithCaller(Invocation request) {
    String caller = request.lineage().caller();
    return caller.isEmpty()
        ? request.headers()
        : MultiMap.caseInsensitiveMultiMap()
            .addAll(request.headers())
            .set(HandlerHttp.CALLER_HEADER, caller);
  }

  private static Invocation withCaller(Invocation read) {
    String caller = read.headers().get(HandlerHttp.CALLER_HEADER);
    return caller == null || read.protocol() != Protocol.FUNCTION
        ? read
        : read.with(new Lineage(caller, 0, Lineage.NO_DEADLINE));
  }

  static byte[] ofResult(Answered result) {
    return write(
        RESULT,
        USUAL_BYTES + result.body().length,
        out -> {
          out.writeInt(result.status());
          write(result.headers(), out);
          write(result.body(), out);
        });
  }

  /**
   * @throws IOException if these bytes are none
   */
  static Answered toResult(byte[] bytes) throws IOException {
    return read(RESULT, bytes, in -> new Answered(in.readInt(), headers(in), body(in)));
  }

  private static void write(Digest digest, DataOutputStream out) throws IOException {
    out.writeLong(digest.high());
    out.writeLong(digest.low());
  }

  private static Digest digest(DataInputStream in) throws IOException {
    return new Digest(in.readLong(), in.readLong());
  }

  private static Protocol protocol(String label) throws IOException {
    for (Protocol protocol : Protocol.values()) {
      if (protocol.label().equals(label)) {
        return protocol;
      }
    }
    throw new IOException("unknown protocol " + label);
  }

  private static void write(MultiMap headers, DataOutputStream out) throws IOException {
    out.writeShort(headers.entries().size());
    for (Map.Entry<String, String> header : headers) {
      out.writeUTF(header.getKey());
      out.writeUTF(header.getValue());
    }
  }

  private static MultiMap headers(DataInputStream in) throws IOException {
    MultiMap headers = MultiMap.caseInsensitiveMultiMap();
    for (int left = in.readUnsignedShort(); left > 0; left--) {
      headers.add(in.readUTF(), in.readUTF());
    }
    return headers;
  }

  private static void write(byte[] body, DataOutputStream out) throws IOException {
    out.writeInt(body.length);
    out.write(body);
  }

  private static byte[] body(DataInputStream in) throws IOException {
    int length = in.readInt();
    if (length != in.available()) {
      throw new IOException("a body of " + length + " bytes that is none");
    }
    return in.readAllBytes();
  }

  private static byte[] write(int kind, int size, Writing writing) {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream(size);
    try (DataOutputStream out = new DataOutputStream(bytes)) {
      out.writeByte(VERSION);
      out.writeByte(kind);
      writing.to(out);
    } catch (IOException e) {
      throw new UncheckedIOException(e); // longer than 64 KiB: no header is
    }
    return bytes.toByteArray();
  }

  private static <T> T read(int kind, byte[] bytes, Reading<T> reading) throws IOException {
    try (DataInputStream in = new DataInputStream(new ByteArrayInputStream(bytes))) {
      int version = in.readUnsignedByte();
      if (version != VERSION) {
        throw new IOException("a record of version " + version);
      }
      if (in.readUnsignedByte() != kind) {
        throw new IOException("a record of another kind");
      }
      return reading.from(in);
    } catch (IllegalArgumentException e) {
      throw new IOException(e);
    }
  }
}
