package io.tinyfaas.gateway.ingress.coap.observe;

import static org.assertj.core.api.Assertions.assertThat;

import io.tinyfaas.gateway.ingress.coap.message.CoapResponses;
import java.time.Duration;
import java.util.List;
import org.eclipse.californium.core.coap.CoAP.ResponseCode;
import org.eclipse.californium.core.coap.CoAP.Type;
import org.eclipse.californium.core.coap.Response;
import org.junit.jupiter.api.Test;

/** What a device is sent, and when. */
class ObservingPeerTest {

  private final PlayedObservers world = new PlayedObservers(10);

  private Response sent() {
    assertThat(world.sent).hasSize(1);
    return world.sent.removeFirst();
  }

  @Test
  void shouldSendOneConfirmableNotificationAtATime() {
    Observation f = world.register(Type.CON, "peer", 1, "f");
    Observation g = world.register(Type.CON, "peer", 2, "g");
    world.result("f", "one");
    Response one = sent();
    assertThat(one.getType()).isEqualTo(Type.CON);
    world.result("f", "two");
    world.result("g", "other");
    world.result("f", "three");
    assertThat(world.sent).isEmpty();
    one.acknowledge();
    Response three = sent();
    assertThat(three.getPayloadString()).isEqualTo("three");
    assertThat(three.getOptions().getObserve()).isGreaterThan(one.getOptions().getObserve());
    three.acknowledge();
    assertThat(sent().getPayloadString()).isEqualTo("other");
    assertThat(world.list.all()).containsExactlyInAnyOrder(f, g);
  }

  @Test
  void shouldNotMakeOnePeerWaitForAnother() {
    world.register(Type.CON, "silent", 1, "f");
    world.register(Type.CON, "other", 1, "f");
    world.result("f", "one");
    assertThat(world.sent).hasSize(2);
    world.sent.getLast().acknowledge();
    world.result("f", "two");
    assertThat(world.sent).hasSize(3);
  }

  @Test
  void shouldTransmitTheNewestStateInsteadOfAnOldOne() {
    world.register(Type.CON, "peer", 1, "f");
    world.result("f", "one");
    Response one = sent();
    one.retransmitting();
    assertThat(one.isCanceled()).isFalse();
    world.result("f", "two");
    one.retransmitting();
    assertThat(one.isCanceled()).isTrue();
    Response two = sent();
    assertThat(two.getPayloadString()).isEqualTo("two");
    assertThat(world.followed).isEqualTo(1);
    one.acknowledge(); // late, and of what is over
    world.result("f", "three");
    assertThat(world.sent).isEmpty();
    two.acknowledge();
    assertThat(sent().getPayloadString()).isEqualTo("three");
  }

  @Test
  void shouldForgetAnObserverThatResetsOrDoesNotAcknowledge() {
    for (boolean reset : List.of(true, false)) {
      Observation lost = world.register(Type.CON, "peer", 1, "f");
      world.register(Type.CON, "peer", 2, "g");
      world.result("f", "reset " + reset);
      Response response = sent();
      world.result("g", "reset " + reset);
      if (reset) {
        response.setRejected(true);
      } else {
        response.setTimedOut(true);
      }
      assertThat(world.list.all()).doesNotContain(lost).hasSize(1);
      assertThat(sent().getPayloadString()).isEqualTo("reset " + reset);
      world.list.all().forEach(world.list::remove);
    }
  }

  @Test
  void shouldSendOthersEveryThreeSecondsAtMost() {
    world.register(Type.NON, "peer", 1, "f");
    world.result("f", "one");
    assertThat(sent().getType()).isEqualTo(Type.NON);
    world.result("f", "two");
    world.result("f", "three");
    world.pass(Duration.ofMillis(2_999));
    assertThat(world.sent).isEmpty();
    world.pass(Duration.ofMillis(1));
    assertThat(sent().getPayloadString()).isEqualTo("three");
    world.pass(Duration.ofHours(1));
    assertThat(world.sent).isEmpty();
  }

  @Test
  void shouldTryAgainForAWhileWhatCannotBeSent() {
    for (Type type : List.of(Type.CON, Type.NON)) {
      Observation observation = world.register(type, "peer", 1, "f");
      world.reachable = false;
      world.result("f", "one " + type);
      world.result("f", "two " + type);
      world.pass(Duration.ofSeconds(3));
      world.reachable = true;
      world.sent.clear();
      world.pass(Duration.ofSeconds(3));
      Response sent = sent();
      assertThat(sent.getType()).isEqualTo(type);
      assertThat(sent.getPayloadString()).isEqualTo("two " + type);
      world.list.remove(observation);
    }
    world.register(Type.CON, "peer", 1, "f");
    world.reachable = false;
    world.result("f", "three");
    for (int i = 0; i < 20; i++) {
      assertThat(world.list.all()).hasSize(1);
      world.pass(Duration.ofMillis(500));
    }
    assertThat(world.list.all()).isEmpty();
  }

  @Test
  void shouldAskForAnAcknowledgementNowAndThen() {
    Observation observation = world.register(Type.NON, "peer", 1, "f");
    for (int i = 0; i < 4; i++) {
      world.result("f", "state " + i);
      assertThat(sent().getType()).isEqualTo(Type.NON);
      world.pass(Duration.ofSeconds(3));
    }
    world.result("f", "fifth");
    Response fifth = sent();
    assertThat(fifth.getType()).isEqualTo(Type.CON);
    fifth.acknowledge();
    world.result("f", "sixth");
    assertThat(sent().getType()).isEqualTo(Type.NON);
    assertThat(world.list.all()).containsExactly(observation);
  }

  @Test
  void shouldAskOnceADayWhetherTheObserverIsStillThere() {
    world.register(Type.NON, "living", 1, "f");
    world.result("f", "on");
    sent();
    world.pass(Duration.ofHours(22));
    assertThat(world.sent).isEmpty();
    world.pass(Duration.ofHours(2));
    Response daily = sent();
    assertThat(daily.getType()).isEqualTo(Type.CON);
    assertThat(daily.getPayloadString()).isEqualTo("on");
    world.pass(Duration.ofSeconds(90));
    assertThat(world.sent).isEmpty();
    daily.acknowledge();
    world.pass(Duration.ofHours(22));
    assertThat(world.sent).isEmpty();
    world.pass(Duration.ofHours(1));
    sent().setTimedOut(true);
    assertThat(world.list.all()).isEmpty();
  }

  @Test
  void shouldAskAlsoOneThatRegistersAgainAndAgain() {
    for (int i = 0; i < 4; i++) {
      world.register(Type.NON, "peer", 1, "f");
      world.result("f", "state " + i);
      assertThat(sent().getType()).isEqualTo(Type.NON);
      world.pass(Duration.ofSeconds(3));
    }
    world.register(Type.NON, "peer", 1, "f");
    world.result("f", "fifth");
    assertThat(sent().getType()).isEqualTo(Type.CON);
  }

  @Test
  void shouldEndWithAnErrorThatIsAcknowledged() {
    Observation observation = world.register(Type.NON, "peer", 1, "f");
    observation.end(() -> CoapResponses.diagnostic(ResponseCode.NOT_FOUND, "gone"));
    ObservingPeer peer = world.list.peer(observation);
    world.list.release(observation);
    peer.notify(observation);
    Response farewell = sent();
    assertThat(farewell.getType()).isEqualTo(Type.CON);
    assertThat(farewell.getOptions().hasObserve()).isFalse();
    assertThat(world.list.size()).isZero();
    assertThat(peer.isIdle()).isFalse();
    farewell.setTimedOut(true);
    assertThat(peer.isIdle()).isTrue();
  }
}
