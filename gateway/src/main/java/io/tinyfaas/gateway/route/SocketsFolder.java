package io.tinyfaas.gateway.route;

import io.tinyfaas.contract.control.RouteTable;
import io.tinyfaas.contract.route.HandlerEndpoint;
import jakarta.inject.Singleton;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.OptionalLong;
import java.util.stream.Stream;

/**
 * The folder of the handlers' sockets as this gateway has it mounted. An engine that is restarted
 * under its containers may mount the volume anew, for the manager and for handlers that start from
 * then on: whoever had it before keeps what it was.
 */
@Singleton
final class SocketsFolder {

  private final Path folder;

  SocketsFolder(RouteSettings settings) {
    this.folder = settings.sockets();
  }

  /** Whether the manager that wrote the table has left its mark in another folder than this. */
  boolean isNotThatOf(RouteTable table) {
    OptionalLong life = life();
    return life.isPresent() && life.getAsLong() < table.revision().epoch();
  }

  /** The newest epoch that a manager marked it with; none where handlers have no sockets. */
  private OptionalLong life() {
    try (Stream<Path> entries = Files.list(folder)) {
      return entries
          .map(entry -> entry.getFileName().toString())
          .filter(name -> name.startsWith(HandlerEndpoint.LIFE_FILE))
          .mapToLong(name -> Long.parseLong(name.substring(HandlerEndpoint.LIFE_FILE.length())))
          .max();
    } catch (IOException e) {
      return OptionalLong.empty();
    }
  }
}
