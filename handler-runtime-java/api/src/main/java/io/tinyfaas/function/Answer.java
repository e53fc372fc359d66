package io.tinyfaas.function;

import java.nio.charset.StandardCharsets;
import java.util.Collections;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What a function that was called has answered.
 *
 * @param status HTTP's, also one that tells an error
 * @param headers by name, in any case; several of one name are joined by {@code ", "}
 * @param body not copied; empty when there was none
 */
public record Answer(int status, Map<String, String> headers, byte[] body) {

  private static final int ACCEPTED = 202;
  private static final Pattern CALL = Pattern.compile("/calls/([^/?]+)");

  public Answer {
    Objects.requireNonNull(body, "body");
    Map<String, String> byName = new TreeMap<>(String.CASE_INSENSITIVE_ORDER);
    byName.putAll(headers);
    headers = Collections.unmodifiableMap(byName);
  }

  /** The body as UTF-8; what is not UTF-8 becomes U+FFFD. */
  public String text() {
    return new String(body, StandardCharsets.UTF_8);
  }

  public Optional<String> header(String name) {
    return Optional.ofNullable(headers.get(name));
  }

  /** The ID of a durable call that has been accepted. */
  public Optional<String> call() {
    if (status != ACCEPTED) {
      return Optional.empty();
    }
    return header("Location").map(CALL::matcher).filter(Matcher::matches).map(at -> at.group(1));
  }
}
