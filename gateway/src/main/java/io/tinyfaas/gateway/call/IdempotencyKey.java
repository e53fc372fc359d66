package io.tinyfaas.gateway.call;

import io.tinyfaas.contract.handler.HandlerHttp;
import io.tinyfaas.gateway.invoke.Invocation;
import io.vertx.core.http.HttpHeaders;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.List;

/**
 * A client's name for a request that it may send again, as digests of 128 bits: of the key with its
 * function and who asks, if that is known, and of what was asked.
 */
record IdempotencyKey(Digest key, Digest request) {

  record Digest(long high, long low) {

    static Digest of(List<String> texts, byte[] bytes) {
      MessageDigest digest;
      try {
        digest = MessageDigest.getInstance("SHA-256");
      } catch (NoSuchAlgorithmException e) {
        throw new IllegalStateException(e); // every Java has it
      }
      for (String text : texts) {
        digest.update(text.getBytes(StandardCharsets.UTF_8));
        digest.update((byte) 0);
      }
      ByteBuffer whole = ByteBuffer.wrap(digest.digest(bytes));
      return new Digest(whole.getLong(), whole.getLong());
    }
  }

  static IdempotencyKey of(String key, Invocation invocation) {
    return new IdempotencyKey(
        Digest.of(List.of(invocation.function(), asker(invocation), key), new byte[0]),
        Digest.of(
            List.of(
                header(invocation, HandlerHttp.METHOD_HEADER),
                header(invocation, HandlerHttp.PATH_HEADER),
                header(invocation, HandlerHttp.QUERY_HEADER),
                header(invocation, HttpHeaders.CONTENT_TYPE.toString())),
            invocation.body()));
  }

  /** No device has a space in its name. */
  private static String asker(Invocation invocation) {
    String caller = invocation.lineage().caller();
    return caller.isEmpty() ? invocation.device() : "function " + caller;
  }

  private static String header(Invocation invocation, String name) {
    String value = invocation.headers().get(name);
    return value == null ? "" : value;
  }
}
