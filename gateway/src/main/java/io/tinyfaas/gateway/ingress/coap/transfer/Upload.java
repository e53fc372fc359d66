package io.tinyfaas.gateway.ingress.coap.transfer;

import java.util.Arrays;
import java.util.OptionalInt;
import org.eclipse.californium.core.coap.OptionSet;
import org.eclipse.californium.core.coap.Request;

/**
 * A large request that is put together as its blocks come. It takes as much memory as has come, or
 * up to twice that, whatever size it says it will have. On the event loop only.
 */
final class Upload {

  /** Of the first block, which are those of the whole (RFC 7959, 2.3). */
  private final OptionSet options;

  private final int limit;
  private byte[] body = {};
  private int length;

  /**
   * @param limit of the whole in bytes, if the device does not say its size
   */
  Upload(Request first, int limit) {
    this.options = new OptionSet(first.getOptions());
    this.limit = announced().orElse(limit);
  }

  /** The size that the device has said (Size1). */
  OptionalInt announced() {
    return options.hasSize1() && options.getSize1() > 0
        ? OptionalInt.of(options.getSize1())
        : OptionalInt.empty();
  }

  /** As large as it may be, in bytes. */
  int limit() {
    return limit;
  }

  /** Whether a block is the next one, and of the same kind. */
  boolean goesOnWith(Request block) {
    return block.getOptions().getBlock1().getOffset() == length
        && block.getOptions().getContentFormat() == options.getContentFormat();
  }

  /** Whether it is not too large with it. */
  boolean mayHave(Request block) {
    return length + block.getPayloadSize() <= limit;
  }

  /** What it takes with this block, in bytes. */
  int sizeWith(Request block) {
    int needed = length + block.getPayloadSize();
    return needed <= body.length
        ? body.length
        : Math.toIntExact(Math.max(needed, Math.min(2L * body.length, limit)));
  }

  void add(Request block) {
    int size = sizeWith(block);
    if (size > body.length) {
      body = Arrays.copyOf(body, size);
    }
    System.arraycopy(block.getPayload(), 0, body, length, block.getPayloadSize());
    length += block.getPayloadSize();
  }

  /** The whole, as if it had come in the message of its last block. */
  Request whole(Request last) {
    Request whole = new Request(last.getCode(), last.getType());
    whole.setMID(last.getMID());
    whole.setToken(last.getToken());
    whole.setScheme(last.getScheme());
    whole.setSourceContext(last.getSourceContext());
    whole.setLocalAddress(last.getLocalAddress());
    whole.setNanoTimestamp(last.getNanoTimestamp());
    whole.setOptions(options);
    whole.getOptions().removeBlock1().setBlock2(last.getOptions().getBlock2());
    if (!whole.isIntendedPayload()) {
      whole.setUnintendedPayload();
    }
    whole.setPayload(length == body.length ? body : Arrays.copyOf(body, length));
    return whole;
  }
}
