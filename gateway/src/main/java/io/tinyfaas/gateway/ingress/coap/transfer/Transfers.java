package io.tinyfaas.gateway.ingress.coap.transfer;

import io.tinyfaas.gateway.ingress.coap.message.Blocks;
import io.tinyfaas.gateway.ingress.coap.message.CoapRequests;
import io.tinyfaas.gateway.ingress.coap.message.CoapResponses;
import io.tinyfaas.gateway.ingress.coap.peer.EchoValues;
import io.tinyfaas.gateway.ingress.coap.peer.Peers;
import io.tinyfaas.gateway.ingress.coap.socket.PeerContext;
import io.tinyfaas.gateway.ingress.coap.transfer.Transfer.Subject;
import io.tinyfaas.gateway.memory.BodyMemory;
import java.util.Optional;
import java.util.OptionalInt;
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
 * Block-wise transfers (RFC 7959), in the place of Californium's layer for them, which allocates
 * the largest body for each upload that does not say its size, and takes two of one URI for the
 * same. Uploads are put together, and answers cut into blocks, as far as {@link TransferList} has
 * room. What is not admitted gets 5.03, and what belongs to nothing that is known does not run a
 * function that has effects. On the event loop only, but for what is said otherwise.
 */
public final class Transfers {

  /** Of a message with its exchange, besides its payload. */
  private static final int MESSAGE_BYTES = 3 * 1_024;

  /** Of the memory, for answers that are not acknowledged. */
  private static final int UNACKNOWLEDGED_FRACTION = 8;

  /** What answers take that are not acknowledged yet. */
  private final AtomicLong unacknowledged = new AtomicLong();

  private final BodyMemory memory;
  private final TransferList list;
  private final EchoValues echoes;
  private final int maxBody;
  private final int blockBytes;

  public Transfers(BodyMemory memory, Peers peers, EchoValues echoes, int maxBody, int blockBytes) {
    this.memory = memory;
    this.echoes = echoes;
    this.list = new TransferList(memory, peers, System::nanoTime);
    this.maxBody = maxBody;
    this.blockBytes = blockBytes;
  }

  /** For one stack; what is known is the same for all. */
  public Layer layer() {
    return new TransferLayer();
  }

  /** Gives back what transfers held that were never finished. */
  public void expire() {
    list.expire();
  }

  /**
   * An answer that is a message of its own is there until it is acknowledged, for 93 s if it never
   * is (RFC 7252, 4.8.2). An eighth of the memory is for those of devices that do not acknowledge;
   * what is more goes out once, as a message that need not be (5.2.3).
   */
  private void hold(Response answer) {
    long bytes = MESSAGE_BYTES + answer.getPayloadSize();
    if (unacknowledged.addAndGet(bytes) > memory.size() / UNACKNOWLEDGED_FRACTION
        || !memory.take(bytes)) {
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

  private final class TransferLayer extends AbstractLayer {

    @Override
    public void receiveRequest(Exchange exchange, Request request) {
      if (request.getSourceContext() instanceof PeerContext udp) {
        echoes.check(request, udp.peer());
      }
      BlockOption block = request.getOptions().getBlock1();
      if (block == null) {
        receiveWhole(exchange, request);
      } else if (block.getNum() == 0 && !block.isM()) {
        list.abandon(Subject.upload(exchange), request.getToken());
        Upload only = new Upload(request, maxBody);
        only.add(request);
        receiveLast(exchange, request, only);
      } else {
        receiveBlock(exchange, request);
      }
    }

    private void receiveBlock(Exchange exchange, Request request) {
      if (request.getSourceContext() instanceof PeerContext udp) {
        udp.ask(); // what is verified has a share of its own, also where this block is refused
      }
      BlockOption block = request.getOptions().getBlock1();
      Subject subject = Subject.upload(exchange);
      Optional<Transfer> transfer =
          block.getNum() == 0
              ? begin(subject, request)
              : list.continued(
                  subject, request.getToken(), block.getOffset(), request.getPayloadSize());
      Optional<Response> refusal =
          transfer.isPresent()
              ? add(transfer.get(), request)
              : Optional.of(block.getNum() == 0 ? tooMany(request) : incomplete());
      if (refusal.isEmpty() && block.isM()) {
        Response next = new Response(ResponseCode.CONTINUE);
        next.getOptions().setBlock1(block);
        reply(exchange, request, next);
        return;
      }
      transfer.ifPresent(list::end); // an invocation, which begins now, counts its body itself
      if (refusal.isPresent()) {
        reply(exchange, request, refusal.get());
      } else {
        receiveLast(exchange, request, transfer.get().upload().orElseThrow());
      }
    }

    private Optional<Transfer> begin(Subject subject, Request request) {
      Upload upload = new Upload(request, maxBody);
      Optional<Transfer> transfer =
          list.begin(
              subject,
              request.getToken(),
              request.getPayloadSize(),
              held(upload, request),
              request.getSourceContext());
      transfer.ifPresent(begun -> begun.take(upload));
      return transfer;
    }

    /**
     * @return the answer if it cannot be added
     */
    private Optional<Response> add(Transfer transfer, Request block) {
      Upload upload = transfer.upload().orElseThrow();
      if (!upload.goesOnWith(block)) {
        return Optional.of(incomplete());
      }
      if (upload.limit() > maxBody || !upload.mayHave(block)) {
        return Optional.of(
            CoapResponses.diagnostic(
                ResponseCode.REQUEST_ENTITY_TOO_LARGE, "the body is too large"));
      }
      if (!list.hold(transfer, held(upload, block), block.getSourceContext())) {
        return Optional.of(tooMany(block));
      }
      upload.add(block);
      return Optional.empty();
    }

    /**
     * Whoever says the size has what the invocation will take held from the first block on: no body
     * comes whole to be refused then. Not so an address that is not verified.
     */
    private long held(Upload upload, Request block) {
      OptionalInt announced = upload.announced();
      return announced.isPresent()
              && announced.getAsInt() <= maxBody
              && !list.isUnverified(block.getSourceContext())
          ? BodyMemory.ofInvocation(announced.getAsInt())
          : BodyMemory.ofInvocation(0) + upload.sizeWith(block);
    }

    private Response tooMany(Request block) {
      return unavailable(block, "too many large bodies are on their way");
    }

    /**
     * Those that are not verified have little together, which somebody may have taken who invents
     * addresses; with the proof of its own a device has a share when it asks again.
     */
    private Response unavailable(Request request, String why) {
      Response response = CoapResponses.unavailable(why);
      if (request.getSourceContext() instanceof PeerContext udp && !udp.peer().isVerified()) {
        echoes.ask(response, udp);
      }
      return response;
    }

    private Response incomplete() {
      return CoapResponses.diagnostic(
          ResponseCode.REQUEST_ENTITY_INCOMPLETE, "begin with the first block");
    }

    private void receiveLast(Exchange exchange, Request last, Upload upload) {
      exchange.setBlock1ToAck(last.getOptions().getBlock1());
      Request whole = upload.whole(last);
      exchange.setRequest(whole);
      receiveWhole(exchange, whole);
    }

    private void receiveWhole(Exchange exchange, Request request) {
      BlockOption asked = request.getOptions().getBlock2();
      if (exchange.getBlock1ToAck() == null && asked != null && asked.getNum() > 0) {
        Optional<Response> block =
            list.block(Subject.download(exchange), request.getToken(), asked);
        if (block.isPresent()) {
          reply(exchange, request, block.get());
          return;
        }
        if (!CoapRequests.isSafe(request.getCode())) {
          reply(
              exchange,
              request,
              CoapResponses.diagnostic(
                  ResponseCode.REQUEST_ENTITY_INCOMPLETE, "begin without Block2"));
          return;
        }
      }
      super.receiveRequest(exchange, request);
    }

    private void reply(Exchange exchange, Request request, Response response) {
      response.setDestinationContext(request.getSourceContext());
      send(exchange, response);
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
        sent = unavailable(request, "too many large answers are on their way");
        sent.setDestinationContext(response.getDestinationContext());
        exchange.setResponse(sent);
      }
      send(exchange, sent);
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
              MESSAGE_BYTES + response.getPayloadSize(),
              request.getSourceContext());
      transfer.ifPresent(
          begun -> {
            begun.fetch(Download.of(response));
            Blocks.cut(response, request.getOptions().getBlock2());
          });
      return transfer.isPresent();
    }

    private void send(Exchange exchange, Response response) {
      OptionSet options = response.getOptions();
      BlockOption last = exchange.getBlock1ToAck();
      if (last != null) {
        exchange.setBlock1ToAck(null);
        options.setBlock1(last);
      }
      if (response.getCode() == ResponseCode.REQUEST_ENTITY_TOO_LARGE && !options.hasSize1()) {
        options.setSize1(maxBody); // RFC 7959, 2.9.3
      }
      Request asked = exchange.getCurrentRequest();
      if (response.getType() == null && asked.isConfirmable() && asked.isAcknowledged()) {
        hold(response);
      }
      super.sendResponse(exchange, response);
    }
  }
}
