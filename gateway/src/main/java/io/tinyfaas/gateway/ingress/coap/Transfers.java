package io.tinyfaas.gateway.ingress.coap;

import io.tinyfaas.gateway.invoke.BodyMemory;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.eclipse.californium.core.coap.BlockOption;
import org.eclipse.californium.core.coap.CoAP.ResponseCode;
import org.eclipse.californium.core.coap.OptionSet;
import org.eclipse.californium.core.coap.Request;
import org.eclipse.californium.core.coap.Response;
import org.eclipse.californium.core.network.Exchange;
import org.eclipse.californium.core.network.stack.AbstractLayer;
import org.eclipse.californium.core.network.stack.KeyUri;
import org.eclipse.californium.core.network.stack.Layer;

/**
 * The block-wise transfers that are not finished, and the memory they may hold. Californium's layer
 * allocates the largest body for an upload that does not say its size (Size1), and keeps a download
 * until it is fetched, for as many as ask: a few dozen datagrams would fill a small heap. So a
 * layer below it admits uploads, and one above it downloads; what is not admitted gets 5.03.
 */
final class Transfers {

  /** How long a transfer may pause: longer than a device retransmits (93 s, RFC 7252, 4.8.2). */
  static final int LIFETIME_SECONDS = 100;

  /** Californium looks for transfers that are over only every few seconds. */
  private static final long KEPT_NANOS = TimeUnit.SECONDS.toNanos(LIFETIME_SECONDS + 10);

  private record Key(boolean upload, KeyUri uri) {}

  private record Transfer(int bytes, long nanos) {}

  /** The one that pauses for longest first; guarded by this. */
  private final Map<Key, Transfer> running = new LinkedHashMap<>();

  private final BodyMemory memory;
  private final int maxBody;
  private final int blockBytes;

  Transfers(BodyMemory memory, int maxBody, int blockBytes) {
    this.memory = memory;
    this.maxBody = maxBody;
    this.blockBytes = blockBytes;
  }

  Layer belowBlockwise() {
    return new Below();
  }

  Layer aboveBlockwise() {
    return new Above();
  }

  /** Gives back what transfers held that were never finished. */
  synchronized void expire() {
    long now = System.nanoTime();
    Iterator<Transfer> all = running.values().iterator();
    while (all.hasNext()) {
      Transfer eldest = all.next();
      if (now - eldest.nanos() < KEPT_NANOS) {
        return;
      }
      memory.give(eldest.bytes());
      all.remove();
    }
  }

  private synchronized boolean begin(Key key, int bytes) {
    end(key);
    if (!memory.take(bytes)) {
      return false;
    }
    running.put(key, new Transfer(bytes, System.nanoTime()));
    return true;
  }

  private synchronized boolean goOn(Key key) {
    Transfer transfer = running.remove(key);
    if (transfer == null) {
      return false;
    }
    running.put(key, new Transfer(transfer.bytes(), System.nanoTime()));
    return true;
  }

  private synchronized void end(Key key) {
    Transfer transfer = running.remove(key);
    if (transfer != null) {
      memory.give(transfer.bytes());
    }
  }

  private static Key key(boolean upload, Exchange exchange) {
    return new Key(upload, KeyUri.getKey(exchange));
  }

  /** Sees each block. On Californium's threads. */
  private final class Below extends AbstractLayer {

    @Override
    public void receiveRequest(Exchange exchange, Request request) {
      BlockOption block = request.getOptions().getBlock1();
      if (block == null) {
        super.receiveRequest(exchange, request);
        return;
      }
      Key key = key(true, exchange);
      boolean first = block.getNum() == 0;
      if (first && !block.isM()) {
        request.setMaxResourceBodySize(Math.max(1, request.getPayloadSize()));
        request.getOptions().removeSize1();
      } else if (first && !begin(key, announced(request.getOptions()))) {
        refuse(
            exchange, request, CoapResponses.unavailable("too many large bodies are on their way"));
        return;
      } else if (!first && !goOn(key)) {
        refuse(
            exchange,
            request,
            CoapResponses.diagnostic(
                ResponseCode.REQUEST_ENTITY_INCOMPLETE, "begin with the first block"));
        return;
      }
      try {
        super.receiveRequest(exchange, request);
      } finally {
        if (!block.isM()) {
          end(key);
        }
      }
    }

    /** What Californium will allocate; nothing for a body that it refuses as too large. */
    private int announced(OptionSet options) {
      if (options.hasSize1() && options.getSize1() <= 0) {
        options.removeSize1();
      }
      int size = options.hasSize1() ? options.getSize1() : maxBody;
      return size > maxBody ? 0 : size;
    }

    private void refuse(Exchange exchange, Request request, Response response) {
      response.setDestinationContext(request.getSourceContext());
      super.sendResponse(exchange, response);
    }

    @Override
    public void sendResponse(Exchange exchange, Response response) {
      OptionSet options = response.getOptions();
      if (response.getCode() == ResponseCode.REQUEST_ENTITY_TOO_LARGE && !options.hasSize1()) {
        options.setSize1(maxBody); // RFC 7959, 2.9.3
      }
      if (response.isError() && exchange.getCurrentRequest().getOptions().hasBlock1()) {
        end(key(true, exchange));
      }
      if (options.hasBlock2()) {
        if (options.getBlock2().isM()) {
          goOn(key(false, exchange));
        } else {
          end(key(false, exchange));
        }
      }
      super.sendResponse(exchange, response);
    }
  }

  /** Sees whole bodies. On Californium's threads. */
  private final class Above extends AbstractLayer {

    @Override
    public void sendResponse(Exchange exchange, Response response) {
      BlockOption asked = exchange.getRequest().getOptions().getBlock2();
      boolean oneBlockOnly = asked != null && asked.getNum() > 0;
      int block = asked == null ? blockBytes : Math.min(asked.getSize(), blockBytes);
      int size = response.getPayloadSize();
      Response sent = response;
      if (!oneBlockOnly && size > block && !begin(key(false, exchange), size)) {
        sent = CoapResponses.unavailable("too many large answers are on their way");
        sent.setDestinationContext(response.getDestinationContext());
        exchange.setResponse(sent);
      }
      super.sendResponse(exchange, sent);
    }
  }
}
