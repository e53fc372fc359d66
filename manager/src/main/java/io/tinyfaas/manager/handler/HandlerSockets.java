package io.tinyfaas.manager.handler;

import com.github.dockerjava.api.DockerClient;
import com.github.dockerjava.api.model.AccessMode;
import com.github.dockerjava.api.model.Bind;
import com.github.dockerjava.api.model.Volume;
import io.tinyfaas.contract.handler.HandlerHttp;
import io.tinyfaas.contract.route.FunctionName;
import io.tinyfaas.contract.route.HandlerEndpoint;
import io.tinyfaas.manager.engine.EngineSettings;
import jakarta.enterprise.context.ApplicationScoped;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import org.jboss.logging.Logger;

/**
 * The folder of each handler's Unix socket, on a volume that gateway and manager mount whole and a
 * handler only its own folder of.
 *
 * <p>A handler makes files there only until it is healthy. Then the folder is looked at and closed,
 * so that a function cannot put a link to another function's socket in the place of its own. What
 * it writes to a file that it has opened by then is memory of its own: the volume is on no disk.
 */
@ApplicationScoped
public class HandlerSockets {

  private static final Logger LOG = Logger.getLogger(HandlerSockets.class);

  private static final String OPEN = "rwxrwxrwx";
  private static final String CLOSED = "r-xr-xr-x";

  /** No function is called that. */
  private static final String HOSTS = "etc.hosts";

  private static final String LOCALHOST = "127.0.0.1\tlocalhost\n";

  private static final int SOCKET = 0140000;
  private static final int FILE_TYPE = 0170000;

  private final EngineSettings settings;
  private final HandlerFolders folders;

  HandlerSockets(DockerClient docker, EngineSettings settings) {
    this.settings = settings;
    this.folders = new HandlerFolders(docker, settings.sockets(), settings.socketsVolume());
  }

  HandlerEndpoint.Unix endpoint(FunctionName function, String handler) {
    return new HandlerEndpoint.Unix(function + "/" + handler + "/" + HandlerHttp.SOCKET_FILE);
  }

  /** The socket as this process reaches it. */
  public Path path(HandlerEndpoint.Unix endpoint) {
    return settings.sockets().resolve(endpoint.path());
  }

  /**
   * What is mounted into a handler, as the engine finds it on the host.
   *
   * @param networked whether the engine makes a network for it, and with that the file that says
   *     what localhost is
   */
  List<Bind> mounts(FunctionName function, String handler, boolean networked) {
    String volume = folders.onHost();
    Bind folder =
        new Bind(volume + "/" + function + "/" + handler, new Volume(HandlerHttp.SOCKET_FOLDER));
    Bind hosts = new Bind(volume + "/" + HOSTS, new Volume("/etc/hosts"), AccessMode.ro);
    return networked ? List.of(folder) : List.of(folder, hosts);
  }

  /** Makes the folder if need be, empties it, and lets the handler write in it. */
  void open(FunctionName function, String handler) {
    try {
      provideHosts();
      Path folder = folders.make(function, handler);
      try (Stream<Path> left = Files.list(folder)) {
        for (Path entry : left.toList()) {
          HandlerFolders.delete(entry);
        }
      }
      HandlerFolders.permit(folder, OPEN);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Tells a gateway that has this folder mounted that it is the manager's in this life, too. */
  public void markLife(long epoch) {
    Path mark = settings.sockets().resolve(HandlerEndpoint.LIFE_FILE + epoch);
    try (Stream<Path> entries = Files.list(settings.sockets())) {
      Files.write(mark, new byte[0]);
      for (Path entry : entries.toList()) {
        if (entry.getFileName().toString().startsWith(HandlerEndpoint.LIFE_FILE)
            && !entry.equals(mark)) {
          Files.delete(entry);
        }
      }
    } catch (IOException e) {
      LOG.warnf("event=sockets-not-marked reason=\"%s\"", e);
    }
  }

  /**
   * Before a handler starts: a file that is not there the engine would mount as a folder. One that
   * was being written when the power went is written again.
   */
  private synchronized void provideHosts() throws IOException {
    Path hosts = settings.sockets().resolve(HOSTS);
    if (!Files.exists(hosts) || !Files.readString(hosts).equals(LOCALHOST)) {
      Files.writeString(hosts, LOCALHOST);
    }
  }

  /**
   * Ends the handler's writing.
   *
   * @return whether the folder holds the socket and nothing else, as the contract asks
   */
  boolean close(HandlerEndpoint.Unix endpoint) {
    Path socket = path(endpoint);
    Path folder = socket.getParent();
    try {
      HandlerFolders.permit(folder, CLOSED);
      try (Stream<Path> entries = Files.list(folder)) {
        return entries.toList().equals(List.of(socket))
            && ((Integer) Files.getAttribute(socket, "unix:mode", LinkOption.NOFOLLOW_LINKS)
                    & FILE_TYPE)
                == SOCKET;
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
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
