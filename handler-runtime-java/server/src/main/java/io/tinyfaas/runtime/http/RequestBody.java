package io.tinyfaas.runtime.http;

import static io.tinyfaas.runtime.http.RefusedRequest.malformed;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/**
 * The body of the request in hand (RFC 9112, sections 6 and 7). It stays among the bytes received
 * where it came together with its head.
 */
final class RequestBody {

  /** A chunk's size line with its extensions, in bytes. */
  private static final int MAX_CHUNK_LINE = 1024;

  private static final int FIRST_SIZE = 8 * 1024;
  private static final byte[] NONE = new byte[0];

  private final ReceivedBytes received;
  private final int maxLength;

  private byte[] bytes = NONE;
  private int offset;
  private int length;

  RequestBody(ReceivedBytes received, int maxLength) {
    this.received = received;
    this.maxLength = maxLength;
  }

  /**
   * @throws RefusedRequest with 413 before anything of a body of known and excessive length is read
   */
  void checkLength(RequestHead head) throws RefusedRequest {
    if (head.contentLength() > maxLength) {
      throw tooLarge();
    }
  }

  void read(RequestHead head) throws IOException, RefusedRequest {
    if (head.isChunked()) {
      readChunks();
      skipTrailers();
      return;
    }
    checkLength(head);
    length = head.contentLength();
    if (received.length() >= length) {
      bytes = received.bytes();
      offset = received.position();
      received.skip(length);
    } else {
      bytes = new byte[length];
      offset = 0;
      received.readInto(bytes, 0, length);
    }
  }

  String asText() {
    return new String(bytes, offset, length, StandardCharsets.UTF_8);
  }

  byte[] asBytes() {
    if (length == 0) {
      return NONE;
    }
    // Among the bytes received, there is the head before it.
    boolean inAnArrayOfItsOwn = offset == 0 && bytes.length == length;
    return inAnArrayOfItsOwn ? bytes : Arrays.copyOfRange(bytes, offset, offset + length);
  }

  /** Lets go of a large body before the connection waits for its next request. */
  void forget() {
    bytes = NONE;
  }

  private void readChunks() throws IOException, RefusedRequest {
    bytes = new byte[FIRST_SIZE];
    offset = 0;
    length = 0;
    for (int size = readChunkSize(); size > 0; size = readChunkSize()) {
      if (size > maxLength - length) {
        throw tooLarge();
      }
      if (length + size > bytes.length) {
        int doubled = Math.max(length + size, 2 * bytes.length);
        bytes = Arrays.copyOf(bytes, Math.min(doubled, maxLength));
      }
      received.readInto(bytes, length, size);
      length += size;
      if (received.readByte() != '\r' || received.readByte() != '\n') {
        throw malformed("a chunk is longer than its size");
      }
    }
  }

  private int readChunkSize() throws IOException, RefusedRequest {
    int size = 0;
    int digits = 0;
    int b = received.readByte();
    for (int digit = Character.digit(b, 16); digit >= 0; digit = Character.digit(b, 16)) {
      if (++digits > 7) {
        throw tooLarge();
      }
      size = 16 * size + digit;
      b = received.readByte();
    }
    if (digits == 0 || b != '\r' && b != ';' && b != ' ' && b != '\t') {
      throw malformed("not a chunk's size");
    }
    for (int extension = 0; b != '\r'; extension++) {
      if (extension > MAX_CHUNK_LINE || b == '\n') {
        throw malformed("not a chunk's size");
      }
      b = received.readByte();
    }
    if (received.readByte() != '\n') {
      throw malformed("not a chunk's size");
    }
    return size;
  }

  private void skipTrailers() throws IOException, RefusedRequest {
    int trailers = 0;
    for (int line = skipLine(); line > 0; line = skipLine()) {
      trailers += line;
      if (trailers > RequestHead.MAX_LENGTH) {
        throw RequestHead.tooLarge();
      }
    }
  }

  /**
   * @return its length in bytes, without its end
   */
  private int skipLine() throws IOException, RefusedRequest {
    int line = 0;
    int b = received.readByte();
    while (b != '\r') {
      if (++line > RequestHead.MAX_LENGTH || b == '\n') {
        throw malformed("not a trailer");
      }
      b = received.readByte();
    }
    if (received.readByte() != '\n') {
      throw malformed("not a trailer");
    }
    return line;
  }

  private RefusedRequest tooLarge() {
    return new RefusedRequest(413, "a body has at most " + maxLength + " bytes");
  }
}
