package io.tinyfaas.gateway.ingress.coap.observe;

import static org.assertj.core.api.Assertions.assertThat;

import io.tinyfaas.gateway.result.Resource;
import java.net.InetAddress;
import java.time.Duration;
import org.eclipse.californium.core.coap.CoAP.Type;
import org.eclipse.californium.core.coap.Token;
import org.junit.jupiter.api.Test;

class ObserverListTest {

  private static final Duration SILENT = Duration.ofMinutes(5);

  private final PlayedObservers world = new PlayedObservers(100);

  private boolean registers(String peer, int token, String function) {
    return world.tryRegister(Type.CON, peer, token, function).isPresent();
  }

  @Test
  void shouldLetOneFunctionHaveHalfOfTheObservers() {
    for (int i = 0; i < 50; i++) {
      assertThat(registers("p" + i, 1, "f")).isTrue();
    }
    assertThat(registers("p50", 1, "f")).isFalse();
    assertThat(registers("p50", 1, "g")).isTrue();
  }

  @Test
  void shouldBoundThemInAll() {
    for (int i = 0; i < 100; i++) {
      assertThat(registers("p" + i, 1, "f" + i % 3)).isTrue();
    }
    assertThat(registers("p100", 1, "g")).isFalse();
    assertThat(registers("p0", 1, "f0")).isTrue();
    assertThat(world.list.size()).isEqualTo(100);
  }

  @Test
  void shouldBoundThoseOfOnePeer() {
    for (int i = 0; i < 32; i++) {
      assertThat(registers("p", i, "f" + i % 2)).isTrue();
    }
    assertThat(registers("p", 32, "g")).isFalse();
    assertThat(registers("q", 32, "g")).isTrue();
  }

  @Test
  void shouldBoundThoseOfOneAddressWhateverItsPorts() {
    PlayedObservers many = new PlayedObservers(1_000);
    InetAddress address = InetAddress.ofLiteral("192.0.2.1");
    for (int i = 0; i < 125; i++) {
      assertThat(many.tryRegister(Type.CON, address, "f" + i, 1, "f")).isPresent();
    }
    assertThat(many.tryRegister(Type.CON, address, "f125", 1, "f")).isEmpty();
    assertThat(many.tryRegister(Type.CON, "other", 1, "f")).isPresent();
    for (int i = 0; i < 125; i++) {
      assertThat(many.tryRegister(Type.CON, address, "g" + i, 1, "g")).isPresent();
    }
    assertThat(many.tryRegister(Type.CON, address, "h", 1, "h")).isEmpty();
    assertThat(many.tryRegister(Type.CON, "other", 2, "h")).isPresent();

    many.list.remove(many.list.of(Resource.of("f")).getFirst());

    assertThat(many.tryRegister(Type.CON, address, "h", 1, "h")).isPresent();
    assertThat(many.tryRegister(Type.CON, address, "f125", 1, "f")).isEmpty();
  }

  @Test
  void shouldGiveThePlaceOfOneThatIsSilentForLongToANewcomer() {
    Observation silent = world.register(Type.CON, "silent", 1, "f");
    for (int i = 1; i < 50; i++) {
      world.register(Type.CON, "p" + i, 1, "f");
    }
    world.pass(SILENT.minusMillis(1));
    assertThat(registers("late", 1, "f")).isFalse();
    world.list.heard(world.list.find(new Observation.Key("p1", token(1))).orElseThrow());
    world.pass(Duration.ofMillis(1));
    assertThat(registers("late", 1, "f")).isTrue();
    assertThat(world.list.all()).doesNotContain(silent).hasSize(50);
    assertThat(world.list.find(new Observation.Key("p1", token(1)))).isPresent();
  }

  private static Token token(int value) {
    return new Token(new byte[] {(byte) value});
  }

  @Test
  void shouldTakeATokenForOneObservation() {
    Observation first = world.register(Type.CON, "p", 1, "f");
    Observation second = world.register(Type.CON, "p", 1, "g");
    assertThat(world.list.all()).containsExactly(second);
    assertThat(world.list.has(Resource.of("f"))).isFalse();
    world.list.remove(first);
    assertThat(world.list.all()).containsExactly(second);
    world.list.remove(second);
    assertThat(world.list.size()).isZero();
    assertThat(world.list.peer(second)).isNull();
  }
}
