package io.tinyfaas.manager.store;

import io.tinyfaas.contract.route.FunctionName;
import io.tinyfaas.manager.spec.FunctionSpec;
import java.time.Instant;

/**
 * One immutable version of a function: what it is and how it runs.
 *
 * @param number from 1, never used twice for a function as long as it exists
 * @param archiveDigest SHA-256 of the archive's files (paths, modes, bytes) and empty folders, 64
 *     hex digits; versions with the same digest share an image
 * @param created when it was accepted
 */
public record FunctionVersion(
    FunctionName function, int number, FunctionSpec spec, String archiveDigest, Instant created) {

  /** Whether the other one is the same with another number of handlers. */
  boolean isScaled(FunctionVersion other) {
    return archiveDigest.equals(other.archiveDigest)
        && spec.withHandlers(other.spec.handlers()).equals(other.spec);
  }
}
