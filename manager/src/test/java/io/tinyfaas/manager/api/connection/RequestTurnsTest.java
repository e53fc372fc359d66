package io.tinyfaas.manager.api.connection;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelOutboundHandlerAdapter;
import io.netty.channel.ChannelPromise;
import io.netty.channel.embedded.EmbeddedChannel;
import io.netty.handler.codec.http.DefaultFullHttpRequest;
import io.netty.handler.codec.http.DefaultHttpResponse;
import io.netty.handler.codec.http.HttpMethod;
import io.netty.handler.codec.http.HttpRequest;
import io.netty.handler.codec.http.HttpResponseStatus;
import io.netty.handler.codec.http.HttpVersion;
import io.netty.handler.codec.http.LastHttpContent;
import java.nio.channels.ClosedChannelException;
import java.util.ArrayDeque;
import java.util.Deque;
import org.junit.jupiter.api.Test;

class RequestTurnsTest {

  /** The kernel: while it is full, what is written stays here, and its promise open. */
  private static final class Kernel extends ChannelOutboundHandlerAdapter {
    private final Deque<ChannelPromise> promises = new ArrayDeque<>();
    private boolean full;

    @Override
    public void write(ChannelHandlerContext context, Object message, ChannelPromise promise) {
      if (full) {
        promises.add(promise);
      } else {
        context.write(message, promise);
      }
    }
  }

  private final Kernel kernel = new Kernel();
  private final RequestTurns turns = new RequestTurns();
  private final EmbeddedChannel connection = new EmbeddedChannel(kernel, turns);

  private void ask() {
    connection.writeInbound(
        new DefaultFullHttpRequest(HttpVersion.HTTP_1_1, HttpMethod.GET, "/logs"));
  }

  private void beginAnswer() {
    connection.writeOutbound(new DefaultHttpResponse(HttpVersion.HTTP_1_1, HttpResponseStatus.OK));
  }

  private void answer() {
    beginAnswer();
    connection.writeOutbound(LastHttpContent.EMPTY_LAST_CONTENT);
  }

  private int taken() {
    return (int)
        connection.inboundMessages().stream().filter(HttpRequest.class::isInstance).count();
  }

  private void endOfClient() {
    turns.end(connection.pipeline().context(turns));
    connection.runPendingTasks();
  }

  @Test
  void shouldAnswerAllBeforeItCloses() {
    ask();
    ask();
    endOfClient();
    for (int i = 0; i < 2; i++) {
      assertThat(connection.isOpen()).isTrue();
      answer();
    }
    assertThat(connection.isOpen()).isFalse();
  }

  /** Whose answers would pile up. */
  @Test
  void shouldTakeNothingMoreOfAClientThatTakesNoAnswer() {
    ask();
    ask();
    kernel.full = true;
    answer();
    connection.runPendingTasks();
    assertThat(taken()).isEqualTo(1);
    assertThat(connection.config().isAutoRead()).isFalse();

    kernel.promises.poll().setSuccess();
    connection.runPendingTasks();
    assertThat(taken()).as("its head is with the kernel, its end is not").isEqualTo(1);

    kernel.promises.poll().setSuccess();
    connection.runPendingTasks();
    assertThat(taken()).isEqualTo(2);
    assertThat(connection.config().isAutoRead()).isTrue();
  }

  @Test
  void shouldCloseWhenTheLastAnswerIsWithTheKernelIfNothingFollows() {
    ask();
    kernel.full = true;
    answer();
    endOfClient();
    assertThat(connection.isOpen()).isTrue();

    kernel.promises.forEach(ChannelPromise::setSuccess);
    connection.runPendingTasks();
    assertThat(connection.isOpen()).isFalse();
  }

  @Test
  void shouldTakeNothingOfAConnectionThatHasBroken() {
    ask();
    ask();
    kernel.full = true;
    answer();
    connection.close();
    kernel.promises.getLast().setFailure(new ClosedChannelException());
    connection.runPendingTasks();
    assertThat(taken()).isEqualTo(1);
  }

  /** Each within the one before it, they would need as much of the stack. */
  @Test
  void shouldTakeAsManyAsComeOneAfterTheOther() {
    for (int i = 0; i < 10_000; i++) {
      ask();
    }
    for (int i = 1; i <= 10_000; i++) {
      assertThat(taken()).isEqualTo(i);
      answer();
      connection.releaseOutbound();
    }
  }

  /** Of a log that says nothing, no write would ever tell. */
  @Test
  void shouldLeaveAFollowerThatHasGone() {
    ask();
    beginAnswer();
    endOfClient();
    assertThat(connection.isOpen()).isFalse();
  }
}
