package io.tinyfaas.gateway.memory;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

class BodyMemoryTest {

  private static final long SIZE = 8_000;
  private static final long NEWCOMERS = 1_000;
  private static final long EACH = 10;

  private final BodyMemory memory = new BodyMemory(SIZE);

  /** As many as it gets. */
  private long takeAll(Holder peer, Holder function) {
    long taken = 0;
    while (memory.take(EACH, peer, function)) {
      taken += EACH;
    }
    return taken;
  }

  @Test
  void shouldLeaveAsMuchAsOneAddressHas() {
    Holder flood = new Holder();
    assertThat(takeAll(flood, new Holder())).isBetween(3_500L, 3_500 + EACH);
    assertThat(takeAll(flood, new Holder())).as("whatever it asks for").isZero();
    assertThat(takeAll(new Holder(), new Holder())).isBetween(1_740L, 1_760L);
  }

  @Test
  void shouldLeaveAQuarterOfWhatOneFunctionTakes() {
    Holder slow = new Holder();
    long taken =
        Stream.generate(Holder::new).limit(1_000).mapToLong(peer -> takeAll(peer, slow)).sum();
    assertThat(taken).isBetween(5_000L, 6_000 + EACH);
    assertThat(takeAll(new Holder(), slow)).isZero();
    assertThat(memory.take(EACH, new Holder(), new Holder())).isTrue();
  }

  @Test
  void shouldKeepAnEighthForAddressesThatHoldNothing() {
    int first = 0;
    int more = 0;
    for (int i = 0; i < SIZE / EACH; i++) {
      Holder address = new Holder();
      first += memory.take(EACH, address) ? 1 : 0;
      more += !address.isIdle() && memory.take(EACH, address) ? 1 : 0;
    }
    assertThat((first + more) * EACH).isEqualTo(SIZE);
    assertThat((first - more) * EACH).isBetween(NEWCOMERS - 2 * EACH, NEWCOMERS + 2 * EACH);
  }

  /** Its function has run. */
  @Test
  void shouldHaveRoomForAnAnswerToWhoeverHasItsShare() {
    Holder peer = new Holder();
    Holder function = new Holder();
    takeAll(peer, function);
    assertThat(memory.takeMore(EACH, peer, function)).isTrue();
    assertThat(memory.takeMore(EACH, peer)).isTrue();
    while (memory.takeMore(EACH, peer, function)) {
      // one after the other
    }
    assertThat(memory.take(EACH, new Holder(), new Holder())).as("not all of it").isTrue();
  }

  /** However many addresses have answers of functions that have run. */
  @Test
  void shouldKeepAPartOfThatForWhatIsSmall() {
    while (memory.takeMore(EACH, new Holder())) {
      // one after the other
    }
    Holder newcomer = new Holder();
    assertThat(memory.take(10 * EACH, newcomer)).isTrue();
  }

  @Test
  void shouldHaveRoomForTheSmallAnswerOfANewcomer() {
    BodyMemory large = new BodyMemory(1_000 * SIZE);
    while (large.takeMore(SIZE + 1, new Holder())) {
      // one after the other
    }
    Holder newcomer = new Holder();
    assertThat(large.take(5_000, newcomer)).isTrue();
    assertThat(large.takeMore(2_000, newcomer)).isTrue();
  }

  /** The largest body there may be passes where nothing else is. */
  @Test
  void shouldGiveWhoeverHasNothingAllThatIsLeft() {
    assertThat(memory.take(SIZE, new Holder(), new Holder())).isTrue();
    assertThat(memory.take(1, new Holder(), new Holder())).isFalse();
  }

  @Test
  void shouldTakeNothingWhereItRefuses() {
    List<Holder> two = List.of(new Holder(), new Holder());
    assertThat(memory.take(SIZE + 1, two.getFirst(), two.getLast())).isFalse();
    assertThat(two).allMatch(Holder::isIdle);
    assertThat(memory.take(SIZE, two.getFirst(), two.getLast())).isTrue();
    memory.give(SIZE, two.getFirst(), two.getLast());
    assertThat(two).allMatch(Holder::isIdle);
    assertThat(memory.take(SIZE)).isTrue();
  }
}
