package io.tinyfaas.endtoend;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** This repository. Maven runs the tests in the folder of their module. */
final class Checkout {

  private static final Path PATH = Path.of("..").toAbsolutePath().normalize();

  private Checkout() {}

  static Path path() {
    return PATH;
  }

  /** A file, such as {@code compose/compose.yaml}. */
  static byte[] read(String file) {
    try {
      return Files.readAllBytes(PATH.resolve(file));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
