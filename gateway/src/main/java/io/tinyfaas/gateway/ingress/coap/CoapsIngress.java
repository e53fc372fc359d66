package io.tinyfaas.gateway.ingress.coap;

import io.netty.channel.EventLoop;
import io.tinyfaas.gateway.device.CurrentDevices;
import io.tinyfaas.gateway.ingress.Ingress;
import io.tinyfaas.gateway.ingress.Protocol;
import io.tinyfaas.gateway.ingress.coap.dtls.DtlsConnector;
import io.tinyfaas.gateway.ingress.coap.message.CoapResponses;
import io.tinyfaas.gateway.ingress.coap.socket.BoxSocket;
import io.tinyfaas.gateway.loop.InvocationLoop;
import jakarta.inject.Singleton;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.util.Optional;
import org.eclipse.californium.core.coap.CoAP.ResponseCode;
import org.eclipse.californium.core.coap.Response;
import org.eclipse.californium.core.network.Exchange;
import org.eclipse.californium.core.server.MessageDeliverer;
import org.eclipse.californium.elements.util.SslContextUtil;
import org.eclipse.californium.elements.util.SslContextUtil.Credentials;
import org.jboss.logging.Logger;

/**
 * CoAP over DTLS, for registered devices only. It starts with the first of them: a gateway without
 * devices has neither its memory nor its port. What it takes is passed on to {@link CoapIngress}.
 */
@Singleton
public final class CoapsIngress implements Ingress, MessageDeliverer {

  private static final Logger LOG = Logger.getLogger(CoapsIngress.class);

  private final EventLoop loop;
  private final CoapsSettings settings;
  private final CoapSettings shared;
  private final CoapIngress coap;
  private final CurrentDevices devices;

  /** Guarded by this, as is {@link #transport}. */
  private DtlsConnector connector;

  private CoapTransport transport;
  private boolean started;
  private boolean stopped;

  CoapsIngress(
      InvocationLoop loop,
      CoapsSettings settings,
      CoapSettings shared,
      CoapIngress coap,
      CurrentDevices devices) {
    this.loop = loop.context().nettyEventLoop();
    this.settings = settings;
    this.shared = shared;
    this.coap = coap;
    this.devices = devices;
    devices.applyAfter(this::devicesChanged); // also of a table that comes before the start
  }

  @Override
  public Protocol protocol() {
    return Protocol.COAPS;
  }

  /** Not without CoAP, which does all but the encryption. */
  @Override
  public boolean isEnabled() {
    return coap.isEnabled() && settings.port() != OFF;
  }

  /** Listens if there are devices, and otherwise waits for the first. */
  @Override
  public void start() {
    synchronized (this) {
      started = true;
    }
    devices.confirm();
  }

  /** Also while there is nobody to listen to. */
  @Override
  public synchronized boolean isBound() {
    return devices.isEmpty() || transport != null;
  }

  /** 0 while there is nobody to listen to. */
  @Override
  public synchronized int port() {
    return transport == null ? 0 : transport.endpoint().getAddress().getPort();
  }

  /** {@link CoapIngress} does it for both. */
  @Override
  public void refuseNew() {}

  @Override
  public synchronized void stop() {
    stopped = true;
    if (transport != null) {
      transport.stop();
    }
  }

  /**
   * On a worker thread, or at the start.
   *
   * @return whether devices can connect, if there are any
   */
  private synchronized boolean devicesChanged() {
    if (transport != null) {
      connector.closeRevoked();
    } else if (isEnabled() && !devices.isEmpty() && !stopped) {
      return started && listen();
    }
    return true;
  }

  /** Tried again with the next change of devices if it fails. */
  private boolean listen() {
    InetSocketAddress address = new InetSocketAddress(shared.host(), settings.port());
    DtlsConnector dtls = new DtlsConnector(loop, BoxSocket::new, address, credentials(), devices);
    CoapTransport opened = coap.transport(dtls);
    opened.endpoint().setMessageDeliverer(this);
    try {
      opened.endpoint().start();
    } catch (IOException e) {
      opened.stop();
      LOG.errorf(
          "event=coaps-failed address=%s reason=\"%s\": stop what listens there, or choose another"
              + " COAPS_PORT",
          address, e.getMessage());
      return false;
    }
    connector = dtls;
    transport = opened;
    LOG.infof("event=coaps-started address=%s", opened.endpoint().getAddress());
    return true;
  }

  private Optional<Credentials> credentials() {
    Optional<Path> file = settings.certificateFile().filter(Files::exists);
    if (file.isEmpty()) {
      LOG.warn("event=coaps-without-certificate: devices with certificates cannot connect");
      return Optional.empty();
    }
    try {
      return Optional.of(SslContextUtil.loadCredentials(file.get().toString()));
    } catch (IOException | GeneralSecurityException | RuntimeException e) {
      LOG.errorf("event=coaps-certificate-unreadable file=%s reason=\"%s\"", file.get(), e);
      return Optional.empty();
    }
  }

  /** On the event loop. What a device sent that was revoked meanwhile is not done any more. */
  @Override
  public void deliverRequest(Exchange exchange) {
    boolean registered =
        DtlsConnector.identity(exchange.getRequest().getSourceContext().getPeerIdentity())
            .filter(devices::isCurrent)
            .isPresent();
    if (registered) {
      coap.deliverRequest(exchange);
    } else {
      exchange.sendResponse(
          CoapResponses.diagnostic(
              ResponseCode.UNAUTHORIZED, "the device is not registered any more"));
    }
  }

  @Override
  public void deliverResponse(Exchange exchange, Response response) {
    coap.deliverResponse(exchange, response);
  }
}
