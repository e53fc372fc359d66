package io.tinyfaas.manager;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.US_ASCII;

import io.tinyfaas.manager.files.FileTree;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * The real engine, behind a socket of its own on which one call can be made to fail, or to wait.
 */
final class FailingEngine {

  private static final UnixDomainSocketAddress ENGINE =
      UnixDomainSocketAddress.of("/var/run/docker.sock");

  /** As many as the engine lets wait; with 50, the usual, it refused followers of logs. */
  private static final int BACKLOG = 4_096;

  private static final int PIECE_BYTES = 64 * 1024;

  private static final String MESSAGE = "{\"message\":\"the engine's disk is ill\"}";

  private static final byte[] FAILURE =
      ("HTTP/1.1 500 Internal Server Error\r\nContent-Type: application/json\r\nConnection: close\r\n"
              + "Content-Length: "
              + MESSAGE.length()
              + "\r\n\r\n"
              + MESSAGE)
          .getBytes(US_ASCII);

  /** Test and test resource may be of two class loaders, so that they share no variable. */
  private static final Path FOLDER =
      Path.of(System.getProperty("java.io.tmpdir"), RealParts.INSTANCE + "-engine");

  /** How the next call begins that fails, and the next whose answer is lost. */
  private static final Path FAILS = FOLDER.resolve("fails");

  private static final Path LOST = FOLDER.resolve("lost");

  /** How those calls begin that wait for as long as this is there, and whether one does. */
  private static final Path HELD = FOLDER.resolve("held");

  private static final Path WAITS = FOLDER.resolve("waits");

  private ServerSocketChannel server;

  /**
   * Once.
   *
   * @param call such as {@code DELETE /networks/}
   */
  static void failsNextWith(String call) {
    tell(FAILS, call);
  }

  /** Once: the engine does what it is asked, but the connection breaks before it says so. */
  static void losesTheNextAnswerTo(String call) {
    tell(LOST, call);
  }

  /** Calls that do not reach the engine before this is closed. */
  interface Held extends AutoCloseable {

    /** Whether there is one. */
    boolean isThere();

    @Override
    void close();
  }

  /**
   * For less time than the manager gives the engine for a call.
   *
   * @param calls such as {@code GET /images/}
   */
  static Held holds(String calls) {
    tell(HELD, calls);
    return new Held() {
      @Override
      public boolean isThere() {
        return Files.exists(WAITS);
      }

      @Override
      public void close() {
        try {
          Files.deleteIfExists(HELD);
          Files.deleteIfExists(WAITS);
        } catch (IOException e) {
          throw new UncheckedIOException(e);
        }
      }
    };
  }

  private static void tell(Path file, String call) {
    try {
      Path written = Files.writeString(FOLDER.resolve("written"), call);
      Files.move(written, file, StandardCopyOption.ATOMIC_MOVE);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  static boolean hasFailed() {
    return Files.notExists(FAILS) && Files.notExists(LOST);
  }

  /**
   * @return the socket
   */
  Path start() {
    try {
      Path socket = Files.createDirectories(FOLDER).resolve("docker.sock");
      server = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
      server.bind(UnixDomainSocketAddress.of(socket), BACKLOG);
      Thread.ofVirtual().start(this::accept);
      return socket;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private void accept() {
    try {
      while (true) {
        SocketChannel client = server.accept();
        SocketChannel engine = SocketChannel.open(ENGINE);
        AtomicBoolean lost = new AtomicBoolean();
        Thread.ofVirtual().start(() -> passRequests(client, engine, lost));
        Thread.ofVirtual().start(() -> passAnswers(engine, client, lost));
      }
    } catch (IOException e) {
      // It is closed: the tests have ended.
    }
  }

  /** A request is written only after the answer to the one before: it begins what is read. */
  private static void passRequests(SocketChannel client, SocketChannel engine, AtomicBoolean lost) {
    ByteBuffer piece = ByteBuffer.allocate(PIECE_BYTES);
    try (client;
        engine) {
      while (client.read(piece.clear()) >= 0) {
        String text = ISO_8859_1.decode(piece.flip().duplicate()).toString();
        if (isNext(FAILS, text)) {
          client.write(ByteBuffer.wrap(FAILURE));
          return;
        }
        while (isHeld(text)) {
          Thread.sleep(20);
        }
        lost.compareAndSet(false, isNext(LOST, text));
        write(piece, engine);
      }
    } catch (IOException e) {
      // One of the two has gone, and so does the other.
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private static void passAnswers(SocketChannel engine, SocketChannel client, AtomicBoolean lost) {
    ByteBuffer piece = ByteBuffer.allocate(PIECE_BYTES);
    try (engine;
        client) {
      while (engine.read(piece.clear()) >= 0 && !lost.get()) {
        write(piece.flip(), client);
      }
    } catch (IOException e) {
      // As above.
    }
  }

  private static void write(ByteBuffer piece, SocketChannel to) throws IOException {
    while (piece.hasRemaining()) {
      to.write(piece);
    }
  }

  private static boolean isNext(Path awaited, String request) throws IOException {
    try {
      return Files.exists(awaited)
          && request.startsWith(Files.readString(awaited))
          && Files.deleteIfExists(awaited);
    } catch (NoSuchFileException e) {
      return false; // another connection had it
    }
  }

  private static boolean isHeld(String request) throws IOException {
    try {
      boolean held = Files.exists(HELD) && request.startsWith(Files.readString(HELD));
      if (held) {
        Files.writeString(WAITS, "");
      }
      return held;
    } catch (NoSuchFileException e) {
      return false; // it was let go
    }
  }

  void stop() {
    try {
      server.close();
      FileTree.delete(FOLDER);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
