package io.tinyfaas.gateway.ingress.grpc;

import io.tinyfaas.gateway.ingress.Ingress;
import io.tinyfaas.gateway.ingress.Protocol;
import jakarta.enterprise.inject.Instance;
import jakarta.inject.Singleton;
import java.io.IOException;
import java.io.UncheckedIOException;
import org.jboss.logging.Logger;

/**
 * The gRPC service of the existing tinyFaaS. Its server is made when it is started, so that no
 * class of gRPC is loaded where it is switched off.
 */
@Singleton
final class GrpcIngress implements Ingress {

  private static final Logger LOG = Logger.getLogger(GrpcIngress.class);

  private final GrpcSettings settings;
  private final Instance<GrpcServer> servers;
  private volatile GrpcServer server;

  GrpcIngress(GrpcSettings settings, Instance<GrpcServer> servers) {
    this.settings = settings;
    this.servers = servers;
  }

  @Override
  public Protocol protocol() {
    return Protocol.GRPC;
  }

  @Override
  public boolean isEnabled() {
    return settings.port() != OFF;
  }

  @Override
  public void start() {
    GrpcServer starting = servers.get();
    try {
      starting.start();
    } catch (IOException e) {
      throw new UncheckedIOException(
          "cannot listen for gRPC on TCP "
              + settings.host()
              + ':'
              + settings.port()
              + " ("
              + e.getMessage()
              + "): stop what listens there, set TINYFAAS_GRPC_HOST to an address of this box, or choose"
              + " another GRPC_PORT",
          e);
    }
    server = starting;
    LOG.infof("event=grpc-started address=%s port=%d", settings.host(), port());
  }

  @Override
  public boolean isBound() {
    return server != null;
  }

  @Override
  public int port() {
    return server.port();
  }

  @Override
  public void refuseNew() {
    if (server != null) {
      server.refuseNew();
    }
  }

  @Override
  public int waiting() {
    return server == null ? 0 : server.waiting();
  }

  @Override
  public void stop() {
    if (server != null) {
      server.stop();
    }
  }
}
