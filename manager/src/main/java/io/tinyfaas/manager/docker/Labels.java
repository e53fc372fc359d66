package io.tinyfaas.manager.docker;

import io.tinyfaas.contract.route.FunctionName;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** How this installation knows its own among all that an engine holds. */
final class Labels {

  static final String INSTANCE = "tinyfaas.instance";
  static final String FUNCTION = "tinyfaas.function";

  /** Of a container or image: which part it plays. */
  static final String ROLE = "tinyfaas.role";

  static final String HANDLER = "tinyfaas.handler";

  static final String ENDPOINT = "tinyfaas.endpoint";

  /** Of a handler: everything that makes one container different from another, hashed. */
  static final String FINGERPRINT = "tinyfaas.fingerprint";

  static final String RUNTIME = "tinyfaas.runtime";
  static final String RUNTIME_ALIASES = "tinyfaas.runtime.aliases";
  static final String RUNTIME_TRANSPORTS = "tinyfaas.runtime.transports";
  static final String RUNTIME_CHECK = "tinyfaas.runtime.check";
  static final String RUNTIME_ENTRY = "tinyfaas.runtime.entry";
  static final String BUILD_WHEN = "tinyfaas.runtime.build.when";
  static final String BUILD_COMMAND = "tinyfaas.runtime.build.command";
  static final String BUILD_NETWORK = "tinyfaas.runtime.build.network";
  static final String BUILD_NETWORK_WHEN = "tinyfaas.runtime.build.network.when";

  /** Of a runtime in a folder: others of whose files its image is made, too. */
  static final String RUNTIME_FOLDERS = "tinyfaas.runtime.folders";

  /** Of a runtime in a folder: make builds it, too. */
  static final String RUNTIME_AHEAD = "tinyfaas.runtime.ahead";

  /** Of a runtime that the manager has built: the folder's digest. */
  static final String RUNTIME_DIGEST = "tinyfaas.runtime.digest";

  /** Of an image that was built here: by whom. What make removes once another has its name. */
  static final String BUILT = "tinyfaas.built";

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

  static Map<String, String> of(String instance, FunctionName function, String role) {
    return Map.of(INSTANCE, instance, FUNCTION, function.value(), ROLE, role);
  }

  /**
   * For what is made from an image: with those that it must not inherit, emptied, since they cannot
   * be taken away. Compose would count it among its own, and {@code docker compose down
   * --remove-orphans} remove it; a function's image could pass for a runtime's.
   */
  static Map<String, String> ownOnly(Map<String, String> own) {
    Map<String, String> labels = new HashMap<>(own);
    INHERITED.forEach(label -> labels.put(label, ""));
    return labels;
  }
}
