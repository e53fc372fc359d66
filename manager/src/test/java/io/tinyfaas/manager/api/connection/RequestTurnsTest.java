package io.tinyfaas.manager.api.connection;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.channel.embedded.EmbeddedChannel;
import io.netty.handler.codec.http.DefaultFullHttpRequest;
import io.netty.handler.codec.http.DefaultHttpResponse;
import io.netty.handler.codec.http.HttpMethod;
import io.netty.handler.codec.http.HttpResponseStatus;
import io.netty.handler.codec.http.HttpVersion;
import io.netty.handler.codec.http.LastHttpContent;
import org.junit.jupiter.api.Test;

class RequestTurnsTest {

  private final RequestTurns turns = new RequestTurns();
  private final EmbeddedChannel connection = new EmbeddedChannel(turns);

  private void ask() {
    connection.writeInbound(
        new DefaultFullHttpRequest(HttpVersion.HTTP_1_1, HttpMethod.GET, "/logs"));
  }

  private void beginAnswer() {
    connection.writeOutbound(new DefaultHttpResponse(HttpVersion.HTTP_1_1, HttpResponseStatus.OK));
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
      beginAnswer();
      connection.writeOutbound(LastHttpContent.EMPTY_LAST_CONTENT);
    }
    assertThat(connection.isOpen()).isFalse();
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
