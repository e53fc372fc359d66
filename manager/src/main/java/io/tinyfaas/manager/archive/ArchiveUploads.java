package io.tinyfaas.manager.archive;

import static io.tinyfaas.manager.problem.ProblemType.TOO_MANY;

import io.tinyfaas.manager.problem.ProblemException;
import io.tinyfaas.manager.store.StoreFolder;
import jakarta.inject.Singleton;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;

/** Receives archives, a few at a time, whichever call they come by. */
@Singleton
public class ArchiveUploads {

  /** Archives that are received and checked at the same time; more wait a while. */
  private static final int AT_ONCE = 8;

  private static final int WAIT_SECONDS = 30;

  private final StoreFolder folder;
  private final ArchiveLimits limits;
  private final Semaphore uploads = new Semaphore(AT_ONCE);

  ArchiveUploads(StoreFolder folder, ArchiveLimits limits) {
    this.folder = folder;
    this.limits = limits;
  }

  /**
   * @param subfolder of the zip, or empty for all of it
   * @return which the caller closes
   * @throws ProblemException as {@link FunctionArchive#receive} does, or TOO_MANY
   */
  public FunctionArchive receive(FunctionArchive.Upload upload, String subfolder) {
    try {
      if (!uploads.tryAcquire(WAIT_SECONDS, TimeUnit.SECONDS)) {
        throw ProblemException.of(
            TOO_MANY, AT_ONCE + " other archives are being received: try again in a minute.");
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("interrupted while waiting to receive an archive", e);
    }
    try {
      return FunctionArchive.receive(upload, subfolder, folder.uploads(), limits);
    } finally {
      uploads.release();
    }
  }
}
