package io.tinyfaas.gateway.ingress.mqtt;

/** What has become of a publication. */
public sealed interface Receipt {

  /** What it was for is done, or on disk: it can be acknowledged. */
  record Done() implements Receipt {}

  /** No function is for it. */
  record NotMeant() implements Receipt {}

  /**
   * It was not taken. Who has MQTT 5 is told, others lose their connection and publish it again.
   *
   * @param reasonCode of PUBACK and PUBREC (MQTT 5, 3.4.2.1), at least 0x80
   * @param why a sentence for whoever programs the device
   */
  record Refused(int reasonCode, String why) implements Receipt {}
}
