package io.tinyfaas.endtoend;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.Random;
import java.util.stream.Stream;
import java.util.zip.CRC32;
import java.util.zip.Deflater;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import org.apache.commons.compress.archivers.zip.ZipArchiveEntry;
import org.apache.commons.compress.archivers.zip.ZipArchiveOutputStream;

/** Zips of functions, and such as nobody should send. */
final class Archives {

  private static final byte[] CODE =
      "module.exports = (req, res) => res.send('bad');".getBytes(UTF_8);
  private static final int SYMBOLIC_LINK = 0120777;
  private static final int MEBIBYTE = 1 << 20;

  private Archives() {}

  /** A zip of these files, by path. */
  static byte[] of(Map<String, byte[]> files) {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (ZipOutputStream zip = new ZipOutputStream(bytes)) {
      for (Map.Entry<String, byte[]> file : files.entrySet()) {
        zip.putNextEntry(new ZipEntry(file.getKey()));
        zip.write(file.getValue());
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return bytes.toByteArray();
  }

  /** A zip of a folder of this repository, such as {@code examples/sieve-node}. */
  static byte[] ofFolder(String folder) {
    Path root = Checkout.path().resolve(folder);
    Map<String, byte[]> files = new HashMap<>();
    try (Stream<Path> paths = Files.walk(root)) {
      for (Path path : paths.filter(Files::isRegularFile).toList()) {
        files.put(root.relativize(path).toString(), Files.readAllBytes(path));
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return of(files);
  }

  private interface Content {
    void writeTo(ZipArchiveOutputStream zip) throws IOException;
  }

  private static byte[] zip(Content content) {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (ZipArchiveOutputStream zip = new ZipArchiveOutputStream(bytes)) {
      add(zip, new ZipArchiveEntry("index.js"), CODE);
      content.writeTo(zip);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return bytes.toByteArray();
  }

  private static void add(ZipArchiveOutputStream zip, ZipArchiveEntry entry, byte[] content)
      throws IOException {
    zip.putArchiveEntry(entry);
    zip.write(content);
    zip.closeArchiveEntry();
  }

  /** A function and a file of this name. */
  static byte[] withEntry(String name) {
    return zip(zip -> add(zip, new ZipArchiveEntry(name), "x".getBytes(UTF_8)));
  }

  static byte[] withSymbolicLink(String name, String target) {
    return zip(
        zip -> {
          ZipArchiveEntry link = new ZipArchiveEntry(name);
          link.setUnixMode(SYMBOLIC_LINK);
          add(zip, link, target.getBytes(UTF_8));
        });
  }

  /** A function and so many empty files. */
  static byte[] withEntries(int count) {
    return zip(
        zip -> {
          for (int n = 0; n < count; n++) {
            ZipArchiveEntry entry = new ZipArchiveEntry("file" + n);
            entry.setMethod(ZipArchiveEntry.STORED);
            entry.setSize(0);
            entry.setCrc(0);
            add(zip, entry, new byte[0]);
          }
        });
  }

  /**
   * Zeros, compressed to a thousandth. Deflated once, a MiB on its own, and repeated: the pieces of
   * a deflate stream may be put together where they end on a byte.
   */
  static byte[] bomb(int gibibytes) {
    Deflater deflater = new Deflater(Deflater.BEST_COMPRESSION, true);
    byte[] zeros = new byte[MEBIBYTE];
    byte[] buffer = new byte[64 * 1024];
    deflater.setInput(zeros);
    int piece = deflater.deflate(buffer, 0, buffer.length, Deflater.FULL_FLUSH);
    int count = gibibytes * 1024;
    ByteArrayOutputStream compressed = new ByteArrayOutputStream();
    CRC32 crc = new CRC32();
    for (int n = 0; n < count; n++) {
      compressed.write(buffer, 0, piece);
      crc.update(zeros);
    }
    deflater.reset();
    deflater.finish();
    compressed.write(buffer, 0, deflater.deflate(buffer));
    deflater.end();
    return zip(
        zip -> {
          ZipArchiveEntry entry = new ZipArchiveEntry("zeros");
          entry.setMethod(ZipArchiveEntry.DEFLATED);
          entry.setSize((long) count * MEBIBYTE);
          entry.setCompressedSize(compressed.size());
          entry.setCrc(crc.getValue());
          zip.addRawArchiveEntry(entry, new ByteArrayInputStream(compressed.toByteArray()));
        });
  }

  /** A bit of a file has turned on the way. */
  static byte[] withWrongChecksum() {
    byte[] content = new byte[100];
    byte[] archive =
        zip(
            zip -> {
              ZipArchiveEntry entry = new ZipArchiveEntry("data");
              CRC32 crc = new CRC32();
              crc.update(content);
              entry.setMethod(ZipArchiveEntry.STORED);
              entry.setSize(content.length);
              entry.setCrc(crc.getValue() ^ 1);
              zip.addRawArchiveEntry(entry, new ByteArrayInputStream(content));
            });
    return archive;
  }

  /** One that does not compress. */
  static byte[] ofSize(int bytes) {
    byte[] content = new byte[bytes];
    new Random(bytes).nextBytes(content);
    return zip(
        zip -> {
          ZipArchiveEntry entry = new ZipArchiveEntry("data");
          CRC32 crc = new CRC32();
          crc.update(content);
          entry.setMethod(ZipArchiveEntry.STORED);
          entry.setSize(content.length);
          entry.setCrc(crc.getValue());
          add(zip, entry, content);
        });
  }

  static byte[] cutShort() {
    byte[] whole = ofSize(1_000);
    return java.util.Arrays.copyOf(whole, whole.length - 100);
  }
}
