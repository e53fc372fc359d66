package io.tinyfaas.runtime.http;

import static io.tinyfaas.harness.Eventually.patient;
import static org.assertj.core.api.Assertions.assertThat;

import io.tinyfaas.runtime.load.LoadedFunction;
import io.tinyfaas.runtime.load.LoadedFunction.Input;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ThreadFactory;
import java.util.function.Function;
import org.junit.jupiter.api.AfterEach;

/** A function served on a port of its own, and peers that write each byte themselves. */
abstract class ServedFunction {

  private static final int MAX_BODY = 1_000;

  HttpServer server;
  Thread serving;
  private final List<Socket> sockets = new ArrayList<>();

  @AfterEach
  void stop() throws Exception {
    for (Socket socket : sockets) {
      socket.close();
    }
    server.stop();
    serving.join();
  }

  void serve(Input input, Function<Object, Object> function) throws IOException {
    serve(input, function, Duration.ofSeconds(30));
  }

  void serve(Input input, Function<Object, Object> function, Duration patience) throws IOException {
    serve(input, function, patience, Thread.ofVirtual().factory());
  }

  void serve(
      Input input, Function<Object, Object> function, Duration patience, ThreadFactory threads)
      throws IOException {
    server =
        HttpServer.bind(
            new InetSocketAddress(InetAddress.getLoopbackAddress(), 0),
            new LoadedFunction(function, input),
            MAX_BODY,
            patience,
            threads);
    serving = Thread.ofPlatform().start(server::serve);
  }

  Socket connect() throws IOException {
    InetSocketAddress address = (InetSocketAddress) server.address();
    Socket socket = new Socket(address.getAddress(), address.getPort());
    socket.setTcpNoDelay(true);
    socket.setSoTimeout((int) patient(Duration.ofSeconds(10)).toMillis());
    sockets.add(socket);
    return socket;
  }

  Socket send(String bytes) throws IOException {
    Socket socket = connect();
    write(socket, bytes);
    return socket;
  }

  Socket call(String body) throws IOException {
    return send(post(body));
  }

  static String post(String body) {
    return "POST /fn HTTP/1.1\r\nHost: x\r\nContent-Length: " + body.length() + "\r\n\r\n" + body;
  }

  static void write(Socket socket, String bytes) {
    try {
      socket.getOutputStream().write(bytes.getBytes(StandardCharsets.UTF_8));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Head and body of the next answer. */
  static String answer(Socket socket) throws IOException {
    InputStream in = socket.getInputStream();
    StringBuilder head = new StringBuilder();
    while (head.indexOf("\r\n\r\n") < 0) {
      int b = in.read();
      assertThat(b).as("the connection ends after: " + head).isNotNegative();
      head.append((char) b);
    }
    int at = head.indexOf("Content-Length: ");
    int length = at < 0 ? 0 : Integer.parseInt(head.substring(at + 16, head.indexOf("\r\n", at)));
    return head + new String(in.readNBytes(length), StandardCharsets.UTF_8);
  }
}
