package io.tinyfaas.benchmark;

import java.net.URI;
import java.nio.ByteBuffer;

/**
 * A POST of a body to a function that answers the same, both block by block where they are larger
 * than one block (RFC 7959). One at a time, of one thread.
 */
final class BlockTransfer {

  /** In bytes; the largest there is. */
  private static final int BLOCK = 1_024;

  /** {@link #BLOCK} as options say it: 2 to the power of this and 4. */
  private static final int SIZE_EXPONENT = 6;

  private static final int NONE = -1;

  private final URI target;
  private final byte[] body;

  /** Whether the answer's bytes were those of the body so far. */
  private boolean same;

  private boolean complete;
  private int sent;
  private int received;

  BlockTransfer(URI target, int length) {
    this.target = target;
    this.body = body(length);
  }

  /** Text, of which no two blocks are the same. */
  static byte[] body(int length) {
    byte[] body = new byte[length];
    for (int i = 0; i < length; i++) {
      body[i] = (byte) ('a' + (i + i / BLOCK) % 26);
    }
    return body;
  }

  /** The first message. */
  ByteBuffer begin() {
    same = true;
    complete = false;
    sent = 0;
    received = 0;
    return upload();
  }

  /** Whether the whole body came back. */
  boolean isComplete() {
    return complete;
  }

  /**
   * What to send after this answer to the message before; null when nothing is.
   *
   * @param answer afterwards positioned at its payload
   */
  ByteBuffer next(ByteBuffer answer) {
    int code = CoapMessage.code(answer);
    int block2 = CoapMessage.uint(answer, CoapMessage.BLOCK2);
    if (!CoapMessage.seekPayload(answer)) {
      return null;
    }
    if (sent < body.length) {
      return code == CoapMessage.CONTINUE ? upload() : null;
    }
    if (code != CoapMessage.CHANGED && code != CoapMessage.CONTENT) {
      return null;
    }
    int length = answer.remaining();
    int offset = block2 == NONE ? 0 : (block2 >> 4) << (block2 & 7) + 4;
    same &=
        offset == received
            && received + length <= body.length
            && answer.equals(ByteBuffer.wrap(body, received, length));
    received += length;
    boolean more = block2 != NONE && (block2 >> 3 & 1) == 1;
    if (same && more) {
      int number = (block2 >> 4) + 1;
      return CoapMessage.post(target, number << 4 | block2 & 7, NONE, NONE, ByteBuffer.allocate(0));
    }
    complete = same && received == body.length;
    return null;
  }

  private ByteBuffer upload() {
    int length = Math.min(BLOCK, body.length - sent);
    boolean more = sent + length < body.length;
    int block1 = body.length <= BLOCK ? NONE : sent / BLOCK << 4 | (more ? 8 : 0) | SIZE_EXPONENT;
    // Who does not say how much is to come is taken to send as much as is allowed.
    int size1 = sent == 0 && more ? body.length : NONE;
    ByteBuffer payload = ByteBuffer.wrap(body, sent, length);
    ByteBuffer message = CoapMessage.post(target, NONE, block1, size1, payload);
    sent += length;
    return message;
  }
}
