package io.tinyfaas.function;

import java.nio.charset.StandardCharsets;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;

/**
 * A call as it is sent.
 *
 * @param millisLeft until nobody waits any more; none are left at 0
 * @param isRepeatable it may be sent again though it may have come to the gateway
 */
record CallRequest(String method, byte[] head, byte[] body, long millisLeft, boolean isRepeatable) {

  /** Where nobody says until when he waits. */
  private static final long DEFAULT_MILLIS = 60_000;

  private static final long MAX_MILLIS = TimeUnit.DAYS.toMillis(365);
  private static final String DEADLINE = "X-tinyFaaS-Deadline";

  /** These are the connection's or say nothing there. */
  private static final Set<String> NOT_PASSED_ON =
      Set.of(
          "connection",
          "content-length",
          "expect",
          "host",
          "keep-alive",
          "proxy-connection",
          "te",
          "trailer",
          "transfer-encoding",
          "upgrade");

  static CallRequest of(String function, Request request, Delivery delivery) {
    checkTarget(function, request);
    Map<String, String> headers = new TreeMap<>(String.CASE_INSENSITIVE_ORDER);
    headers.putAll(request.headers());
    headers.keySet().removeIf(name -> NOT_PASSED_ON.contains(name.toLowerCase(Locale.ROOT)));
    // A function may have a trace of its own; deadline and depth are the gateway's to say.
    Serving.passedOn()
        .forEach(
            (name, value) -> {
              if (!name.startsWith("trace") || !headers.containsKey(name)) {
                headers.put(name, value);
              }
            });
    if (delivery.isDurable()) {
      headers.put("Prefer", "respond-async");
    }
    delivery.delay().ifPresent(delay -> headers.put("X-tinyFaaS-Delay", delay.toMillis() + "ms"));
    delivery.idempotencyKey().ifPresent(key -> headers.put("Idempotency-Key", key));
    long now = System.currentTimeMillis();
    long left = Math.min(MAX_MILLIS, millisUntil(headers.get(DEADLINE), now));
    if (delivery.timeout().isPresent()) {
      left = Math.min(left, Math.max(1, delivery.timeout().get().toMillis()));
      headers.put(DEADLINE, Long.toString(now + left));
    }
    return new CallRequest(
        request.method(),
        head(function, request, headers),
        request.body(),
        left,
        delivery.isRepeatable());
  }

  private static long millisUntil(String deadline, long now) {
    try {
      return deadline == null ? DEFAULT_MILLIS : Long.parseLong(deadline) - now;
    } catch (NumberFormatException e) {
      return DEFAULT_MILLIS;
    }
  }

  private static void checkTarget(String function, Request request) {
    if (function.isEmpty()) {
      throw new IllegalArgumentException("a call wants the name of a function");
    }
    if (!request.path().isEmpty() && !request.path().startsWith("/")
        || !(request.path() + request.query()).chars().allMatch(c -> c > ' ' && c < 0x7F)) {
      throw new IllegalArgumentException(
          "the path begins with a slash, and path and query are percent-encoded: "
              + request.path()
              + "?"
              + request.query());
    }
    if (request.method().equalsIgnoreCase("CONNECT")) {
      throw new IllegalArgumentException("a function cannot be called with the method CONNECT");
    }
    Response.checkToken(request.method(), "method");
  }

  private static byte[] head(String function, Request request, Map<String, String> headers) {
    StringBuilder head = new StringBuilder(256);
    head.append(request.method()).append(" /functions/").append(percentEncoded(function));
    head.append(request.path());
    if (!request.query().isEmpty()) {
      head.append('?').append(request.query());
    }
    head.append(" HTTP/1.1\r\nHost: box\r\nContent-Length: ").append(request.body().length);
    headers.forEach(
        (name, value) -> {
          Response.checkHeader(name, value);
          head.append("\r\n").append(name).append(": ").append(value);
        });
    return head.append("\r\n\r\n").toString().getBytes(StandardCharsets.ISO_8859_1);
  }

  private static String percentEncoded(String name) {
    StringBuilder encoded = new StringBuilder();
    for (byte b : name.getBytes(StandardCharsets.UTF_8)) {
      if (Character.isLetterOrDigit(b) || "-._~".indexOf(b) >= 0) {
        encoded.append((char) b);
      } else {
        encoded.append("%%%02X".formatted(b));
      }
    }
    return encoded.toString();
  }
}
