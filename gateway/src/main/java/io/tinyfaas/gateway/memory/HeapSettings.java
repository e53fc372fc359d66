package io.tinyfaas.gateway.memory;

import io.quarkus.runtime.configuration.MemorySize;
import io.smallrye.config.ConfigMapping;
import io.smallrye.config.WithDefault;

/**
 * What the {@link HeapBudget} is made of. Each is a property {@code tinyfaas.…} and an environment
 * variable {@code TINYFAAS_…}.
 */
@ConfigMapping(prefix = "tinyfaas")
public interface HeapSettings {

  /** The largest body of a request and of an answer; the heap bounds it, see {@link HeapBudget}. */
  @WithDefault("1M")
  MemorySize maxBody();

  Http http();

  Grpc grpc();

  Mqtt mqtt();

  Coap coap();

  Calls calls();

  /** What of the HTTP ingress the {@link HeapBudget} is made of. */
  interface Http {

    /**
     * How many connections may be open, and three quarters of them of one address. Beyond it the
     * one that has waited longest for a request is closed for a new one, and the new one if none
     * waits.
     */
    @WithDefault("1000")
    int maxConnections();

    /**
     * How many of them may be told results by server-sent events, and three quarters of these of
     * one address; further requests are refused.
     */
    @WithDefault("256")
    int maxEventStreams();
  }

  /** The same of the gRPC ingress. */
  interface Grpc {

    /**
     * How many connections may be open, and three quarters of them of one address; further ones are
     * closed at once. Each carries a hundred calls.
     */
    @WithDefault("256")
    int maxConnections();
  }

  /** The same of MQTT. */
  interface Mqtt {

    /**
     * How many devices may be connected, and three quarters of these connections one device's;
     * further ones are refused.
     */
    @WithDefault("250")
    int maxConnections();
  }

  /** The same of the CoAP ingress. */
  interface Coap {

    /** How many may observe functions; at most half of them one and the same function. */
    @WithDefault("1000")
    int maxObservers();
  }

  /** The same of calls. */
  interface Calls {

    /**
     * How many may be known: those that wait or run, have failed, or are done not long ago. The
     * oldest that are done make room.
     */
    @WithDefault("10000")
    int max();
  }
}
