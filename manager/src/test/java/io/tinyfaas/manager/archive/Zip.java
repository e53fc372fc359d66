package io.tinyfaas.manager.archive;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Map;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;

/** Functions as people upload them. */
public final class Zip {

  private Zip() {}

  /** A Node function of this text. */
  public static FunctionArchive node(String code) {
    return of(Map.of("index.js", code));
  }

  /** A Node function that answers with this text. */
  public static FunctionArchive saying(String answer) {
    return node("module.exports = (req, res) => res.send('" + answer + "')");
  }

  public static FunctionArchive of(Map<String, String> files) {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (ZipOutputStream zip = new ZipOutputStream(bytes)) {
      for (Map.Entry<String, String> file : files.entrySet()) {
        zip.putNextEntry(new ZipEntry(file.getKey()));
        zip.write(file.getValue().getBytes(StandardCharsets.UTF_8));
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return FunctionArchive.receive(
        new ByteArrayInputStream(bytes.toByteArray()),
        Path.of(System.getProperty("java.io.tmpdir")),
        new ArchiveLimits(1 << 20, 4 << 20, 100));
  }
}
