package io.tinyfaas.gateway.ingress.coap.transfer;

import static org.eclipse.californium.core.coap.option.StandardOptionRegistry.REQUEST_TAG;

import io.tinyfaas.gateway.ingress.coap.peer.TransferShare;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.eclipse.californium.core.coap.CoAP.Code;
import org.eclipse.californium.core.coap.Option;
import org.eclipse.californium.core.coap.OptionSet;
import org.eclipse.californium.core.coap.Request;
import org.eclipse.californium.core.coap.Token;
import org.eclipse.californium.core.network.Exchange;

/** A body that goes block by block, one way or the other. On the event loop only. */
final class Transfer {

  /** How long a transfer may take: a body of 1 MiB in blocks of 16 bytes at 18 blocks a second. */
  private static final long MAX_AGE_NANOS = TimeUnit.HOURS.toNanos(1);

  /**
   * What the blocks of a transfer have in common, and may have with those of others: bodies with
   * different Request-Tags are different bodies (RFC 9175, 3.4).
   */
  record Subject(
      boolean upload,
      Object peer,
      Code code,
      List<String> path,
      List<String> query,
      List<Option> tags) {

    static Subject upload(Exchange exchange) {
      return of(true, exchange);
    }

    static Subject download(Exchange exchange) {
      return of(false, exchange);
    }

    private static Subject of(boolean upload, Exchange exchange) {
      Request request = exchange.getRequest();
      OptionSet options = request.getOptions();
      return new Subject(
          upload,
          exchange.getPeersIdentity(),
          request.getCode(),
          List.copyOf(options.getUriPath()),
          List.copyOf(options.getUriQuery()),
          options.getOthers(REQUEST_TAG));
    }
  }

  private final Subject subject;
  private final long begun;
  private long bytes;
  private TransferShare share;
  private long nanos;
  private Optional<Upload> upload = Optional.empty();
  private Optional<Download> download = Optional.empty();
  private Token token = Token.EMPTY;
  private boolean steady;
  private int from;
  private int to;

  Transfer(Subject subject, long now) {
    this.subject = subject;
    this.begun = now;
    this.nanos = now;
  }

  Subject subject() {
    return subject;
  }

  /** Of memory that it holds, as {@link TransferList} counts it. */
  long bytes() {
    return bytes;
  }

  TransferShare share() {
    return share;
  }

  void hold(long bytes, TransferShare share) {
    this.bytes = bytes;
    this.share = share;
  }

  /** When its last block was there. */
  long nanos() {
    return nanos;
  }

  boolean isTooOld() {
    return nanos - begun > MAX_AGE_NANOS;
  }

  /** What is sent, if it is no download. */
  Optional<Upload> upload() {
    return upload;
  }

  void take(Upload body) {
    upload = Optional.of(body);
  }

  /** What is fetched, if it is no upload. */
  Optional<Download> download() {
    return download;
  }

  void fetch(Download body) {
    download = Optional.of(body);
  }

  /** A block of it is there. */
  void block(Token with, int offset, int length, long now) {
    steady |= with.equals(token) && offset != from;
    token = with;
    from = offset;
    to = offset + length;
    nanos = now;
  }

  boolean hasToken(Token other) {
    return token.equals(other);
  }

  /** Whether a block with a token that is not its last one may be its: some take one for each. */
  boolean mayHaveOther() {
    return !steady;
  }

  /** Whether a block from here on is its next one, or, if it is fetched, its last one again. */
  boolean fits(int offset) {
    return offset == to || !subject.upload && offset == from;
  }
}
