package io.tinyfaas.gateway.ingress.coap;

import io.tinyfaas.gateway.ingress.coap.message.CoapResponses;
import io.tinyfaas.gateway.ingress.coap.message.RequestTags;
import io.tinyfaas.gateway.invoke.BodyMemory;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.LongSupplier;
import org.eclipse.californium.core.coap.BlockOption;
import org.eclipse.californium.core.coap.CoAP.ResponseCode;
import org.eclipse.californium.core.coap.CoAP.Type;
import org.eclipse.californium.core.coap.MessageObserver;
import org.eclipse.californium.core.coap.MessageObserverAdapter;
import org.eclipse.californium.core.coap.OptionSet;
import org.eclipse.californium.core.coap.Request;
import org.eclipse.californium.core.coap.Response;
import org.eclipse.californium.core.network.Exchange;
import org.eclipse.californium.core.network.stack.AbstractLayer;
import org.eclipse.californium.core.network.stack.BlockwiseStatus;
import org.eclipse.californium.core.network.stack.KeyUri;
import org.eclipse.californium.core.network.stack.Layer;
import org.eclipse.californium.elements.EndpointContext;
import org.eclipse.californium.elements.util.Bytes;

/**
 * The block-wise transfers that are not finished, and the memory they may hold. Californium's layer
 * allocates the largest body for an upload that does not say its size (Size1), and keeps a download
 * until it is fetched, for as many as ask: a few dozen datagrams would fill a small heap. So a
 * layer below it admits uploads, and one above it downloads; what is not admitted gets 5.03. On the
 * event loop only, but for what is said otherwise.
 */
final class Transfers {

  /** In all: each also has a few objects of Californium's, whatever its size. */
  private static final int MAX_COUNT = 1_024;

  /** Of one address, and of all together that are not verified. */
  private static final int MAX_SHARE_COUNT = 64;

  /** A quarter of the memory is for others than the one address that holds most. */
  private static final int QUARTERS = 4;

  private static final int QUARTERS_OF_ONE = 3;

  /** Of a message with its exchange, besides its payload. */
  private static final int MESSAGE_BYTES = 3 * 1_024;

  /** How long a transfer may take: a body of 1 MiB in blocks of 16 bytes at 18 blocks a second. */
  private static final long MAX_AGE_NANOS = TimeUnit.HOURS.toNanos(1);

  /** How long a transfer may pause: longer than a device retransmits (93 s, RFC 7252, 4.8.2). */
  static final int LIFETIME_SECONDS = 100;

  /** Californium looks for transfers that are over only every few seconds. */
  private static final long KEPT_NANOS = TimeUnit.SECONDS.toNanos(LIFETIME_SECONDS + 10);

  record Key(boolean upload, KeyUri uri) {}

  private record Transfer(int bytes, long begun, long nanos, Share share) {
    boolean isTooOld() {
      return nanos - begun > MAX_AGE_NANOS;
    }
  }

  /** What the transfers of one address hold. */
  static final class Share {
    private int count;
    private long bytes;
  }

  /** The one that pauses for longest first. */
  private final Map<Key, Transfer> running = new LinkedHashMap<>();

  /** Of the addresses that are not verified, of which anyone may invent as many as he likes. */
  private final Share unverified = new Share();

  /** What answers take that are not acknowledged yet. */
  private final AtomicLong unacknowledged = new AtomicLong();

  private final LongSupplier clock;
  private final BodyMemory memory;
  private final Peers peers;
  private final int maxBody;
  private final int blockBytes;

  Transfers(BodyMemory memory, Peers peers, int maxBody, int blockBytes) {
    this(memory, peers, maxBody, blockBytes, System::nanoTime);
  }

  Transfers(BodyMemory memory, Peers peers, int maxBody, int blockBytes, LongSupplier clock) {
    this.clock = clock;
    this.memory = memory;
    this.peers = peers;
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
  void expire() {
    long now = clock.getAsLong();
    Iterator<Transfer> all = running.values().iterator();
    while (all.hasNext()) {
      Transfer eldest = all.next();
      if (now - eldest.nanos() < KEPT_NANOS) {
        return;
      }
      giveBack(eldest);
      all.remove();
    }
  }

  boolean begin(Key key, int bytes, EndpointContext peer) {
    end(key);
    Share share = share(peer);
    int quarters = share == unverified ? 1 : QUARTERS_OF_ONE;
    if (running.size() >= MAX_COUNT
        || share.count >= MAX_SHARE_COUNT
        || share.bytes + bytes > memory.size() / QUARTERS * quarters
        || !memory.take(bytes)) {
      return false;
    }
    share.count++;
    share.bytes += bytes;
    long now = clock.getAsLong();
    running.put(key, new Transfer(bytes, now, now, share));
    return true;
  }

  private Share share(EndpointContext context) {
    return context instanceof PeerContext udp && !udp.peer().isVerified()
        ? unverified
        : peers.of(context).transfers();
  }

  /**
   * @return false if there is no such transfer, or none any more
   */
  boolean goOn(Key key) {
    Transfer transfer = running.remove(key);
    if (transfer == null) {
      return false;
    }
    Transfer now =
        new Transfer(transfer.bytes(), transfer.begun(), clock.getAsLong(), transfer.share());
    running.put(key, now);
    if (now.isTooOld()) {
      end(key);
      return false;
    }
    return true;
  }

  void end(Key key) {
    Transfer transfer = running.remove(key);
    if (transfer != null) {
      giveBack(transfer);
    }
  }

  private void giveBack(Transfer transfer) {
    memory.give(transfer.bytes());
    transfer.share().count--;
    transfer.share().bytes -= transfer.bytes();
  }

  /**
   * An answer that is a message of its own is there until it is acknowledged, for 93 s if it never
   * is (RFC 7252, 4.8.2). A quarter of the memory is for those of devices that do not acknowledge;
   * what is more goes out once, as a message that need not be (5.2.3).
   */
  private void hold(Response answer) {
    long bytes = MESSAGE_BYTES + answer.getPayloadSize();
    if (unacknowledged.addAndGet(bytes) > memory.size() / QUARTERS || !memory.take(bytes)) {
      unacknowledged.addAndGet(-bytes);
      answer.setType(Type.NON);
    } else {
      answer.addMessageObserver(new Held(bytes));
    }
  }

  /** On Californium's threads. */
  private final class Held extends MessageObserverAdapter {

    private final AtomicLong bytes;

    Held(long bytes) {
      this.bytes = new AtomicLong(bytes);
    }

    private void over() {
      long held = bytes.getAndSet(0);
      memory.give(held);
      unacknowledged.addAndGet(-held);
    }

    @Override
    public void onAcknowledgement() {
      over();
    }

    @Override
    public void onCancel() {
      over();
    }

    @Override
    protected void failed() {
      over();
    }
  }

  private static Key key(boolean upload, Exchange exchange) {
    return new Key(upload, KeyUri.getKey(exchange));
  }

  /** Sees each block. */
  private final class Below extends AbstractLayer {

    @Override
    public void receiveRequest(Exchange exchange, Request request) {
      RequestTags.putInQuery(request.getOptions());
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
      } else if (first && !begin(key, held(request), request.getSourceContext())) {
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
      if (block.isM() && request.getSourceContext() instanceof PeerContext udp) {
        udp.ask(); // a device that sends much wants much, and has memory held for it
      }
      try {
        super.receiveRequest(exchange, request);
      } finally {
        if (!block.isM()) {
          end(key);
        }
      }
    }

    /**
     * What Californium will allocate; nothing for a body that it refuses as too large. Whoever says
     * the size has what the invocation will take held, too: no body comes whole to be refused then.
     * Not so without Size1, as most are much smaller than the largest, nor from an address that is
     * not verified.
     */
    private int held(Request request) {
      OptionSet options = request.getOptions();
      if (options.hasSize1() && options.getSize1() <= 0) {
        options.removeSize1();
      }
      if (!options.hasSize1()) {
        return maxBody;
      }
      int size = options.getSize1();
      if (size > maxBody) {
        return 0;
      }
      return share(request.getSourceContext()) == unverified
          ? size
          : Math.toIntExact(BodyMemory.ofInvocation(size));
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
      Request asked = exchange.getCurrentRequest();
      if (response.getType() == null && asked.isConfirmable() && asked.isAcknowledged()) {
        hold(response);
      }
      super.sendResponse(exchange, response);
      forgetTransfer(response);
    }

    /**
     * Californium's record of a transfer, with the whole body, listens to each message of it, and
     * messages are remembered for minutes. That one was lost it learns when the transfer pauses.
     */
    private static void forgetTransfer(Response block) {
      for (MessageObserver observer : block.getMessageObservers()) {
        if (observer.getClass().getEnclosingClass() == BlockwiseStatus.class) {
          block.removeMessageObserver(observer);
        }
      }
    }
  }

  /** Sees whole bodies. */
  private final class Above extends AbstractLayer {

    /** An upload's invocation, which begins now, counts the body itself. */
    @Override
    public void receiveRequest(Exchange exchange, Request request) {
      if (exchange.getBlock1ToAck() != null) {
        end(key(true, exchange));
      }
      super.receiveRequest(exchange, request);
    }

    @Override
    public void sendResponse(Exchange exchange, Response response) {
      BlockOption asked = exchange.getRequest().getOptions().getBlock2();
      boolean oneBlockOnly = asked != null && asked.getNum() > 0;
      int block = asked == null ? blockBytes : Math.min(asked.getSize(), blockBytes);
      int size = response.getPayloadSize();
      boolean inBlocks = !oneBlockOnly && size > block;
      Response sent = response;
      if (inBlocks
          && !begin(key(false, exchange), size, exchange.getRequest().getSourceContext())) {
        sent = CoapResponses.unavailable("too many large answers are on their way");
        sent.setDestinationContext(response.getDestinationContext());
        exchange.setResponse(sent);
      }
      super.sendResponse(exchange, sent);
      forgetBodies(exchange, response, inBlocks);
    }

    /**
     * The exchange is remembered for minutes, and by the download as long as that takes; the bodies
     * that it came from are not looked at again. The layer below has copied what it serves blocks
     * of.
     */
    private void forgetBodies(Exchange exchange, Response whole, boolean inBlocks) {
      exchange.getRequest().setPayload(Bytes.EMPTY);
      if (inBlocks) {
        whole.setPayload(Bytes.EMPTY);
      }
    }
  }
}
