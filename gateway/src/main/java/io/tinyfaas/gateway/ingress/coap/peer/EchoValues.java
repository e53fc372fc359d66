package io.tinyfaas.gateway.ingress.coap.peer;

import static org.eclipse.californium.core.coap.option.StandardOptionRegistry.ECHO;

import java.net.InetAddress;
import java.nio.ByteBuffer;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.security.SecureRandom;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;
import org.eclipse.californium.core.coap.Option;
import org.eclipse.californium.core.coap.Request;
import org.eclipse.californium.core.coap.Response;
import org.eclipse.californium.elements.EndpointContext;

/**
 * Values of the Echo option that prove that whoever sends one back receives what is sent to its
 * address (RFC 9175, 2.3). Nothing is kept for them: each is a keyed digest of the address and the
 * time, and is taken for 5 to 10 minutes. On the event loop.
 */
public final class EchoValues {

  private static final int BYTES = 8;
  private static final int KEY_BYTES = 32;
  private static final long PERIOD_NANOS = TimeUnit.MINUTES.toNanos(5);
  private static final String ALGORITHM = "HmacSHA256";

  private final Mac digest;

  public EchoValues() {
    byte[] key = new byte[KEY_BYTES];
    new SecureRandom().nextBytes(key);
    try {
      digest = Mac.getInstance(ALGORITHM);
      digest.init(new SecretKeySpec(key, ALGORITHM));
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException("each Java has " + ALGORITHM, e);
    }
  }

  /** A device that knows the option sends it back with its next request (RFC 9175, 2.3). */
  public void ask(Response response, EndpointContext peer) {
    response.getOptions().addOption(ECHO.create(next(address(peer))));
  }

  /** Takes the proof of an address that a request brings. */
  public void check(Request request, Peer from) {
    List<Option> options = request.getOptions().getOthers(ECHO);
    if (!options.isEmpty()
        && !from.isVerified()
        && isOurs(options.getFirst().getValue(), address(request.getSourceContext()))) {
      from.verify();
    }
  }

  byte[] next(InetAddress peer) {
    return value(peer, period());
  }

  boolean isOurs(byte[] value, InetAddress peer) {
    long period = period();
    return MessageDigest.isEqual(value, value(peer, period))
        || MessageDigest.isEqual(value, value(peer, period - 1));
  }

  private static InetAddress address(EndpointContext peer) {
    return peer.getPeerAddress().getAddress();
  }

  private static long period() {
    return System.nanoTime() / PERIOD_NANOS;
  }

  private byte[] value(InetAddress peer, long period) {
    digest.update(ByteBuffer.allocate(Long.BYTES).putLong(period).flip());
    return Arrays.copyOf(digest.doFinal(peer.getAddress()), BYTES);
  }
}
