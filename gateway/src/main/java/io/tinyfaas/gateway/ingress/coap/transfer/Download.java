package io.tinyfaas.gateway.ingress.coap.transfer;

import io.tinyfaas.gateway.ingress.coap.message.Blocks;
import java.util.Arrays;
import java.util.Optional;
import org.eclipse.californium.core.coap.BlockOption;
import org.eclipse.californium.core.coap.CoAP.ResponseCode;
import org.eclipse.californium.core.coap.OptionSet;
import org.eclipse.californium.core.coap.Response;

/**
 * A large answer, of which blocks are cut out as they are asked for.
 *
 * @param options of each block
 * @param base where in the body these bytes, which are its end, begin
 */
record Download(ResponseCode code, OptionSet options, byte[] bytes, int base) {

  /** All of an answer that is still whole. */
  static Download of(Response whole) {
    return new Download(whole.getCode(), new OptionSet(whole.getOptions()), whole.getPayload(), 0);
  }

  /** Only what is from here on. */
  Download from(int offset) {
    return new Download(
        code, options, Arrays.copyOfRange(bytes, offset - base, bytes.length), offset);
  }

  /** Empty if this has no such block. */
  Optional<Response> block(BlockOption asked) {
    int size = Math.min(asked.getSize(), Blocks.MAX_BYTES);
    int from = asked.getOffset() - base;
    if (from < 0 || from >= bytes.length) {
      return Optional.empty();
    }
    int to = Math.min(from + size, bytes.length);
    Response block = new Response(code);
    block.setOptions(new OptionSet(options));
    block
        .getOptions()
        .setBlock2(BlockOption.size2Szx(size), to < bytes.length, asked.getOffset() / size);
    block.setPayload(Arrays.copyOfRange(bytes, from, to));
    return Optional.of(block);
  }
}
