package io.tinyfaas.gateway.call;

/** What becomes of the wish that a call be forgotten. */
public enum Removal {
  /** It is, and stays so. */
  DONE,
  /** There is no such call. */
  UNKNOWN,
  /** It is, but the disk has not taken that yet: a power cut may bring it back. */
  NOT_STORED
}
