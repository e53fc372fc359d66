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
}
