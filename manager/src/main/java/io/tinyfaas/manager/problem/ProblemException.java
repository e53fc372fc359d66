package io.tinyfaas.manager.problem;

import com.github.dockerjava.api.exception.DockerException;
import java.io.IOException;
import java.util.List;
import java.util.Locale;

/**
 * A failure with one clear outcome for the caller: what is wrong, with which field, and the way
 * out. Thrown anywhere below the API, turned into an RFC 9457 problem in one place.
 */
public final class ProblemException extends RuntimeException {

  /** Of what the engine says, in characters. */
  private static final int MAX_LINE = 300;

  private final ProblemType type;
  private final String field;
  private final List<String> output;
  private final int retryAfter;

  private ProblemException(
      ProblemType type, String detail, String field, List<String> output, Throwable cause) {
    this(type, detail, field, output, cause, 0);
  }

  private ProblemException(
      ProblemType type,
      String detail,
      String field,
      List<String> output,
      Throwable cause,
      int retryAfter) {
    super(detail, cause);
    this.retryAfter = retryAfter;
    this.type = type;
    this.field = field;
    this.output = List.copyOf(output);
  }

  /**
   * @param detail a sentence for a person: what is wrong, the limit, and what to do
   */
  public static ProblemException of(ProblemType type, String detail) {
    return new ProblemException(type, detail, "", List.of(), null);
  }

  public static ProblemException of(ProblemType type, String detail, Throwable cause) {
    return new ProblemException(type, detail, "", List.of(), cause);
  }

  /**
   * @param field the field, query parameter or path in the archive that is at fault
   */
  public static ProblemException ofField(ProblemType type, String field, String detail) {
    return new ProblemException(type, detail, field, List.of(), null);
  }

  /**
   * Of what others take all of now: TOO_MANY.
   *
   * @param retryAfter in seconds
   */
  public static ProblemException busy(String detail, int retryAfter) {
    return new ProblemException(ProblemType.TOO_MANY, detail, "", List.of(), null, retryAfter);
  }

  /**
   * @param output the last lines that the build or the handler printed
   */
  public static ProblemException withOutput(ProblemType type, String detail, List<String> output) {
    return new ProblemException(type, detail, "", output, null);
  }

  /**
   * A file of the store could not be read or written.
   *
   * @param doing what failed, such as {@code "storing the archive"}
   */
  public static ProblemException ofDisk(String doing, IOException cause) {
    if (isOfReadOnlyDisk(cause)) {
      return of(
          ProblemType.DISK_FULL,
          "The disk is read-only: "
              + doing
              + " failed and nothing was changed. A system makes a disk read-only when it fails:"
              + " look at the log of the manager's box (dmesg), mend or replace the disk, then"
              + " start the manager anew.",
          cause);
    }
    if (isOfFullDisk(String.valueOf(cause.getMessage()))) {
      return of(
          ProblemType.DISK_FULL,
          "The disk is full: "
              + doing
              + " failed and nothing was changed. Delete functions that are no longer needed, or"
              + " make room on the manager's box, then try again.",
          cause);
    }
    return of(ProblemType.INTERNAL, "The manager's disk failed: " + doing + ".", cause);
  }

  /**
   * What any failure means to the caller. A problem is itself; what the Docker Engine or the way to
   * it did not do is {@code ENGINE_UNAVAILABLE}, or {@code DISK_FULL}; all else is {@code
   * INTERNAL}.
   */
  public static ProblemException ofFailure(RuntimeException failure) {
    if (failure instanceof ProblemException problem) {
      return problem;
    }
    String message = String.valueOf(failure.getMessage());
    if (isOfFullDisk(message)) {
      return of(
          ProblemType.DISK_FULL,
          "The Docker Engine's disk has no space left: remove functions, images or other files,"
              + " then try again.",
          failure);
    }
    if (isOfEngine(failure)) {
      return of(
          ProblemType.ENGINE_UNAVAILABLE,
          "The Docker Engine did not do what was asked: "
              + firstLine(message)
              + ". Nothing was changed; try again once it runs well (docker info).",
          failure);
    }
    return of(ProblemType.INTERNAL, "The manager failed; its log says why.", failure);
  }

  private static boolean isOfEngine(Throwable failure) {
    for (Throwable cause = failure; cause != null; cause = cause.getCause()) {
      if (cause instanceof DockerException || cause instanceof IOException) {
        return true;
      }
    }
    return false;
  }

  private static String firstLine(String message) {
    String line = message.strip().lines().findFirst().orElse("");
    return line.length() > MAX_LINE ? line.substring(0, MAX_LINE) : line;
  }

  /**
   * @param message of this process' own or of the engine, which writes it in lower case
   */
  public static boolean isOfFullDisk(String message) {
    String reason = message.toLowerCase(Locale.ROOT);
    return reason.contains("no space left on device") || reason.contains("disk quota exceeded");
  }

  public static boolean isOfReadOnlyDisk(IOException failure) {
    return String.valueOf(failure.getMessage()).contains("Read-only file system");
  }

  public ProblemType type() {
    return type;
  }

  /** Empty where no single field is at fault. */
  public String field() {
    return field;
  }

  /** In how many seconds to try again; 0 where the type says so, or it would be of no use. */
  public int retryAfter() {
    return retryAfter;
  }

  /** Empty where nothing was printed. */
  public List<String> output() {
    return output;
  }
}
