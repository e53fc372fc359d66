package io.tinyfaas.gateway.ingress.mqtt;

/** Reason codes of MQTT 5 (2.4) that the gateway says itself. */
final class ReasonCode {

  static final int SUCCESS = 0x00;
  static final int MALFORMED = 0x81;
  static final int PROTOCOL_ERROR = 0x82;
  static final int UNSUPPORTED_VERSION = 0x84;
  static final int CLIENT_IDENTIFIER_NOT_VALID = 0x85;
  static final int BAD_USER_NAME_OR_PASSWORD = 0x86;
  static final int NOT_AUTHORIZED = 0x87;
  static final int SERVER_UNAVAILABLE = 0x88;
  static final int SERVER_SHUTTING_DOWN = 0x8b;
  static final int BAD_AUTHENTICATION_METHOD = 0x8c;
  static final int KEEP_ALIVE_TIMEOUT = 0x8d;
  static final int TOPIC_FILTER_INVALID = 0x8f;
  static final int TOPIC_NAME_INVALID = 0x90;
  static final int RECEIVE_MAXIMUM_EXCEEDED = 0x93;
  static final int TOPIC_ALIAS_INVALID = 0x94;
  static final int PACKET_TOO_LARGE = 0x95;
  static final int QUOTA_EXCEEDED = 0x97;
  static final int ADMINISTRATIVE_ACTION = 0x98;

  private ReasonCode() {}
}
