package io.tinyfaas.gateway.ingress.grpc;

import io.grpc.Grpc;
import io.grpc.Metadata;
import io.grpc.ServerCall;
import io.tinyfaas.contract.handler.HandlerHttp;
import io.tinyfaas.gateway.call.CallOptions;
import io.tinyfaas.gateway.ingress.Protocol;
import io.tinyfaas.gateway.ingress.grpc.GrpcMessages.Request;
import io.tinyfaas.gateway.invoke.Invocation;
import io.vertx.core.MultiMap;
import io.vertx.core.http.HttpHeaders;
import java.net.Inet6Address;
import java.net.InetSocketAddress;
import java.util.Set;
import java.util.function.Predicate;

/** Calls to invocations: which function is meant, and what its handler is told. */
final class GrpcRequests {

  /** Of gRPC itself, or of the handler's request. */
  private static final Set<String> NOT_PASSED_ON =
      Set.of("content-encoding", "content-type", "host", "proxy-authorization");

  private static final Metadata.Key<String> ASYNC = key(CallOptions.ASYNC);
  private static final Metadata.Key<String> PREFER = key(CallOptions.PREFER);

  private static final String GRPC = "grpc-";
  private static final String OURS = "x-tinyfaas-";

  private GrpcRequests() {}

  private static Metadata.Key<String> key(String name) {
    return Metadata.Key.of(name, Metadata.ASCII_STRING_MARSHALLER);
  }

  static Invocation toInvocation(ServerCall<?, ?> call, Metadata metadata, Request.Data data) {
    MultiMap headers = headers(metadata, GrpcRequests::isPassedOn);
    headers.set(HandlerHttp.METHOD_HEADER, "POST");
    headers.set(HandlerHttp.PROTOCOL_HEADER, Protocol.GRPC.label());
    InetSocketAddress peer =
        (InetSocketAddress) call.getAttributes().get(Grpc.TRANSPORT_ATTR_REMOTE_ADDR);
    headers.set(HandlerHttp.PEER_HEADER, peer(peer));
    return new Invocation(data.function(), Protocol.GRPC, peer.getAddress(), headers, data.data());
  }

  /** Whether the client does not wait for the answer. */
  static boolean isAsync(Metadata metadata) {
    return (metadata.containsKey(ASYNC) || metadata.containsKey(PREFER))
        && CallOptions.isAsked(toGateway(metadata));
  }

  /** What the client says to the gateway alone. */
  static MultiMap toGateway(Metadata metadata) {
    return headers(metadata, key -> !key.endsWith(Metadata.BINARY_HEADER_SUFFIX));
  }

  private static MultiMap headers(Metadata metadata, Predicate<String> wanted) {
    MultiMap headers = HttpHeaders.headers();
    for (String key : metadata.keys()) {
      if (wanted.test(key)) {
        metadata.getAll(key(key)).forEach(value -> headers.add(key, value));
      }
    }
    return headers;
  }

  private static boolean isPassedOn(String key) {
    return !key.endsWith(Metadata.BINARY_HEADER_SUFFIX)
        && !key.startsWith(GRPC)
        && !key.startsWith(OURS)
        && !HandlerHttp.CONNECTION_FIELDS.contains(key)
        && !NOT_PASSED_ON.contains(key);
  }

  private static String peer(InetSocketAddress peer) {
    String address = peer.getAddress().getHostAddress();
    return (peer.getAddress() instanceof Inet6Address ? '[' + address + ']' : address)
        + ':'
        + peer.getPort();
  }
}
