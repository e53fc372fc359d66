package io.tinyfaas.gateway.ingress.coap;

import io.tinyfaas.gateway.ingress.coap.Transfer.Subject;
import io.tinyfaas.gateway.ingress.coap.message.Blocks;
import io.tinyfaas.gateway.ingress.coap.message.CoapRequests;
import io.tinyfaas.gateway.ingress.coap.message.CoapResponses;
import io.tinyfaas.gateway.memory.BodyMemory;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicLong;
import org.eclipse.californium.core.coap.BlockOption;
import org.eclipse.californium.core.coap.CoAP.ResponseCode;
import org.eclipse.californium.core.coap.CoAP.Type;
import org.eclipse.californium.core.coap.MessageObserverAdapter;
import org.eclipse.californium.core.coap.OptionSet;
import org.eclipse.californium.core.coap.Request;
import org.eclipse.californium.core.coap.Response;
import org.eclipse.californium.core.network.Exchange;
import org.eclipse.californium.core.network.stack.AbstractLayer;
import org.eclipse.californium.core.network.stack.Layer;
import org.eclipse.californium.elements.util.Bytes;

/**
 * Block-wise transfers. Californium's layer puts uploads together, but allocates the largest body
 * for one that does not say its size (Size1), for as many as ask, and takes two with one URI for
 * the same: so a layer below it admits them, and tells it which one a block belongs to. Answers are
 * cut into blocks by one above it. What is not admitted gets 5.03, and what belongs to nothing that
 * is known does not run a function that has effects. On the event loop only, but for what is said
 * otherwise.
 */
final class Transfers {

  /** Of a message with its exchange, besides its payload. */
  private static final int MESSAGE_BYTES = 3 * 1_024;

  /** A quarter of the memory is for answers that are not acknowledged. */
  private static final int QUARTERS = 4;

  /** What answers take that are not acknowledged yet. */
  private final AtomicLong unacknowledged = new AtomicLong();

  private final BodyMemory memory;
  private final TransferList list;
  private final int maxBody;
  private final int blockBytes;

  Transfers(BodyMemory memory, Peers peers, int maxBody, int blockBytes) {
    this.memory = memory;
    this.list = new TransferList(memory, peers, System::nanoTime);
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
    list.expire();
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

  /** Sees each block of an upload. */
  private final class Below extends AbstractLayer {

    @Override
    public void receiveRequest(Exchange exchange, Request request) {
      BlockOption block = request.getOptions().getBlock1();
      if (block == null) {
        super.receiveRequest(exchange, request);
        return;
      }
      boolean first = block.getNum() == 0;
      Subject subject = Subject.upload(exchange);
      if (first && !block.isM()) {
        list.abandon(subject, request.getToken());
        request.setMaxResourceBodySize(Math.max(1, request.getPayloadSize()));
        request.getOptions().removeSize1();
        super.receiveRequest(exchange, request);
        return;
      }
      Optional<Transfer> transfer =
          first ? begin(subject, request) : goOn(subject, request, block.getOffset());
      if (transfer.isEmpty()) {
        refuse(
            exchange,
            request,
            first
                ? CoapResponses.unavailable("too many large bodies are on their way")
                : CoapResponses.diagnostic(
                    ResponseCode.REQUEST_ENTITY_INCOMPLETE, "begin with the first block"));
        return;
      }
      if (block.isM() && request.getSourceContext() instanceof PeerContext udp) {
        udp.ask(); // a device that sends much wants much, and has memory held for it
      }
      // Californium tells transfers apart by URI, and nothing else heeds a request's scheme.
      request.setScheme(transfer.get().name());
      try {
        super.receiveRequest(exchange, request);
      } finally {
        if (!block.isM()) {
          list.end(transfer.get().name());
        }
      }
    }

    private Optional<Transfer> begin(Subject subject, Request request) {
      return list.begin(
          subject,
          request.getToken(),
          request.getPayloadSize(),
          held(request),
          request.getSourceContext());
    }

    private Optional<Transfer> goOn(Subject subject, Request request, int offset) {
      return list.goOn(subject, request.getToken(), offset, request.getPayloadSize());
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
      return list.isUnverified(request.getSourceContext())
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
        list.end(exchange.getRequest().getScheme());
      }
      Request asked = exchange.getCurrentRequest();
      if (response.getType() == null && asked.isConfirmable() && asked.isAcknowledged()) {
        hold(response);
      }
      super.sendResponse(exchange, response);
    }
  }

  /** Sees whole bodies, and what is asked for of those that are fetched. */
  private final class Above extends AbstractLayer {

    /** An upload's invocation, which begins now, counts the body itself. */
    @Override
    public void receiveRequest(Exchange exchange, Request request) {
      BlockOption asked = request.getOptions().getBlock2();
      if (exchange.getBlock1ToAck() != null) {
        list.end(request.getScheme());
      } else if (asked != null && asked.getNum() > 0) {
        Optional<Response> block =
            list.block(Subject.download(exchange), request.getToken(), asked);
        if (block.isPresent()) {
          answer(exchange, request, block.get());
          return;
        }
        if (!CoapRequests.isSafe(request.getCode())) {
          request.getOptions().removeBlock2(); // of this answer there are no blocks
          answer(
              exchange,
              request,
              CoapResponses.diagnostic(
                  ResponseCode.REQUEST_ENTITY_INCOMPLETE, "begin without Block2"));
          return;
        }
      }
      super.receiveRequest(exchange, request);
    }

    private void answer(Exchange exchange, Request request, Response response) {
      response.setDestinationContext(request.getSourceContext());
      super.sendResponse(exchange, response);
    }

    /**
     * The exchange is remembered for minutes: the body that it came from is not looked at again.
     */
    @Override
    public void sendResponse(Exchange exchange, Response response) {
      Request request = exchange.getRequest();
      BlockOption asked = request.getOptions().getBlock2();
      boolean oneBlockOnly = asked != null && asked.getNum() > 0;
      int block = asked == null ? blockBytes : Math.min(asked.getSize(), blockBytes);
      Response sent = response;
      if (!oneBlockOnly && response.getPayloadSize() > block && !begin(exchange, response, block)) {
        sent = CoapResponses.unavailable("too many large answers are on their way");
        sent.setDestinationContext(response.getDestinationContext());
        exchange.setResponse(sent);
      }
      super.sendResponse(exchange, sent);
      request.setPayload(Bytes.EMPTY);
    }

    /** Leaves of the response its first block. */
    private boolean begin(Exchange exchange, Response response, int block) {
      Request request = exchange.getRequest();
      Optional<Transfer> transfer =
          list.begin(
              Subject.download(exchange),
              request.getToken(),
              block,
              response.getPayloadSize(),
              request.getSourceContext());
      transfer.ifPresent(
          begun -> {
            begun.fetch(Download.of(response));
            Blocks.cut(response, request.getOptions().getBlock2());
          });
      return transfer.isPresent();
    }
  }
}
