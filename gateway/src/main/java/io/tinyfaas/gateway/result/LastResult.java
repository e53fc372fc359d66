package io.tinyfaas.gateway.result;

import io.tinyfaas.gateway.invoke.InvocationResult.Answered;
import io.vertx.core.MultiMap;
import io.vertx.core.http.HttpHeaders;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;

/** A state: what a function answered last, the same for whoever is told of it. */
public final class LastResult {

  /** What it takes beside the body, about. */
  static final int OVERHEAD_BYTES = 512;

  private static final int NO_CONTENT = 204;

  /** What is told of it besides; further headers are of the answer, not of the state. */
  private static final List<CharSequence> KEPT =
      List.of(
          HttpHeaders.CONTENT_TYPE,
          HttpHeaders.CONTENT_ENCODING,
          HttpHeaders.CACHE_CONTROL,
          HttpHeaders.ETAG);

  private final Answered answer;
  private final byte[] tag;
  private final boolean tagged;

  private LastResult(Answered answer, byte[] tag, boolean tagged) {
    this.answer = answer;
    this.tag = tag;
    this.tagged = tagged;
  }

  /**
   * Empty if the result says nothing of the state: an error, 304, or 204.
   *
   * @param tag of no other state: the ETag where the function has set none that CoAP can carry
   */
  public static Optional<LastResult> of(Answered result, int tag) {
    int status = result.status();
    if (status < 200 || status > 299 || status == NO_CONTENT) {
      return Optional.empty();
    }
    MultiMap kept = MultiMap.caseInsensitiveMultiMap();
    for (CharSequence name : KEPT) {
      String value = result.headers().get(name);
      if (value != null) {
        kept.set(name, value);
      }
    }
    String given = kept.get(HttpHeaders.ETAG);
    Optional<byte[]> own = given == null ? Optional.empty() : EntityTags.toCoap(given);
    return Optional.of(
        new LastResult(
            new Answered(status, kept, result.body()),
            own.orElseGet(() -> ByteBuffer.allocate(Integer.BYTES).putInt(tag).array()),
            own.isPresent()));
  }

  /** Whether somebody who has been told of the other one is to be told of this one. */
  boolean differsFrom(LastResult other) {
    return tagged != other.tagged
        || tagged && !Arrays.equals(tag, other.tag)
        || !contentType().equals(other.contentType())
        || !contentEncoding().equals(other.contentEncoding())
        || !Arrays.equals(body(), other.body());
  }

  /** In memory. */
  int bytes() {
    int letters = 0;
    for (CharSequence name : KEPT) {
      letters += header(name).length();
    }
    return body().length + OVERHEAD_BYTES + letters;
  }

  /** With the headers that are told; without an ETag if the function has set none. */
  public Answered answer() {
    return answer;
  }

  public byte[] body() {
    return answer.body();
  }

  /** Empty if there is none. */
  public String contentType() {
    return header(HttpHeaders.CONTENT_TYPE);
  }

  /** Empty if there is none. */
  public String contentEncoding() {
    return header(HttpHeaders.CONTENT_ENCODING);
  }

  private String header(CharSequence name) {
    String value = answer.headers().get(name);
    return value == null ? "" : value;
  }

  /** CoAP's ETag: 1 to 8 bytes. */
  public byte[] tag() {
    return tag.clone();
  }

  /** The same as text, in quotes as in HTTP: the bytes as hexadecimal digits. */
  public String etag() {
    return '"' + HexFormat.of().formatHex(tag) + '"';
  }
}
