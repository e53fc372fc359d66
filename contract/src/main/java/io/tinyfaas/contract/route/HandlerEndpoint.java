package io.tinyfaas.contract.route;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonValue;
import java.util.regex.Pattern;

/**
 * Where a handler listens, written {@code unix:FOLDER/FILE} or {@code tcp:ADDRESS:PORT}. Everything
 * else about the two is the same HTTP; only the client that connects cares which one it is.
 */
public sealed interface HandlerEndpoint {

  /**
   * An empty file beside the sockets' folders, with the epoch of the manager's life behind it. The
   * manager makes it anew before it publishes a table of that epoch: a gateway that finds an older
   * one has another folder mounted than the manager has by now.
   */
  String LIFE_FILE = "manager.";

  /**
   * A Unix socket below the folder that manager and gateway both mount.
   *
   * @param path relative to that folder, at most {@value #MAX_PATH} characters, since the kernel
   *     allows 107 bytes for the whole
   */
  record Unix(String path) implements HandlerEndpoint {
    public static final int MAX_PATH = 90;
    private static final Pattern ALLOWED =
        Pattern.compile("[A-Za-z0-9][A-Za-z0-9-]*(?:/[A-Za-z0-9][A-Za-z0-9.-]*)+");

    public Unix {
      if (path == null || path.length() > MAX_PATH || !ALLOWED.matcher(path).matches()) {
        throw new IllegalArgumentException("not a relative socket path: " + path);
      }
    }

    @Override
    public String toString() {
      return "unix:" + path;
    }
  }

  /** An IPv4 address of the function's own network, and a port from 1 to 65535. */
  record Tcp(String address, int port) implements HandlerEndpoint {
    private static final Pattern ALLOWED = Pattern.compile("\\d{1,3}(?:\\.\\d{1,3}){3}");

    public Tcp {
      if (address == null || !ALLOWED.matcher(address).matches() || port < 1 || port > 65_535) {
        throw new IllegalArgumentException("not an address and port: " + address + ":" + port);
      }
    }

    @Override
    public String toString() {
      return "tcp:" + address + ":" + port;
    }
  }

  @JsonValue
  default String text() {
    return toString();
  }

  /**
   * @throws IllegalArgumentException if the text is neither form
   */
  @JsonCreator
  static HandlerEndpoint parse(String text) {
    if (text.startsWith("unix:")) {
      return new Unix(text.substring(5));
    }
    int port = text.lastIndexOf(':');
    if (text.startsWith("tcp:") && port > 4) {
      try {
        return new Tcp(text.substring(4, port), Integer.parseInt(text.substring(port + 1)));
      } catch (NumberFormatException e) {
        throw new IllegalArgumentException("not a port: " + text, e);
      }
    }
    throw new IllegalArgumentException("neither unix: nor tcp: " + text);
  }
}
