package io.tinyfaas.gateway.ingress.http;

import io.tinyfaas.gateway.call.Calls;
import io.tinyfaas.gateway.invoke.Invoker;
import io.tinyfaas.gateway.route.CurrentRoutes;
import jakarta.inject.Singleton;

/** What functions there are, and both ways to run one. */
@Singleton
record Invocations(
    CurrentRoutes routes, Invoker invoker, Calls calls, HttpCallRequests callRequests) {}
