package io.tinyfaas.gateway.ingress;

/** What a device speaks with the gateway, or who calls in its place. */
public enum Protocol {
  COAP("coap"),
  COAPS("coaps"),
  HTTP("http"),
  GRPC("grpc"),

  /** Nobody: it is the time for it. */
  SCHEDULE("schedule"),

  /** Another function calls it, by its socket. */
  FUNCTION("function");

  private final String label;

  Protocol(String label) {
    this.label = label;
  }

  /** Its name in headers and metrics. */
  public String label() {
    return label;
  }
}
