package io.tinyfaas.manager.runtime;

import io.tinyfaas.manager.engine.EngineSettings;
import jakarta.enterprise.context.ApplicationScoped;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import org.jboss.logging.Logger;

/**
 * The runtimes that can be built on this box: folders of the checkout with a Dockerfile and a
 * descriptor. Read each time, as there are few of them, and one that is added counts at once.
 */
@ApplicationScoped
class RuntimeFolders {

  private static final Logger LOG = Logger.getLogger(RuntimeFolders.class);

  private static final String GLOB = "handler-runtime-*";

  private final EngineSettings settings;

  RuntimeFolders(EngineSettings settings) {
    this.settings = settings;
  }

  Optional<RuntimeFolder> find(String name) {
    return all().stream().filter(folder -> folder.runtime().isCalled(name)).findFirst();
  }

  /** By their folders' names; one that cannot be read is logged and left out. */
  List<RuntimeFolder> all() {
    Optional<Path> checkout = settings.checkout().filter(Files::isDirectory);
    if (checkout.isEmpty()) {
      return List.of();
    }
    List<RuntimeFolder> all = new ArrayList<>();
    try (DirectoryStream<Path> found = Files.newDirectoryStream(checkout.get(), GLOB)) {
      for (Path folder : found) {
        if (Files.isRegularFile(folder.resolve(RuntimeFolder.DOCKERFILE))
            && Files.isRegularFile(folder.resolve(RuntimeFolder.DESCRIPTOR))) {
          read(checkout.get(), folder.getFileName().toString()).ifPresent(all::add);
        }
      }
    } catch (IOException e) {
      LOG.warnf("event=runtime-folders outcome=unreadable reason=\"%s\"", e.getMessage());
    }
    all.sort(Comparator.comparing(RuntimeFolder::folder));
    return all;
  }

  private static Optional<RuntimeFolder> read(Path checkout, String folder) {
    try {
      return Optional.of(RuntimeFolder.read(checkout, folder));
    } catch (IOException | IllegalArgumentException e) {
      LOG.warnf(
          "event=runtime-folder folder=%s outcome=ignored reason=\"%s\"", folder, e.getMessage());
      return Optional.empty();
    }
  }
}
