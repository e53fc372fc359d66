package io.tinyfaas.gateway.ingress.coap.message;

import java.util.Arrays;
import org.eclipse.californium.core.coap.BlockOption;
import org.eclipse.californium.core.coap.CoAP.ResponseCode;
import org.eclipse.californium.core.coap.OptionSet;
import org.eclipse.californium.core.coap.Response;
import org.eclipse.californium.core.network.Exchange;
import org.eclipse.californium.core.network.stack.AbstractLayer;

/**
 * Blocks of what the gateway has anyway, or has again: cut out when they are asked for, so that
 * nothing is kept for a transfer, and its ETag tells a device that the rest is of something newer
 * (RFC 7959, 2.4). Above the layer for transfers, which then has nothing to do.
 */
public final class Blocks extends AbstractLayer {

  /** One block and one datagram: fits the IPv6 minimum MTU (RFC 7252, 4.6). */
  public static final int MAX_BYTES = 1_024;

  private static final int MAX_SZX = BlockOption.size2Szx(MAX_BYTES);

  /** A response of which each block can be given at any time; it has an ETag. */
  public static final class Lasting extends Response {
    public Lasting(ResponseCode code) {
      super(code);
    }
  }

  @Override
  public void sendResponse(Exchange exchange, Response response) {
    Response sent = response;
    BlockOption asked = exchange.getRequest().getOptions().getBlock2();
    boolean later = asked != null && asked.getNum() > 0 && !response.isError();
    if ((later || response instanceof Lasting) && !cut(response, asked)) {
      sent = CoapResponses.diagnostic(ResponseCode.BAD_OPTION, "there is no such block");
      sent.setDestinationContext(response.getDestinationContext());
      exchange.setResponse(sent);
    }
    super.sendResponse(exchange, sent);
  }

  /**
   * Leaves of the response the block that is asked for, the first if none is.
   *
   * @param asked the request's Block2, or null
   * @return false if there is no such block
   */
  public static boolean cut(Response whole, BlockOption asked) {
    byte[] body = whole.getPayload();
    int szx = asked == null ? MAX_SZX : Math.min(asked.getSzx(), MAX_SZX);
    int size = BlockOption.szx2Size(szx);
    if (asked == null && body.length <= size || whole.getCode() == ResponseCode.VALID) {
      return true;
    }
    int number = asked == null ? 0 : asked.getOffset() / size;
    long from = (long) number * size;
    if (number > 0 && from >= body.length) {
      return false;
    }
    int to = (int) Math.min(from + size, body.length);
    whole.setPayload(Arrays.copyOfRange(body, (int) from, to));
    OptionSet options = whole.getOptions();
    options.setBlock2(szx, to < body.length, number);
    if (number == 0) {
      options.setSize2(body.length);
    }
    return true;
  }
}
