package io.tinyfaas.runtime;

import io.tinyfaas.runtime.http.HttpServer;
import io.tinyfaas.runtime.load.FunctionLoader;
import io.tinyfaas.runtime.load.LoadFailure;
import io.tinyfaas.runtime.load.LoadedFunction;
import java.io.IOException;
import java.lang.reflect.Proxy;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.net.UnixDomainSocketAddress;
import java.nio.file.Path;
import java.util.Optional;

/**
 * The handler of one Java function ({@code contract/handler-http.md}): load it, then serve it until
 * SIGTERM.
 */
public final class JavaRuntime {

  private static final int PORT = 8000;
  private static final int DEFAULT_MAX_BODY = 1_048_576;

  private JavaRuntime() {}

  public static void main(String[] arguments) {
    try {
      LoadedFunction function = FunctionLoader.load(Path.of(arguments[0]), entry());
      HttpServer server = HttpServer.bind(address(), function, maxBody());
      onTerminate(server::stop);
      server.serve();
      // Explicitly, since the function may have started threads of its own.
      System.exit(0);
    } catch (LoadFailure e) {
      System.err.println("The function does not load: " + e.getMessage());
      if (e.getCause() != null) {
        e.getCause().printStackTrace();
      }
      System.exit(1);
    } catch (IOException | IllegalArgumentException e) {
      System.err.println("The handler does not start: " + e.getMessage());
      System.exit(1);
    }
  }

  private static Optional<String> entry() {
    return Optional.ofNullable(System.getenv("TINYFAAS_ENTRY")).filter(name -> !name.isEmpty());
  }

  private static SocketAddress address() {
    String socket = System.getenv("TINYFAAS_SOCKET");
    return socket == null || socket.isEmpty()
        ? new InetSocketAddress(PORT)
        : UnixDomainSocketAddress.of(socket);
  }

  private static int maxBody() {
    String bytes = System.getenv("TINYFAAS_MAX_BODY");
    if (bytes == null || bytes.isEmpty()) {
      return DEFAULT_MAX_BODY;
    }
    try {
      return Math.max(0, Integer.parseInt(bytes));
    } catch (NumberFormatException e) {
      throw new IllegalArgumentException("TINYFAAS_MAX_BODY is not a number of bytes: " + bytes, e);
    }
  }

  /**
   * A shutdown hook would leave the exit code at 143, and could not tell SIGTERM from a function's
   * {@code System.exit}, whose own request it would wait for. The compiler warns of any mention of
   * {@code sun.misc.Signal}, of module jdk.unsupported, so it is called by name.
   */
  private static void onTerminate(Runnable stop) {
    try {
      Class<?> signal = Class.forName("sun.misc.Signal");
      Class<?> handler = Class.forName("sun.misc.SignalHandler");
      Object stopping =
          Proxy.newProxyInstance(
              JavaRuntime.class.getClassLoader(),
              new Class<?>[] {handler},
              (proxy, method, arguments) -> {
                stop.run();
                return null;
              });
      signal
          .getMethod("handle", signal, handler)
          .invoke(null, signal.getConstructor(String.class).newInstance("TERM"), stopping);
    } catch (ReflectiveOperationException e) {
      throw new IllegalStateException("this Java has no module jdk.unsupported", e);
    }
  }
}
