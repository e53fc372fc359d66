package io.tinyfaas.gateway.ingress.http;

import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import io.tinyfaas.gateway.result.LastResult;
import io.vertx.core.buffer.Buffer;
import java.nio.charset.StandardCharsets;
import java.util.Base64;

/** A state as an event of {@code text/event-stream} (HTML Living Standard, 9.2). */
final class EventText {

  private static final String DATA = "data: ";

  /** Of a line of data, with its end. */
  private static final int LINE_BYTES = DATA.length() + 1;

  /** Of its other lines, with what is no content type. */
  private static final int HEAD_BYTES = 128;

  private EventText() {}

  /** In bytes, at most. */
  static long bytes(LastResult state) {
    byte[] body = state.body();
    long data =
        isText(body) ? body.length + (long) LINE_BYTES * lines(body) : (body.length + 2) / 3 * 4L;
    return HEAD_BYTES + state.contentType().length() + state.contentEncoding().length() + data;
  }

  static Buffer of(LastResult state) {
    boolean text = isText(state.body());
    Buffer event =
        Buffer.buffer(Math.toIntExact(bytes(state)))
            .appendString("id: " + state.etag() + '\n')
            .appendString(text ? "event: result\n" : "event: result-base64\n");
    field("content-type", state.contentType(), event);
    field("content-encoding", state.contentEncoding(), event);
    if (text) {
      data(state.body(), event);
    } else {
      event.appendString(DATA).appendBytes(Base64.getEncoder().encode(state.body()));
    }
    return event.appendString("\n\n");
  }

  /** Of no state: why there will be none any more. */
  static Buffer end(String why) {
    return Buffer.buffer("event: end\ndata: " + why + "\n\n");
  }

  /** Browsers pass over these; handlers' headers have no line ends. */
  private static void field(String name, String value, Buffer event) {
    if (!value.isEmpty()) {
      event.appendString(name + ": " + value + '\n');
    }
  }

  private static void data(byte[] body, Buffer event) {
    int begin = 0;
    for (int i = 0; i < body.length; i++) {
      if (body[i] == '\n') {
        event.appendString(DATA).appendBytes(body, begin, i + 1 - begin);
        begin = i + 1;
      }
    }
    event.appendString(DATA).appendBytes(body, begin, body.length - begin);
  }

  private static int lines(byte[] body) {
    int lines = 1;
    for (byte b : body) {
      lines += b == '\n' ? 1 : 0;
    }
    return lines;
  }

  /** Whether it comes out as it went in: a carriage return would end a line. */
  private static boolean isText(byte[] body) {
    for (byte b : body) {
      if (b == '\r' || b == 0) {
        return false;
      }
    }
    return ByteBufUtil.isText(Unpooled.wrappedBuffer(body), StandardCharsets.UTF_8);
  }
}
