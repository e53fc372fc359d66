package io.tinyfaas.manager.problem;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.util.List;
import java.util.Locale;

/**
 * What a caller is told of a failure (RFC 9457).
 *
 * @param type {@code urn:tinyfaas:problem:…}, or {@code about:blank} where the status says it all
 * @param instance the path of the request
 * @param field that is at fault; empty where no single one is
 * @param output last lines that a build or a handler printed; empty where there are none
 */
public record Problem(
    String type,
    String title,
    int status,
    String detail,
    String instance,
    @JsonInclude(JsonInclude.Include.NON_EMPTY) String field,
    @JsonInclude(JsonInclude.Include.NON_EMPTY) List<String> output) {

  public static final String MEDIA_TYPE = "application/problem+json";

  private static final JsonMapper JSON = new JsonMapper();

  public static Problem of(ProblemException e, String instance) {
    return of(e.type(), e.getMessage(), instance, e.field(), e.output());
  }

  public static Problem of(ProblemType type, String detail, String instance) {
    return of(type, detail, instance, "", List.of());
  }

  private static Problem of(
      ProblemType type, String detail, String instance, String field, List<String> output) {
    String name = type.name().toLowerCase(Locale.ROOT).replace('_', '-');
    return new Problem(
        "urn:tinyfaas:problem:" + name,
        type.title(),
        type.status(),
        detail,
        instance,
        field,
        output);
  }

  /** Of a status of HTTP itself (RFC 9457, section 4.2.1). */
  public static Problem ofStatus(int status, String title, String detail, String instance) {
    return new Problem("about:blank", title, status, detail, instance, "", List.of());
  }

  /** The same where callers expect another status. */
  public Problem withStatus(int other) {
    return new Problem(type, title, other, detail, instance, field, output);
  }

  public String toJson() {
    try {
      return JSON.writeValueAsString(this);
    } catch (JsonProcessingException e) {
      throw new IllegalStateException(e);
    }
  }
}
