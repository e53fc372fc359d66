package io.tinyfaas.gateway.callback;

import io.vertx.core.MultiMap;

/**
 * What is told.
 *
 * @param headers what has become of the call, as functions hear it (X-tinyFaaS-Result-…), and the
 *     body's type
 * @param attempt to tell it, from 1
 */
public record Answer(MultiMap headers, byte[] body, int attempt) {}
