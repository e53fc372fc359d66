package io.tinyfaas.gateway.loop;

import static io.tinyfaas.harness.Eventually.eventually;
import static org.assertj.core.api.Assertions.assertThat;

import io.netty.channel.EventLoop;
import io.netty.channel.nio.NioEventLoopGroup;
import java.util.concurrent.Callable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class BusyPollTest {

  private final NioEventLoopGroup loops = new NioEventLoopGroup(1);
  private final EventLoop loop = loops.next();
  private BusyPoll poll = new BusyPoll(loop, 2);

  @AfterEach
  void stop() {
    loops.shutdownGracefully();
  }

  @Test
  void shouldLookForAMomentOnly() throws Exception {
    assertThat(looksAfterAwaiting()).isTrue();

    eventually().until(() -> !isLooking());
  }

  @Test
  void shouldNotLookWithASingleProcessor() throws Exception {
    poll = new BusyPoll(loop, 1);

    assertThat(looksAfterAwaiting()).isFalse();
  }

  @Test
  void shouldLookSeldomWhereNothingComes() throws Exception {
    int looks = 0;
    for (int i = 0; i < 500; i++) {
      if (looksAfterAwaiting()) {
        looks++;
        eventually().until(() -> !isLooking());
      }
    }

    // After 1, 2, 4, … 64 that go by: 7 looks in the first 127, then one in 65.
    assertThat(looks).isEqualTo(13);
  }

  @Test
  void shouldLookEachTimeOnceSomethingCame() throws Exception {
    for (int i = 0; i < 10; i++) {
      looksAfterAwaiting();
      eventually().until(() -> !isLooking());
    }
    eventually().until(this::looksUntilItCame);

    for (int i = 0; i < 10; i++) {
      eventually().until(() -> !isLooking());
      assertThat(looksUntilItCame()).isTrue();
    }
  }

  private boolean looksUntilItCame() throws Exception {
    return onLoop(
        () -> {
          poll.await();
          boolean looks = poll.isLooking();
          poll.arrived();
          return looks;
        });
  }

  private boolean looksAfterAwaiting() throws Exception {
    return onLoop(
        () -> {
          poll.await();
          return poll.isLooking();
        });
  }

  private boolean isLooking() throws Exception {
    return onLoop(poll::isLooking);
  }

  private <T> T onLoop(Callable<T> call) throws Exception {
    return loop.submit(call).get();
  }
}
