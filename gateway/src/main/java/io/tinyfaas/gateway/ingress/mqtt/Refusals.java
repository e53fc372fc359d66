package io.tinyfaas.gateway.ingress.mqtt;

import io.tinyfaas.gateway.call.Acceptance;
import io.tinyfaas.gateway.call.Acceptance.TooMany;
import io.tinyfaas.gateway.ingress.mqtt.Answers.Failure;
import io.tinyfaas.gateway.ingress.mqtt.Receipt.Refused;
import java.util.Optional;

/** Why a publication is not taken, as its sender hears it (MQTT 5, 3.4.2.1). */
final class Refusals {

  /** It is valid, and the gateway does not take it. */
  static final int IMPLEMENTATION_SPECIFIC = 0x83;

  private static final int NOT_AUTHORIZED = 0x87;
  private static final int TOPIC_NAME_INVALID = 0x90;
  private static final int QUOTA_EXCEEDED = 0x97;

  private Refusals() {}

  /** Empty if it is accepted. */
  static Optional<Refused> of(Acceptance acceptance) {
    int code = acceptance instanceof TooMany ? QUOTA_EXCEEDED : IMPLEMENTATION_SPECIFIC;
    return Failure.of(acceptance).map(failure -> new Refused(code, failure.sentence()));
  }

  /**
   * @param acceptance empty if no function was there for it
   */
  static Receipt receipt(Optional<Acceptance> acceptance) {
    return acceptance.isEmpty()
        ? new Receipt.NotMeant()
        : of(acceptance.get()).<Receipt>map(refusal -> refusal).orElseGet(Receipt.Done::new);
  }

  static Refused bad(String why) {
    return new Refused(IMPLEMENTATION_SPECIFIC, why);
  }

  static Refused noFunction() {
    return new Refused(
        TOPIC_NAME_INVALID, "a request is published to functions/NAME or functions/NAME/PATH");
  }

  static Refused responseTopic() {
    return new Refused(
        NOT_AUTHORIZED,
        "the Response Topic is none that this device may both publish and subscribe, such as"
            + " devices/ITS-NAME/answers");
  }

  static Refused brokerAway() {
    return bad("nobody could be answered, as the box's broker is away: publish it again later");
  }
}
