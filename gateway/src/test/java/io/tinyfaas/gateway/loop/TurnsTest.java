package io.tinyfaas.gateway.loop;

import static io.tinyfaas.harness.Eventually.eventually;
import static org.assertj.core.api.Assertions.assertThat;

import io.netty.channel.DefaultEventLoop;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class TurnsTest {

  private final DefaultEventLoop loop = new DefaultEventLoop();
  private final List<Integer> done = new CopyOnWriteArrayList<>();
  private final Turns<Integer> turns = new Turns<>(loop, done::add);

  @AfterEach
  void stop() {
    loop.shutdownGracefully();
  }

  private static List<Integer> pieces(int from, int to) {
    return IntStream.range(from, to).boxed().toList();
  }

  @Test
  void shouldDoAllInTheirOrder() {
    loop.execute(() -> turns.add(pieces(0, 100)));
    eventually().untilAsserted(() -> assertThat(done).isEqualTo(pieces(0, 100)));
    loop.execute(() -> turns.add(pieces(0, 1)));
    eventually().untilAsserted(() -> assertThat(done).hasSize(101));
  }

  @Test
  void shouldLetOthersComeInBetween() {
    List<Integer> doneBefore = new CopyOnWriteArrayList<>();
    loop.execute(
        () -> {
          turns.add(pieces(0, 3 * Turns.PIECES));
          loop.execute(() -> doneBefore.add(done.size()));
        });
    eventually().until(() -> done.size() == 3 * Turns.PIECES);
    assertThat(doneBefore).containsExactly(Turns.PIECES);
  }

  @Test
  void shouldNotDoTwiceWhatIsAddedWhileItWaits() {
    loop.execute(
        () -> {
          turns.add(pieces(0, 50));
          turns.add(pieces(40, 60));
        });
    eventually().untilAsserted(() -> assertThat(done).isEqualTo(pieces(0, 60)));
  }
}
