package io.tinyfaas.runtime.http;

import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/**
 * What has come on one connection. A request stays in this buffer, and its parts are looked at
 * there, until the next one is read: what the function does not ask for is never made an object.
 *
 * <p>Each method that receives throws {@link EOFException} if the peer leaves in the middle of a
 * request.
 */
final class ReceivedBytes {

  private static final int FIRST_SIZE = 8 * 1024;

  private final Peer peer;

  /** Those from {@code position} to {@code end} are received and not yet read. */
  private byte[] bytes = new byte[FIRST_SIZE];

  private ByteBuffer asIdleBuffer = ByteBuffer.wrap(bytes);
  private int position;
  private int end;

  /** Bytes below it belong to the current request's head and stay; 0 while there is none. */
  private int keep;

  ReceivedBytes(Peer peer) {
    this.peer = peer;
  }

  /**
   * Waits for the first bytes of a request.
   *
   * @return false when the peer has ended the connection
   */
  boolean awaitFirst() throws IOException {
    position = 0;
    end = 0;
    keep = 0;
    if (asIdleBuffer.array() != bytes) {
      asIdleBuffer = ByteBuffer.wrap(bytes);
    }
    int count = peer.readIdle(asIdleBuffer.clear());
    if (count < 0) {
      return false;
    }
    end = count;
    return true;
  }

  /** Whether there is no byte that is not read, so none of a next request yet. */
  boolean isEmpty() {
    return position == end;
  }

  /** Of the bytes that are not yet read. */
  int length() {
    return end - position;
  }

  /** Where the first byte is that is not yet read. */
  int position() {
    return position;
  }

  /** Where they all are, until more are received. */
  byte[] bytes() {
    return bytes;
  }

  void skip(int count) {
    position += count;
  }

  /** Nobody asks for the last request's head any more. */
  void forgetHead() {
    keep = 0;
  }

  /** All that was read so far can be looked at until {@link #forgetHead}, where it is now. */
  void keepHead() {
    keep = position;
  }

  byte readByte() throws IOException {
    if (isEmpty()) {
      receiveMore();
    }
    return bytes[position++];
  }

  void readInto(byte[] target, int offset, int length) throws IOException {
    int here = Math.min(end - position, length);
    System.arraycopy(bytes, position, target, offset, here);
    position += here;
    int missing = length - here;
    while (missing > 0) {
      int count = peer.read(target, offset + length - missing, missing);
      if (count < 0) {
        throw new EOFException();
      }
      missing -= count;
    }
  }

  /** At least one byte; what is not yet read may be at another position afterwards. */
  void receiveMore() throws IOException {
    if (position == end && position > keep && keep > 0) {
      position = keep;
      end = keep;
    }
    if (end == bytes.length) {
      makeRoom();
    }
    int count = peer.read(bytes, end, bytes.length - end);
    if (count < 0) {
      throw new EOFException();
    }
    end += count;
  }

  private void makeRoom() {
    if (keep == 0 && position > 0) {
      System.arraycopy(bytes, position, bytes, 0, end - position);
      end -= position;
      position = 0;
    } else {
      bytes = Arrays.copyOf(bytes, 2 * bytes.length);
    }
  }

  byte at(int index) {
    return bytes[index];
  }

  /**
   * @return {@code to} where there is none
   */
  int indexOf(char wanted, int from, int to) {
    int i = from;
    while (i < to && bytes[i] != wanted) {
      i++;
    }
    return i;
  }

  boolean is(byte[] expected, int from, int to) {
    return Arrays.equals(bytes, from, to, expected, 0, expected.length);
  }

  /** {@code lowerCase} holds letters and hyphens only. */
  boolean startsWithIgnoreCase(String lowerCase, int from) {
    for (int i = 0; i < lowerCase.length(); i++) {
      if ((bytes[from + i] | 0x20) != lowerCase.charAt(i)) {
        return false;
      }
    }
    return true;
  }

  /** A word such as a method or a header's name (RFC 9110, section 5.6.2). */
  boolean isToken(int from, int to) {
    for (int i = from; i < to; i++) {
      int c = bytes[i];
      if (c <= ' ' || "\"(),/:;<=>?@[\\]{}".indexOf(c) >= 0) {
        return false;
      }
    }
    return to > from;
  }

  String text(int from, int to) {
    return new String(bytes, from, to - from, StandardCharsets.ISO_8859_1);
  }
}
