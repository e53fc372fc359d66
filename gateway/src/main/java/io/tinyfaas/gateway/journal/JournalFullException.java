package io.tinyfaas.gateway.journal;

import java.io.IOException;

/** A batch has no room: live records are as many bytes as they may be, or too much waits. */
public final class JournalFullException extends IOException {

  private static final long serialVersionUID = 1;

  JournalFullException(String message) {
    super(message);
  }
}
