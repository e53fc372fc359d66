package io.tinyfaas.gateway.ingress.coap.message;

import static org.eclipse.californium.core.coap.option.StandardOptionRegistry.ACCEPT;
import static org.eclipse.californium.core.coap.option.StandardOptionRegistry.BLOCK1;
import static org.eclipse.californium.core.coap.option.StandardOptionRegistry.BLOCK2;
import static org.eclipse.californium.core.coap.option.StandardOptionRegistry.CONTENT_FORMAT;
import static org.eclipse.californium.core.coap.option.StandardOptionRegistry.ECHO;
import static org.eclipse.californium.core.coap.option.StandardOptionRegistry.ETAG;
import static org.eclipse.californium.core.coap.option.StandardOptionRegistry.IF_MATCH;
import static org.eclipse.californium.core.coap.option.StandardOptionRegistry.IF_NONE_MATCH;
import static org.eclipse.californium.core.coap.option.StandardOptionRegistry.NO_RESPONSE;
import static org.eclipse.californium.core.coap.option.StandardOptionRegistry.OBSERVE;
import static org.eclipse.californium.core.coap.option.StandardOptionRegistry.PROXY_SCHEME;
import static org.eclipse.californium.core.coap.option.StandardOptionRegistry.PROXY_URI;
import static org.eclipse.californium.core.coap.option.StandardOptionRegistry.REQUEST_TAG;
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
import org.eclipse.californium.core.coap.CoAPOptionException;
import org.eclipse.californium.core.coap.Message;
import org.eclipse.californium.core.coap.Option;
import org.eclipse.californium.core.coap.OptionNumberRegistry;
import org.eclipse.californium.core.coap.option.MapBasedOptionRegistry;
import org.eclipse.californium.core.network.serialization.MessageHeader;
import org.eclipse.californium.core.network.serialization.UdpDataParser;
import org.eclipse.californium.elements.util.DatagramReader;

/**
 * Reads datagrams more strictly than Californium does: only the options that this ingress heeds are
 * known, so that a critical one it does not (OSCORE, Q-Block1), or that comes once too often, is
 * answered with 4.02 (RFC 7252, 5.4.1), an elective one of a wrong length passed over (5.4.3), a
 * method it does not know answered with 4.05 (5.8), and a malformed message with a reset (4.2).
 */
public final class CoapParser extends UdpDataParser {

  private static final int VERSION = 1;
  private static final int MAX_TOKEN_LENGTH = 8;
  private static final int NONE = -1;

  /**
   * More than a device has a use for. Of empty options there is room for 2,000 in a datagram, each
   * of which becomes objects that are there as long as the request runs.
   */
  static final int MAX_OPTIONS = 64;

  /** Tells what Californium reports with the same code: an option from the form of the message. */
  private static final String BAD_OPTION = "unsupported option ";

  /** The number of the option before; options come in their order, and messages one by one. */
  private int last = NONE;

  private int options;

  public CoapParser() {
    super(
        true,
        new MapBasedOptionRegistry(
            IF_MATCH,
            URI_HOST,
            ETAG,
            IF_NONE_MATCH,
            OBSERVE,
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
            ECHO,
            NO_RESPONSE,
            REQUEST_TAG));
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
        throw malformed("reserved token length " + tokenLength, mid, code, confirmable);
      }
    }
    MessageHeader header = super.parseHeader(reader);
    boolean mayAsk = header.getType() == Type.CON || header.getType() == Type.NON;
    if (!CoAP.isEmptyMessage(header.getCode()) && !(CoAP.isRequest(header.getCode()) && mayAsk)) {
      // A response, of which none is expected, or what has no meaning (RFC 7252, 4.2 and 4.3).
      throw malformed(
          "no request", header.getMID(), header.getCode(), header.getType() == Type.CON);
    }
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

  @Override
  protected Message parseMessage(DatagramReader reader, MessageHeader header, Message target) {
    last = NONE;
    options = 0;
    try {
      return super.parseMessage(reader, header, target);
    } catch (IllegalStateException e) { // a block of another size than its option says
      throw new CoAPMessageFormatException(
          e.getMessage(),
          header.getToken(),
          header.getMID(),
          header.getCode(),
          header.getType() == Type.CON,
          ResponseCode.BAD_REQUEST);
    } catch (CoAPMessageFormatException e) {
      if (e.getErrorCode() == ResponseCode.BAD_OPTION && !e.getMessage().startsWith(BAD_OPTION)) {
        throw malformed(e.getMessage(), e.getMid(), e.getCode(), e.isConfirmable());
      }
      throw e;
    }
  }

  @Override
  public Option createOption(int code, int number, byte[] value) {
    boolean again = number == last;
    last = number;
    try {
      Option option = super.createOption(code, number, value);
      if (again && option != null && option.getDefinition().isSingleValue()) {
        throw new IllegalArgumentException("once is enough"); // RFC 7252, 5.4.5: as if unknown
      }
      if (option != null && ++options > MAX_OPTIONS) {
        throw new IllegalArgumentException("that is enough");
      }
      return option;
    } catch (IllegalArgumentException e) {
      if (OptionNumberRegistry.isCritical(number)) {
        throw new CoAPOptionException(BAD_OPTION + number, ResponseCode.BAD_OPTION);
      }
      return null;
    }
  }

  /** Without an error code it is answered with a reset, if it is confirmable. */
  private static CoAPMessageFormatException malformed(
      String why, int mid, int code, boolean confirmable) {
    return new CoAPMessageFormatException(why, null, mid, code, confirmable, null);
  }

  private static boolean isKnownMethod(int code) {
    return code >= CoAP.Code.GET.value && code <= CoAP.Code.IPATCH.value;
  }
}
