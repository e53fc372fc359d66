package io.tinyfaas.manager.runtime;

import io.tinyfaas.manager.archive.ArchiveConditions;
import io.tinyfaas.manager.archive.FunctionArchive;
import io.tinyfaas.manager.engine.EngineSettings;
import io.tinyfaas.manager.engine.Labels;
import io.tinyfaas.manager.problem.ProblemException;
import io.tinyfaas.manager.problem.ProblemType;
import io.tinyfaas.manager.spec.FunctionSpec;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * An image that loads a language's functions, as its labels describe it ({@code
 * contract/handler-http.md}).
 *
 * @param image the image's id, so that a build is not affected by a tag that moves; empty if it is
 *     not yet built
 * @param check what an archive must hold
 * @param takesEntry whether a specification's entry means anything to it
 */
public record RuntimeImage(
    String name,
    List<String> aliases,
    String image,
    Set<EngineSettings.Transport> transports,
    ArchiveConditions check,
    boolean takesEntry,
    Optional<Build> build) {

  private static final int MAX_LISTED = 5;

  /**
   * @param when the command runs only for archives that hold this
   * @param outbound whether it may fetch from the internet
   * @param outboundWhen it may only for archives that hold this
   */
  public record Build(
      ArchiveConditions when, String command, boolean outbound, ArchiveConditions outboundWhen) {}

  /**
   * @throws IllegalArgumentException if a label says what none may say
   */
  static RuntimeImage describedBy(String image, Map<String, String> labels) {
    return new RuntimeImage(
        labels.get(Labels.RUNTIME),
        Labels.list(labels.get(Labels.RUNTIME_ALIASES)),
        image,
        Labels.list(labels.getOrDefault(Labels.RUNTIME_TRANSPORTS, "unix,tcp")).stream()
            .map(t -> EngineSettings.Transport.valueOf(t.toUpperCase(Locale.ROOT)))
            .collect(Collectors.toUnmodifiableSet()),
        conditions(labels.get(Labels.RUNTIME_CHECK)),
        !"none".equals(labels.get(Labels.RUNTIME_ENTRY)),
        Optional.ofNullable(labels.get(Labels.BUILD_COMMAND))
            .filter(command -> !command.isBlank())
            .map(
                command ->
                    new Build(
                        conditions(labels.get(Labels.BUILD_WHEN)),
                        command,
                        "outbound".equals(labels.get(Labels.BUILD_NETWORK)),
                        conditions(labels.get(Labels.BUILD_NETWORK_WHEN)))));
  }

  boolean isCalled(String asked) {
    return name.equals(asked) || aliases.contains(asked);
  }

  /** Refuses an archive that this runtime cannot run, before anything is built. */
  public void require(FunctionArchive archive) {
    if (!check.areMetBy(archive)) {
      throw ProblemException.ofField(
          ProblemType.INVALID_ARCHIVE,
          "archive",
          "The archive has no file that the runtime "
              + name
              + " can run: it needs one of "
              + check
              + ", and has at its top "
              + listed(topOf(archive))
              + ". "
              + wayOut(check.nearestFoldersOf(archive)));
    }
  }

  /**
   * @param folders in which there is what the top does not have
   */
  private static String wayOut(List<String> folders) {
    return switch (folders.size()) {
      case 0 -> "Make it in the function's folder; put what is itself one of these into a zip.";
      case 1 ->
          "There is one in "
              + folders.getFirst()
              + ", where nothing is looked for: make the archive in that folder, of what is in it.";
      default ->
          "There are such files in "
              + listed(folders)
              + ", where nothing is looked for: make the archive in the one that is the function's,"
              + " of what is in it.";
    };
  }

  private static List<String> topOf(FunctionArchive archive) {
    return archive.paths().stream()
        .map(path -> path.indexOf('/') < 0 ? path : path.substring(0, path.indexOf('/') + 1))
        .distinct()
        .toList();
  }

  /** For people. */
  private static String listed(List<String> paths) {
    return String.join(", ", paths.subList(0, Math.min(MAX_LISTED, paths.size())))
        + (paths.size() > MAX_LISTED ? ", …" : "");
  }

  /** Refuses a specification that asks for what this runtime cannot do. */
  public void require(FunctionSpec spec) {
    if (spec.entry().isPresent() && !takesEntry) {
      throw ProblemException.ofField(
          ProblemType.INVALID_SPEC,
          "entry",
          "The runtime " + name + " has no use for an entry: leave it out.");
    }
  }

  /** Refuses a transport that this runtime does not speak. */
  void require(EngineSettings.Transport transport) {
    if (!transports.contains(transport)) {
      throw ProblemException.ofField(
          ProblemType.UNKNOWN_RUNTIME,
          "runtime",
          "The runtime "
              + name
              + " does not speak "
              + transport.name().toLowerCase(Locale.ROOT)
              + ", the handler transport of this box; it can do "
              + transports.toString().toLowerCase(Locale.ROOT)
              + " (TINYFAAS_HANDLER_TRANSPORT).");
    }
  }

  /** The command to run for this archive, if any. */
  public Optional<Build> buildFor(FunctionArchive archive) {
    return build
        .filter(b -> b.when().areMetBy(archive))
        .map(
            b ->
                new Build(
                    b.when(),
                    b.command(),
                    b.outbound() && b.outboundWhen().areMetBy(archive),
                    b.outboundWhen()));
  }

  private static ArchiveConditions conditions(String label) {
    return ArchiveConditions.parse(Labels.list(label));
  }
}
