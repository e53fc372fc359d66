package io.tinyfaas.manager.store;

import static java.nio.charset.StandardCharsets.UTF_8;

/** Specifications for tests. */
public final class Specs {

  private Specs() {}

  /**
   * @param json as callers send it; what is not in it has its default
   */
  public static FunctionSpec of(String json) {
    return FunctionSpecJson.read(FunctionSpecJson.parse(json.getBytes(UTF_8)));
  }

  /** A deployment that names all that is in it. */
  public static SpecFields fields(FunctionSpec spec) {
    return SpecFields.of(FunctionSpecJson.write(spec));
  }

  /** One that names what is in this. */
  public static SpecFields fields(String json) {
    return SpecFields.of(FunctionSpecJson.parse(json.getBytes(UTF_8)));
  }
}
