package io.tinyfaas.gateway.ingress.coap.message;

import java.util.HashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.regex.Pattern;

/**
 * IANA's CoAP Content-Formats (RFC 7252, 12.3) and the media types they stand for. A number that is
 * not registered travels in {@code application/coap-payload;cf=NUMBER} (RFC 8075, 6.2), and a
 * function may answer with that, or with the bare number.
 */
final class ContentFormats {

  static final String DEFLATE = "deflate";

  /**
   * @param coding the content coding, empty for none
   */
  record MediaType(String type, String coding) {}

  private static final String UNREGISTERED = "application/coap-payload;cf=";
  private static final int MAX_NUMBER = 65_535;
  private static final Map<Integer, MediaType> BY_NUMBER = new HashMap<>();
  private static final Map<MediaType, Integer> BY_TYPE = new HashMap<>();
  private static final Pattern IGNORED = Pattern.compile("[\\s\"]");

  /** As functions mostly write it, which spares each answer the search. */
  private static final String PLAIN_TEXT = "text/plain; charset=utf-8";

  static {
    register(0, "text/plain;charset=utf-8");
    register(16, "application/cose;cose-type=cose-encrypt0");
    register(17, "application/cose;cose-type=cose-mac0");
    register(18, "application/cose;cose-type=cose-sign1");
    register(19, "application/ace+cbor");
    register(21, "image/gif");
    register(22, "image/jpeg");
    register(23, "image/png");
    register(40, "application/link-format");
    register(41, "application/xml");
    register(42, "application/octet-stream");
    register(47, "application/exi");
    register(50, "application/json");
    register(51, "application/json-patch+json");
    register(52, "application/merge-patch+json");
    register(60, "application/cbor");
    register(61, "application/cwt");
    register(62, "application/multipart-core");
    register(63, "application/cbor-seq");
    register(64, "application/edhoc+cbor-seq");
    register(65, "application/cid-edhoc+cbor-seq");
    register(96, "application/cose;cose-type=cose-encrypt");
    register(97, "application/cose;cose-type=cose-mac");
    register(98, "application/cose;cose-type=cose-sign");
    register(101, "application/cose-key");
    register(102, "application/cose-key-set");
    register(110, "application/senml+json");
    register(111, "application/sensml+json");
    register(112, "application/senml+cbor");
    register(113, "application/sensml+cbor");
    register(114, "application/senml-exi");
    register(115, "application/sensml-exi");
    register(140, "application/yang-data+cbor;id=sid");
    register(256, "application/coap-group+json");
    register(257, "application/concise-problem-details+cbor");
    register(258, "application/swid+cbor");
    register(259, "application/pkixcmp");
    register(260, "application/yang-sid+json");
    register(271, "application/dots+cbor");
    register(272, "application/missing-blocks+cbor-seq");
    register(280, "application/pkcs7-mime;smime-type=server-generated-key");
    register(281, "application/pkcs7-mime;smime-type=certs-only");
    register(284, "application/pkcs8");
    register(285, "application/csrattrs");
    register(286, "application/pkcs10");
    register(287, "application/pkix-cert");
    register(290, "application/aif+cbor");
    register(291, "application/aif+json");
    register(310, "application/senml+xml");
    register(311, "application/sensml+xml");
    register(320, "application/senml-etch+json");
    register(322, "application/senml-etch+cbor");
    register(340, "application/yang-data+cbor");
    register(341, "application/yang-data+cbor;id=name");
    register(432, "application/td+json");
    register(433, "application/tm+json");
    register(10_000, "application/vnd.ocf+cbor");
    register(10_001, "application/oscore");
    register(10_002, "application/javascript");
    register(11_050, "application/json", DEFLATE);
    register(11_060, "application/cbor", DEFLATE);
    register(11_542, "application/vnd.oma.lwm2m+tlv");
    register(11_543, "application/vnd.oma.lwm2m+json");
    register(11_544, "application/vnd.oma.lwm2m+cbor");
    register(20_000, "text/css");
    register(30_000, "image/svg+xml");
  }

  private ContentFormats() {}

  private static void register(int number, String type) {
    register(number, type, "");
  }

  private static void register(int number, String type, String coding) {
    BY_NUMBER.put(number, new MediaType(type.replace(";", "; "), coding));
    BY_TYPE.put(new MediaType(type, coding), number);
  }

  static MediaType mediaType(int number) {
    MediaType registered = BY_NUMBER.get(number);
    return registered == null ? new MediaType(UNREGISTERED + number, "") : registered;
  }

  /**
   * @param contentType as in HTTP, with or without parameters
   * @param coding as in HTTP, empty for none
   * @return empty if there is no number for it
   */
  static OptionalInt number(String contentType, String coding) {
    if (contentType.equals(PLAIN_TEXT) && coding.isEmpty()) {
      return OptionalInt.of(0);
    }
    String type = normal(contentType);
    return registered(type, coding)
        .or(() -> registered(type.replace(";charset=utf-8", ""), coding))
        .or(() -> registered(type + ";charset=utf-8", coding))
        .map(OptionalInt::of)
        .orElseGet(() -> coding.isEmpty() ? unregistered(type) : OptionalInt.empty());
  }

  private static Optional<Integer> registered(String type, String coding) {
    return Optional.ofNullable(BY_TYPE.get(new MediaType(type, coding)));
  }

  private static OptionalInt unregistered(String type) {
    String digits = type.startsWith(UNREGISTERED) ? type.substring(UNREGISTERED.length()) : type;
    if (digits.isEmpty()
        || digits.length() > 5
        || !digits.chars().allMatch(c -> c >= '0' && c <= '9')) {
      return OptionalInt.empty();
    }
    int number = Integer.parseInt(digits);
    return number <= MAX_NUMBER ? OptionalInt.of(number) : OptionalInt.empty();
  }

  /** Lower case, without spaces and quotes: media types and the parameters above know neither. */
  private static String normal(String contentType) {
    return IGNORED.matcher(contentType.toLowerCase(Locale.ROOT)).replaceAll("");
  }
}
