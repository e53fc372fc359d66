package io.tinyfaas.gateway.ingress.coap;

import static org.eclipse.californium.core.coap.option.StandardOptionRegistry.REQUEST_TAG;

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

  /** What the transfers of one address hold. */
  static final class Share {
    int count;
    long bytes;
  }

  private final String name;
  private final Subject subject;
  private final int bytes;
  private final Share share;
  private final long begun;
  private long nanos;
  private Optional<Download> download = Optional.empty();
  private Token token = Token.EMPTY;
  private boolean steady;
  private boolean abandoned;
  private int from;
  private int to;

  /**
   * @param name of no other transfer
   * @param bytes of memory that it holds
   */
  Transfer(String name, Subject subject, int bytes, Share share, long now) {
    this.name = name;
    this.subject = subject;
    this.bytes = bytes;
    this.share = share;
    this.begun = now;
    this.nanos = now;
  }

  String name() {
    return name;
  }

  Subject subject() {
    return subject;
  }

  int bytes() {
    return bytes;
  }

  Share share() {
    return share;
  }

  /** When its last block was there. */
  long nanos() {
    return nanos;
  }

  boolean isTooOld() {
    return nanos - begun > MAX_AGE_NANOS;
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
    return !abandoned && token.equals(other);
  }

  /** Whether a block with a token that is not its last one may be its: some take one for each. */
  boolean mayHaveOther() {
    return !abandoned && !steady;
  }

  /** Whether a block from here on is its next one, or, if it is fetched, its last one again. */
  boolean fits(int offset) {
    return offset == to || !subject.upload && offset == from;
  }

  /** No block belongs to it any more. */
  void abandon() {
    abandoned = true;
  }

  boolean isAbandoned() {
    return abandoned;
  }
}
