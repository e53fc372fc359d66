package io.tinyfaas.gateway.ingress.coap.message;

import static org.eclipse.californium.core.coap.option.StandardOptionRegistry.REQUEST_TAG;

import java.util.HexFormat;
import java.util.List;
import java.util.stream.Collectors;
import org.eclipse.californium.core.coap.Option;
import org.eclipse.californium.core.coap.OptionSet;

/**
 * Bodies with different Request-Tags are different bodies (RFC 9175, 3.4). Californium tells
 * transfers apart by peer, method and URI, so the tag becomes a part of the latter, of which no
 * function hears.
 */
public final class RequestTags {

  /** Begins the Uri-Query that Californium tells transfers apart by; no device's own does. */
  private static final String TAG_QUERY = "\u0000request-tag=";

  /** More would not fit into a Uri-Query of 255 bytes; nobody sends more than one. */
  private static final int MAX_TAGS = 8;

  private RequestTags() {}

  /** To be called for each block, before Californium's layer for block-wise transfers has it. */
  public static void putInQuery(OptionSet options) {
    List<Option> tags = options.getOthers(REQUEST_TAG);
    if (!tags.isEmpty()) {
      options.addUriQuery(
          tags.stream()
              .limit(MAX_TAGS)
              .map(tag -> HexFormat.of().formatHex(tag.getValue()))
              .collect(Collectors.joining(".", TAG_QUERY, "")));
    }
  }

  /** A request's query, without what {@link #putInQuery} adds to it. */
  static List<String> query(OptionSet options) {
    List<String> query = options.getUriQuery();
    return !query.isEmpty() && query.getLast().startsWith(TAG_QUERY)
        ? query.subList(0, query.size() - 1)
        : query;
  }
}
