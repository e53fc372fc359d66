package io.tinyfaas.gateway.ingress.coap.discovery;

import io.tinyfaas.contract.route.Route;
import io.tinyfaas.gateway.ingress.coap.message.Blocks;
import io.tinyfaas.gateway.ingress.coap.message.CoapResponses;
import io.tinyfaas.gateway.route.CurrentRoutes;
import io.tinyfaas.gateway.route.RouteListener;
import jakarta.inject.Singleton;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Collectors;
import java.util.zip.CRC32C;
import org.eclipse.californium.core.coap.CoAP.Code;
import org.eclipse.californium.core.coap.CoAP.ResponseCode;
import org.eclipse.californium.core.coap.MediaTypeRegistry;
import org.eclipse.californium.core.coap.OptionSet;
import org.eclipse.californium.core.coap.Request;
import org.eclipse.californium.core.coap.Response;

/**
 * {@code /.well-known/core} (RFC 6690): the functions of the current table, written down once per
 * table. No function can have a name with a dot, so none can stand in its way.
 */
@Singleton
public final class Discovery implements RouteListener {

  private static final List<String> PATH = List.of(".well-known", "core");

  private record Links(List<FunctionLink> links, byte[] text, byte[] tag) {}

  private final CurrentRoutes routes;
  private volatile Links current;

  Discovery(CurrentRoutes routes) {
    this.routes = routes;
    onTableApplied();
    routes.addListener(this);
  }

  @Override
  public void onTableApplied() {
    List<FunctionLink> links =
        routes.routes().stream()
            .sorted(Comparator.comparing(Route::function))
            .map(FunctionLink::new)
            .toList();
    byte[] text = text(links);
    CRC32C sum = new CRC32C();
    sum.update(text);
    current = new Links(links, text, ByteBuffer.allocate(4).putInt((int) sum.getValue()).array());
  }

  private static byte[] text(List<FunctionLink> links) {
    return links.stream()
        .map(FunctionLink::toString)
        .collect(Collectors.joining(","))
        .getBytes(StandardCharsets.UTF_8);
  }

  public static boolean isAsked(Request request) {
    return request.getOptions().getUriPath().equals(PATH);
  }

  public Response answer(Request request) {
    if (request.getCode() != Code.GET) {
      return CoapResponses.diagnostic(
          ResponseCode.METHOD_NOT_ALLOWED, "the list of functions can only be read: use GET");
    }
    OptionSet asked = request.getOptions();
    int format = MediaTypeRegistry.APPLICATION_LINK_FORMAT;
    if (asked.hasAccept() && asked.getAccept() != format) {
      return CoapResponses.diagnostic(
          ResponseCode.NOT_ACCEPTABLE, "the list of functions is application/link-format (40)");
    }
    if (!routes.areKnown()) {
      return CoapResponses.noRouteTable();
    }
    Links now = current;
    boolean known = asked.containsETag(now.tag());
    Response response = new Blocks.Lasting(known ? ResponseCode.VALID : ResponseCode.CONTENT);
    response.getOptions().addETag(now.tag());
    if (known) {
      return response;
    }
    response.getOptions().setContentFormat(format);
    response.setPayload(
        asked.getURIQueryCount() == 0 ? now.text() : text(filtered(now, asked.getUriQuery())));
    return response;
  }

  /** Several filters are all to be met; none that is, is an empty list. */
  private static List<FunctionLink> filtered(Links now, List<String> filters) {
    return now.links().stream().filter(link -> filters.stream().allMatch(link::matches)).toList();
  }
}
