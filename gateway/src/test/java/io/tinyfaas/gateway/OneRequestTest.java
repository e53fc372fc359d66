package io.tinyfaas.gateway;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelOutboundHandlerAdapter;
import io.netty.channel.ChannelPromise;
import io.netty.channel.embedded.EmbeddedChannel;
import io.netty.handler.codec.http.DefaultFullHttpRequest;
import io.netty.handler.codec.http.DefaultFullHttpResponse;
import io.netty.handler.codec.http.HttpMethod;
import io.netty.handler.codec.http.HttpResponse;
import io.netty.handler.codec.http.HttpResponseStatus;
import io.netty.handler.codec.http.HttpVersion;
import java.util.ArrayDeque;
import java.util.Deque;
import org.junit.jupiter.api.Test;

class OneRequestTest {

  /** The kernel, which takes nothing until it is told to. */
  private static final class Kernel extends ChannelOutboundHandlerAdapter {
    private final Deque<Object> written = new ArrayDeque<>();
    private final Deque<ChannelPromise> promises = new ArrayDeque<>();

    @Override
    public void write(ChannelHandlerContext context, Object message, ChannelPromise promise) {
      written.add(message);
      promises.add(promise);
    }
  }

  private final Kernel kernel = new Kernel();
  private final EmbeddedChannel connection = new EmbeddedChannel(kernel, new OneRequest());

  private void ask() {
    connection.writeInbound(
        new DefaultFullHttpRequest(HttpVersion.HTTP_1_1, HttpMethod.GET, "/q/metrics"));
  }

  private void answer(HttpResponseStatus status) {
    connection.writeOneOutbound(new DefaultFullHttpResponse(HttpVersion.HTTP_1_1, status));
  }

  @Test
  void shouldTakeNothingBehindARequest() {
    for (int i = 0; i < 100; i++) {
      ask();
    }
    assertThat(connection.inboundMessages()).hasSize(1);
    assertThat(connection.config().isAutoRead()).isFalse();
  }

  @Test
  void shouldEndWhenTheKernelHasTheAnswer() {
    ask();
    answer(HttpResponseStatus.OK);
    assertThat(((HttpResponse) kernel.written.peek()).headers().get("Connection"))
        .isEqualTo("close");
    assertThat(connection.isOpen()).isTrue();

    kernel.promises.poll().setSuccess();
    assertThat(connection.isOpen()).isFalse();
  }

  @Test
  void shouldNotEndWithAnAnswerBeforeTheAnswer() {
    ask();
    answer(HttpResponseStatus.CONTINUE);
    kernel.promises.poll().setSuccess();
    assertThat(connection.isOpen()).isTrue();
  }
}
