package io.tinyfaas.gateway.ingress.coap;

import static org.eclipse.californium.core.coap.option.StandardOptionRegistry.ACCEPT;
import static org.eclipse.californium.core.coap.option.StandardOptionRegistry.BLOCK1;
import static org.eclipse.californium.core.coap.option.StandardOptionRegistry.BLOCK2;
import static org.eclipse.californium.core.coap.option.StandardOptionRegistry.CONTENT_FORMAT;
import static org.eclipse.californium.core.coap.option.StandardOptionRegistry.ETAG;
import static org.eclipse.californium.core.coap.option.StandardOptionRegistry.IF_MATCH;
import static org.eclipse.californium.core.coap.option.StandardOptionRegistry.IF_NONE_MATCH;
import static org.eclipse.californium.core.coap.option.StandardOptionRegistry.NO_RESPONSE;
import static org.eclipse.californium.core.coap.option.StandardOptionRegistry.PROXY_SCHEME;
import static org.eclipse.californium.core.coap.option.StandardOptionRegistry.PROXY_URI;
import static org.eclipse.californium.core.coap.option.StandardOptionRegistry.SIZE1;
import static org.eclipse.californium.core.coap.option.StandardOptionRegistry.SIZE2;
import static org.eclipse.californium.core.coap.option.StandardOptionRegistry.URI_HOST;
import static org.eclipse.californium.core.coap.option.StandardOptionRegistry.URI_PATH;
import static org.eclipse.californium.core.coap.option.StandardOptionRegistry.URI_PORT;
import static org.eclipse.californium.core.coap.option.StandardOptionRegistry.URI_QUERY;

import org.eclipse.californium.core.coap.CoAP;
import org.eclipse.californium.core.coap.CoAP.ResponseCode;
import org.eclipse.californium.core.coap.CoAP.Type;
import org.eclipse.californium.core.coap.CoAPMessageFormatException;
import org.eclipse.californium.core.coap.option.MapBasedOptionRegistry;
import org.eclipse.californium.core.network.serialization.MessageHeader;
import org.eclipse.californium.core.network.serialization.UdpDataParser;
import org.eclipse.californium.elements.util.DatagramReader;

/**
 * Reads datagrams more strictly than Californium does: only the options that this ingress heeds are
 * known, so that a critical one it does not (OSCORE, Q-Block1) is answered with 4.02 (RFC 7252,
 * 5.4.1); a method it does not know with 4.05 (5.8); and a reserved token length with a reset (3).
 */
final class CoapParser extends UdpDataParser {

  private static final int VERSION = 1;
  private static final int MAX_TOKEN_LENGTH = 8;

  CoapParser() {
    super(
        true,
        new MapBasedOptionRegistry(
            IF_MATCH,
            URI_HOST,
            ETAG,
            IF_NONE_MATCH,
            URI_PORT,
            URI_PATH,
            CONTENT_FORMAT,
            URI_QUERY,
            ACCEPT,
            BLOCK2,
            BLOCK1,
            SIZE2,
            PROXY_URI,
            PROXY_SCHEME,
            SIZE1,
            NO_RESPONSE));
  }

  @Override
  protected MessageHeader parseHeader(DatagramReader reader) {
    if (reader.bytesAvailable(4)) {
      reader.mark();
      boolean ours = reader.read(2) == VERSION;
      boolean confirmable = reader.read(2) == Type.CON.value;
      int tokenLength = reader.read(4);
      int code = reader.read(8);
      int mid = reader.read(16);
      reader.reset();
      if (ours && tokenLength > MAX_TOKEN_LENGTH) {
        throw new CoAPMessageFormatException(
            "reserved token length " + tokenLength, null, mid, code, confirmable, null);
      }
    }
    MessageHeader header = super.parseHeader(reader);
    if (CoAP.isRequest(header.getCode()) && !isKnownMethod(header.getCode())) {
      throw new CoAPMessageFormatException(
          "unknown method",
          header.getToken(),
          header.getMID(),
          header.getCode(),
          header.getType() == Type.CON,
          ResponseCode.METHOD_NOT_ALLOWED);
    }
    return header;
  }

  private static boolean isKnownMethod(int code) {
    return code >= CoAP.Code.GET.value && code <= CoAP.Code.IPATCH.value;
  }
}
