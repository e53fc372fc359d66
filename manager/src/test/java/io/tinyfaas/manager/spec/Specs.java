package io.tinyfaas.manager.spec;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.tinyfaas.manager.text.JsonDocument;

/** Specifications for tests. */
public final class Specs {

  private Specs() {}

  /**
   * @param json as callers send it; what is not in it has its default
   */
  public static FunctionSpec of(String json) {
    return FunctionSpecJson.read(JsonDocument.parse(json.getBytes(UTF_8)));
  }

  /** A deployment that names all that is in it. */
  public static PartialSpec fields(FunctionSpec spec) {
    return PartialSpec.of(FunctionSpecJson.write(spec));
  }

  /** One that names what is in this. */
  public static PartialSpec fields(String json) {
    return PartialSpec.of(JsonDocument.parse(json.getBytes(UTF_8)));
  }
}
