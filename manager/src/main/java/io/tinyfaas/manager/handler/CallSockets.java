package io.tinyfaas.manager.handler;

import com.github.dockerjava.api.DockerClient;
import com.github.dockerjava.api.model.AccessMode;
import com.github.dockerjava.api.model.Bind;
import com.github.dockerjava.api.model.Volume;
import io.tinyfaas.contract.handler.HandlerHttp;
import io.tinyfaas.contract.route.FunctionName;
import io.tinyfaas.manager.engine.EngineSettings;
import jakarta.enterprise.context.ApplicationScoped;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.util.Set;

/**
 * The folders in which the gateway listens for what functions ask of it, one for each handler that
 * may call others: who calls is known by the socket. They are on a volume of their own, in which
 * the gateway writes and a handler cannot, since its folder is mounted read-only.
 */
@ApplicationScoped
class CallSockets {

  /** Who reaches it is decided by what is mounted: the gateway, and no other handler. */
  private static final String WRITABLE = "rwxrwxrwx";

  private final HandlerFolders folders;

  CallSockets(DockerClient docker, EngineSettings settings) {
    this.folders = new HandlerFolders(docker, settings.callSockets(), settings.callSocketsVolume());
  }

  /** What is mounted into a handler, as the engine finds it on the host. */
  Bind mount(FunctionName function, String handler) {
    return new Bind(
        folders.onHost() + "/" + function + "/" + handler,
        new Volume(HandlerHttp.CALLS_SOCKET_FOLDER),
        AccessMode.ro);
  }

  /**
   * Makes the folder if need be, before a start of its handler. What is in it stays: the gateway
   * may be listening there already.
   */
  void open(FunctionName function, String handler) {
    try {
      HandlerFolders.permit(folders.make(function, handler), WRITABLE);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  boolean isOpen(FunctionName function, String handler) {
    return Files.isDirectory(folders.of(function, handler));
  }

  void remove(FunctionName function, String handler) {
    folders.remove(function, handler);
  }

  void retain(FunctionName function, Set<String> handlers) {
    folders.retain(function, handlers);
  }

  Set<FunctionName> functionsBesides(Set<String> handlers) {
    return folders.functionsBesides(handlers);
  }
}
