package io.tinyfaas.gateway.ingress.http;

import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.Locale;

/** The Date field (RFC 9110, 6.6.1), formatted once a second. On one thread only. */
final class DateField {

  private static final DateTimeFormatter IMF_FIXDATE =
      DateTimeFormatter.ofPattern("EEE, dd MMM yyyy HH:mm:ss 'GMT'", Locale.ENGLISH)
          .withZone(ZoneOffset.UTC);

  private long second = -1;
  private String text;

  String now() {
    Instant now = Instant.now();
    if (now.getEpochSecond() != second) {
      second = now.getEpochSecond();
      text = IMF_FIXDATE.format(now);
    }
    return text;
  }
}
