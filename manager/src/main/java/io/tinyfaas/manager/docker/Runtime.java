package io.tinyfaas.manager.docker;

import io.tinyfaas.manager.problem.ProblemException;
import io.tinyfaas.manager.problem.ProblemType;
import java.nio.file.FileSystems;
import java.nio.file.Path;
import java.nio.file.PathMatcher;
import java.util.Arrays;
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
 * @param check the archive must have a path that matches one of these; all do if there is none
 */
public record Runtime(
    String name,
    List<String> aliases,
    String image,
    Set<EngineSettings.Transport> transports,
    List<String> check,
    Optional<Build> build) {

  /**
   * @param when the command runs only if the archive has a path that matches one of these globs
   * @param outbound whether it may fetch from the internet
   * @param outboundWhen it may only if the archive has a path that matches one of these; in any
   *     case if there is none
   */
  record Build(List<String> when, String command, boolean outbound, List<String> outboundWhen) {}

  static Runtime describedBy(String image, Map<String, String> labels) {
    return new Runtime(
        labels.get(Labels.RUNTIME),
        list(labels.get(Labels.RUNTIME_ALIASES)),
        image,
        list(labels.getOrDefault(Labels.RUNTIME_TRANSPORTS, "unix,tcp")).stream()
            .map(t -> EngineSettings.Transport.valueOf(t.toUpperCase(Locale.ROOT)))
            .collect(Collectors.toUnmodifiableSet()),
        list(labels.get(Labels.RUNTIME_CHECK)),
        Optional.ofNullable(labels.get(Labels.BUILD_COMMAND))
            .filter(command -> !command.isBlank())
            .map(
                command ->
                    new Build(
                        list(labels.get(Labels.BUILD_WHEN)),
                        command,
                        "outbound".equals(labels.get(Labels.BUILD_NETWORK)),
                        list(labels.get(Labels.BUILD_NETWORK_WHEN)))));
  }

  boolean isCalled(String asked) {
    return name.equals(asked) || aliases.contains(asked);
  }

  /** Refuses an archive that this runtime cannot run, before anything is built. */
  public void require(List<String> paths) {
    if (!allows(check, paths)) {
      throw ProblemException.ofField(
          ProblemType.INVALID_ARCHIVE,
          "archive",
          "The archive has no file that the runtime "
              + name
              + " can run: it needs one of "
              + String.join(", ", check)
              + ".");
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

  /** The command to run for an archive of these paths, if any. */
  Optional<Build> buildFor(List<String> paths) {
    return build
        .filter(b -> allows(b.when(), paths))
        .map(
            b ->
                new Build(
                    b.when(),
                    b.command(),
                    b.outbound() && allows(b.outboundWhen(), paths),
                    b.outboundWhen()));
  }

  private static boolean allows(List<String> globs, List<String> paths) {
    return globs.isEmpty() || globs.stream().anyMatch(glob -> matches(glob, paths));
  }

  private static boolean matches(String glob, List<String> paths) {
    PathMatcher matcher = FileSystems.getDefault().getPathMatcher("glob:" + glob);
    return paths.stream().anyMatch(path -> matcher.matches(Path.of(path)));
  }

  static List<String> list(String commaSeparated) {
    return commaSeparated == null
        ? List.of()
        : Arrays.stream(commaSeparated.split(","))
            .map(String::strip)
            .filter(s -> !s.isEmpty())
            .toList();
  }
}
