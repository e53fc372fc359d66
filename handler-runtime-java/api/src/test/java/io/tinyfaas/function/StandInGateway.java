package io.tinyfaas.function;

import java.io.ByteArrayOutputStream;
import java.io.Closeable;
import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;

/** The gateway's side of a function's calls: what a test says goes out, byte by byte. */
final class StandInGateway implements Closeable {

  @FunctionalInterface
  interface Conversation {
    /** Ends the connection when it returns. */
    void with(SocketChannel connection, int number) throws IOException;
  }

  private final ServerSocketChannel server;
  private final Path socket;
  private final List<SocketChannel> open = new CopyOnWriteArrayList<>();

  StandInGateway(Path folder, Conversation conversation) throws IOException {
    socket = Files.createTempFile(folder, "calls", ".sock");
    Files.delete(socket);
    server = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
    server.bind(UnixDomainSocketAddress.of(socket), 128);
    Thread accepting = new Thread(() -> accept(conversation), "stand-in-gateway");
    accepting.setDaemon(true);
    accepting.start();
  }

  /** Answers each request on each connection with these bytes. */
  static Conversation always(String answer) {
    return (connection, number) -> {
      while (request(connection) != null) {
        say(connection, answer);
      }
    };
  }

  Path socket() {
    return socket;
  }

  int connections() {
    return open.size();
  }

  /** A channel that another thread reads is closed some time later, but ends its output at once. */
  void closeConnections() throws IOException {
    for (SocketChannel each : open) {
      if (each.isOpen()) {
        each.shutdownOutput();
      }
      each.close();
    }
  }

  @Override
  public void close() throws IOException {
    server.close();
    closeConnections();
  }

  static void say(SocketChannel connection, String text) throws IOException {
    ByteBuffer bytes = ByteBuffer.wrap(text.getBytes(StandardCharsets.ISO_8859_1));
    while (bytes.hasRemaining()) {
      connection.write(bytes);
    }
  }

  /** The next request as it came, a character for each byte; null at the connection's end. */
  static String request(SocketChannel connection) throws IOException {
    ByteArrayOutputStream all = new ByteArrayOutputStream();
    ByteBuffer some = ByteBuffer.allocate(64 * 1024);
    while (true) {
      String text = all.toString(StandardCharsets.ISO_8859_1);
      int head = text.indexOf("\r\n\r\n") + 4;
      if (head > 4) {
        int length =
            Integer.parseInt(text.replaceFirst("(?s).*?Content-Length: (\\d+)\r\n.*", "$1"));
        if (text.length() == head + length) {
          return text;
        }
      }
      if (connection.read(some) < 0) {
        return null;
      }
      all.write(some.array(), 0, some.position());
      some.clear();
    }
  }

  private void accept(Conversation conversation) {
    try {
      while (true) {
        SocketChannel connection = server.accept();
        int number = open.size();
        open.add(connection);
        Thread talking =
            new Thread(
                () -> {
                  try (connection) {
                    conversation.with(connection, number);
                  } catch (IOException e) {
                    // The caller or the test has closed it.
                  }
                });
        talking.setDaemon(true);
        talking.start();
      }
    } catch (IOException e) {
      // The test has ended.
    }
  }
}
