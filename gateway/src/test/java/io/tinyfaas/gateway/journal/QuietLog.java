package io.tinyfaas.gateway.journal;

import java.util.logging.Level;
import java.util.logging.Logger;
import org.junit.jupiter.api.extension.AfterAllCallback;
import org.junit.jupiter.api.extension.BeforeAllCallback;
import org.junit.jupiter.api.extension.ExtensionContext;

/** For cases whose disks fail thousands of times, which the journal would say. */
final class QuietLog implements BeforeAllCallback, AfterAllCallback {

  private final Logger log = Logger.getLogger(QuietLog.class.getPackageName());
  private final Level usual = log.getLevel();

  @Override
  public void beforeAll(ExtensionContext context) {
    log.setLevel(Level.OFF);
  }

  @Override
  public void afterAll(ExtensionContext context) {
    log.setLevel(usual);
  }
}
