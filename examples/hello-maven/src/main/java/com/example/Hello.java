package com.example;

import io.tinyfaas.function.Request;
import io.tinyfaas.function.Response;
import java.util.function.Function;

/** Greets whom the query names, in the language that the caller reads. */
public class Hello implements Function<Request, Response> {

  @Override
  public Response apply(Request request) {
    String name = request.parameter("name").orElse("world");
    boolean french = request.header("Accept-Language").orElse("").startsWith("fr");
    return Response.text((french ? "Bonjour " : "Hello ") + name);
  }
}
