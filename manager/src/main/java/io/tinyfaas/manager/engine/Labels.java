package io.tinyfaas.manager.engine;

import io.tinyfaas.contract.route.FunctionName;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** How this installation knows its own among all that an engine holds. */
public final class Labels {

  public static final String INSTANCE = "tinyfaas.instance";
  public static final String FUNCTION = "tinyfaas.function";

  /** Of a container or image: which part it plays. */
  public static final String ROLE = "tinyfaas.role";

  public static final String HANDLER = "tinyfaas.handler";

  public static final String ENDPOINT = "tinyfaas.endpoint";

  /** Of a handler: everything that makes one container different from another, hashed. */
  public static final String FINGERPRINT = "tinyfaas.fingerprint";

  public static final String RUNTIME = "tinyfaas.runtime";
  public static final String RUNTIME_ALIASES = "tinyfaas.runtime.aliases";
  public static final String RUNTIME_TRANSPORTS = "tinyfaas.runtime.transports";
  public static final String RUNTIME_CHECK = "tinyfaas.runtime.check";
  public static final String RUNTIME_ENTRY = "tinyfaas.runtime.entry";
  public static final String BUILD_WHEN = "tinyfaas.runtime.build.when";
  public static final String BUILD_COMMAND = "tinyfaas.runtime.build.command";
  public static final String BUILD_NETWORK = "tinyfaas.runtime.build.network";
  public static final String BUILD_NETWORK_WHEN = "tinyfaas.runtime.build.network.when";

  /** Of a runtime in a folder: others of whose files its image is made, too. */
  public static final String RUNTIME_FOLDERS = "tinyfaas.runtime.folders";

  /** Of a runtime in a folder: make builds it, too. */
  static final String RUNTIME_AHEAD = "tinyfaas.runtime.ahead";

  /** Of a runtime that the manager has built: the folder's digest. */
  public static final String RUNTIME_DIGEST = "tinyfaas.runtime.digest";

  /** Of an image that was built here: by whom. What make removes once another has its name. */
  public static final String BUILT = "tinyfaas.built";

  /**
   * What Compose writes into the images that it builds, and what says that an image is a runtime's:
   * every container of them inherits it, and what is made of that.
   */
  private static final List<String> INHERITED =
      List.of(
          "com.docker.compose.project",
          "com.docker.compose.service",
          "com.docker.compose.version",
          BUILT,
          RUNTIME,
          RUNTIME_ALIASES,
          RUNTIME_TRANSPORTS,
          RUNTIME_CHECK,
          RUNTIME_ENTRY,
          RUNTIME_FOLDERS,
          RUNTIME_DIGEST,
          RUNTIME_AHEAD,
          BUILD_WHEN,
          BUILD_COMMAND,
          BUILD_NETWORK,
          BUILD_NETWORK_WHEN);

  private Labels() {}

  public static Map<String, String> of(String instance, FunctionName function, String role) {
    return Map.of(INSTANCE, instance, FUNCTION, function.value(), ROLE, role);
  }

  /**
   * For what is made from an image: with those that it must not inherit, emptied, since they cannot
   * be taken away. Compose would count it among its own, and {@code docker compose down
   * --remove-orphans} remove it; a function's image could pass for a runtime's.
   */
  public static Map<String, String> ownOnly(Map<String, String> own) {
    Map<String, String> labels = new HashMap<>(own);
    INHERITED.forEach(label -> labels.put(label, ""));
    return labels;
  }

  public static List<String> list(String commaSeparated) {
    return commaSeparated == null
        ? List.of()
        : Arrays.stream(commaSeparated.split(","))
            .map(String::strip)
            .filter(s -> !s.isEmpty())
            .toList();
  }
}
