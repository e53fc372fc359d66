package io.tinyfaas.gateway.call;

import io.tinyfaas.contract.control.CallDescription;
import io.tinyfaas.contract.control.ControlMessages;
import io.tinyfaas.gateway.invoke.InvocationResult.Answered;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpHeaders;
import io.vertx.core.json.JsonObject;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.Base64;

/** A call as clients see it: a JSON object, with the function's answer in it once it is done. */
final class CallDocument {

  private CallDocument() {}

  static Buffer of(CallDescription call) {
    return Buffer.buffer(ControlMessages.encode(call));
  }

  static Buffer of(CallDescription call, Answered answer) {
    JsonObject result = new JsonObject().put("status", answer.status());
    String type = answer.headers().get(HttpHeaders.CONTENT_TYPE);
    if (type != null) {
      result.put("contentType", type);
    }
    try {
      ByteBuffer body = ByteBuffer.wrap(answer.body());
      result.put("body", StandardCharsets.UTF_8.newDecoder().decode(body).toString());
    } catch (CharacterCodingException e) {
      result.put("base64", Base64.getEncoder().encodeToString(answer.body()));
    }
    return new JsonObject(of(call)).put("result", result).toBuffer();
  }
}
