package io.tinyfaas.manager.handler;

import com.github.dockerjava.api.DockerClient;
import io.tinyfaas.contract.route.FunctionName;
import io.tinyfaas.manager.files.FileTree;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;

/**
 * A volume with a folder for each handler, in one for its function. The manager has all of it
 * mounted, a handler only its own.
 */
final class HandlerFolders {

  static final String OURS = "rwxr-xr-x";

  private final DockerClient docker;
  private final Path root;
  private final String volume;

  /**
   * @param root as this process sees it
   * @param volume its name, by which the engine finds it on the host
   */
  HandlerFolders(DockerClient docker, Path root, String volume) {
    this.docker = docker;
    this.root = root;
    this.volume = volume;
  }

  Path of(FunctionName function, String handler) {
    return root.resolve(function.value()).resolve(handler);
  }

  /** The volume on the host, where only the engine finds it. */
  String onHost() {
    return docker.inspectVolumeCmd(volume).exec().getMountpoint();
  }

  /** Makes the folder if need be. Nobody else writes in it yet. */
  Path make(FunctionName function, String handler) throws IOException {
    Path folder = of(function, handler);
    Files.createDirectories(folder);
    permit(folder.getParent(), OURS);
    permit(folder, OURS);
    return folder;
  }

  void remove(FunctionName function, String handler) {
    delete(of(function, handler));
  }

  /** Removes the folders of handlers other than these, and the function's if there are none. */
  void retain(FunctionName function, Set<String> handlers) {
    Path folder = root.resolve(function.value());
    if (!Files.isDirectory(folder, LinkOption.NOFOLLOW_LINKS)) {
      return;
    }
    try (Stream<Path> found = Files.list(folder)) {
      found
          .filter(f -> !handlers.contains(f.getFileName().toString()))
          .forEach(HandlerFolders::delete);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    if (handlers.isEmpty()) {
      delete(folder);
    }
  }

  /** Functions that have the folder of a handler that is not among these. */
  Set<FunctionName> functionsBesides(Set<String> handlers) {
    Set<FunctionName> found = new HashSet<>();
    for (Path function : foldersIn(root)) {
      String name = function.getFileName().toString();
      if (FunctionName.isValid(name)
          && !foldersIn(function).stream()
              .allMatch(folder -> handlers.contains(folder.getFileName().toString()))) {
        found.add(new FunctionName(name));
      }
    }
    return found;
  }

  private static List<Path> foldersIn(Path folder) {
    if (!Files.isDirectory(folder)) {
      return List.of();
    }
    try (Stream<Path> entries = Files.list(folder)) {
      return entries.filter(e -> Files.isDirectory(e, LinkOption.NOFOLLOW_LINKS)).toList();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  static void permit(Path folder, String permissions) throws IOException {
    Files.setPosixFilePermissions(folder, PosixFilePermissions.fromString(permissions));
  }

  /** Follows no link that a handler may have left. */
  static void delete(Path tree) {
    try {
      FileTree.delete(tree, folder -> permit(folder, OURS));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
