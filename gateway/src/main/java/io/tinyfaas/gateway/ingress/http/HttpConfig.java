package io.tinyfaas.gateway.ingress.http;

import io.quarkus.runtime.configuration.MemorySize;
import io.smallrye.config.ConfigMapping;
import io.smallrye.config.WithDefault;
import java.time.Duration;

/**
 * The settings of the HTTP ingress: {@code TINYFAAS_HTTP_…}, and {@code HTTP_PORT}. Deadlines are
 * kept to the second.
 */
@ConfigMapping(prefix = "tinyfaas.http")
interface HttpConfig {

  /** The address to listen on; the default is all of them. */
  @WithDefault("0.0.0.0")
  String host();

  /** The TCP port, from 0 (any free one, for tests) to 65535; -1 switches HTTP off. */
  @WithDefault("8000")
  int port();

  /**
   * How many connections may be open, from 1. Beyond it the one that has waited longest for a
   * request is closed for a new one, and the new one if none waits.
   */
  @WithDefault("1000")
  int maxConnections();

  /** From the connection to the end of the first request's header. */
  @WithDefault("10s")
  Duration headerTimeout();

  /** From the end of an answer to the end of the next request's header. */
  @WithDefault("60s")
  Duration idleTimeout();

  /** How long a request's body may take. */
  @WithDefault("60s")
  Duration bodyTimeout();

  /** How long a client may take to receive an answer. */
  @WithDefault("60s")
  Duration sendTimeout();

  /** How many invocations may wait or run whose answer nobody waits for, from 1. */
  @WithDefault("256")
  int maxAsync();

  /** The bodies of all those together; one of the largest size always fits. */
  @WithDefault("4M")
  MemorySize maxAsyncBytes();
}
