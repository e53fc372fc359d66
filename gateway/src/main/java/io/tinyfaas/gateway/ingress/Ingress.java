package io.tinyfaas.gateway.ingress;

import java.io.UncheckedIOException;

/**
 * One protocol by which invocations come. Each is a bean in a package of its own with settings of
 * its own; the gateway starts, watches and stops all that it finds.
 */
public interface Ingress {

  /** The port that switches an ingress off. */
  int OFF = -1;

  /** Of one that listens on no port. */
  int NO_PORT = 0;

  Protocol protocol();

  /** False if its port is {@link #OFF}; then nothing else is called but {@link #isBound}. */
  boolean isEnabled();

  /**
   * Listens, on the {@link io.tinyfaas.gateway.invoke.InvocationLoop}.
   *
   * @throws UncheckedIOException if the port cannot be bound
   */
  void start();

  boolean isBound();

  /** The port that is really bound, or {@link #NO_PORT}. */
  int port();

  /** From now on requests are refused; invocations that are running go on. */
  void refuseNew();

  /**
   * What it has taken on and the invoker does not have at the moment, such as answers that are
   * being sent. A stopping gateway waits for it, too.
   */
  default int waiting() {
    return 0;
  }

  void stop();
}
