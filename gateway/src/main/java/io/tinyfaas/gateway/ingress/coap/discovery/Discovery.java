package io.tinyfaas.gateway.ingress.coap.discovery;

import io.tinyfaas.contract.route.Route;
import io.tinyfaas.gateway.ingress.coap.message.Blocks;
import io.tinyfaas.gateway.ingress.coap.message.CoapResponses;
import io.tinyfaas.gateway.route.CurrentRoutes;
import io.tinyfaas.gateway.route.RouteListener;
import jakarta.inject.Singleton;
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Comparator;
import java.util.List;
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

  /** One would do (RFC 6690, 4.1); each is compared with each function. */
  private static final int MAX_FILTERS = 8;

  /**
   * @param ends where in the text each link does
   */
  private record Links(List<FunctionLink> links, byte[] text, int[] ends, byte[] tag) {}

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
    ByteArrayOutputStream text = new ByteArrayOutputStream();
    int[] ends = new int[links.size()];
    for (int i = 0; i < ends.length; i++) {
      text.writeBytes((i > 0 ? "," : "").getBytes(StandardCharsets.UTF_8));
      text.writeBytes(links.get(i).toString().getBytes(StandardCharsets.UTF_8));
      ends[i] = text.size();
    }
    CRC32C sum = new CRC32C();
    sum.update(text.toByteArray());
    byte[] tag = ByteBuffer.allocate(4).putInt((int) sum.getValue()).array();
    current = new Links(links, text.toByteArray(), ends, tag);
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
    if (asked.getURIQueryCount() > MAX_FILTERS) {
      return CoapResponses.diagnostic(
          ResponseCode.BAD_REQUEST, "the list has at most " + MAX_FILTERS + " filters");
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
        asked.getURIQueryCount() == 0 ? now.text() : filtered(now, asked.getUriQuery()));
    return response;
  }

  /** Several filters are all to be met; none that is, is an empty list. */
  private static byte[] filtered(Links now, List<String> filters) {
    ByteArrayOutputStream text = new ByteArrayOutputStream();
    for (int i = 0; i < now.ends().length; i++) {
      if (filters.stream().allMatch(now.links().get(i)::matches)) {
        int from = i == 0 ? 0 : now.ends()[i - 1];
        int comma = i > 0 && text.size() == 0 ? 1 : 0;
        text.write(now.text(), from + comma, now.ends()[i] - from - comma);
      }
    }
    return text.toByteArray();
  }
}
