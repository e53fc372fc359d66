package io.tinyfaas.manager.archive;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.util.Arrays;
import java.util.function.Consumer;
import org.apache.commons.compress.archivers.zip.Zip64Mode;
import org.apache.commons.compress.archivers.zip.ZipArchiveEntry;
import org.apache.commons.compress.archivers.zip.ZipArchiveOutputStream;

/** Builds zips, good and bad ones. */
final class ZipBytes {

  private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();
  private final ZipArchiveOutputStream zip = new ZipArchiveOutputStream(bytes);

  ZipBytes file(String name, String content) {
    return entry(name, content.getBytes(UTF_8), entry -> entry.setUnixMode(0100644));
  }

  ZipBytes executable(String name, String content) {
    return entry(name, content.getBytes(UTF_8), entry -> entry.setUnixMode(0100755));
  }

  ZipBytes folder(String name) {
    return entry(name, new byte[0], entry -> entry.setUnixMode(0040755));
  }

  ZipBytes entry(String name, byte[] content, Consumer<ZipArchiveEntry> change) {
    try {
      ZipArchiveEntry entry = new ZipArchiveEntry(name);
      change.accept(entry);
      zip.putArchiveEntry(entry);
      zip.write(content);
      zip.closeArchiveEntry();
      return this;
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }

  /** An entry of which only the deflated bytes are true. */
  ZipBytes raw(String name, byte[] deflated, long size) {
    try {
      ZipArchiveEntry entry = new ZipArchiveEntry(name);
      entry.setMethod(ZipArchiveEntry.DEFLATED);
      entry.setSize(size);
      entry.setCompressedSize(deflated.length);
      entry.setCrc(1);
      zip.addRawArchiveEntry(entry, new ByteArrayInputStream(deflated));
      return this;
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }

  ZipBytes with64Bits() {
    zip.setUseZip64(Zip64Mode.Always);
    return this;
  }

  /** So that names in extra fields count. */
  ZipBytes withoutUtf8Flag() {
    zip.setUseLanguageEncodingFlag(false);
    return this;
  }

  /** As tools of Windows do: names in the box's old encoding, and in an extra field as they are. */
  ZipBytes inCodePage437() {
    zip.setEncoding("IBM437");
    zip.setUseLanguageEncodingFlag(false);
    zip.setCreateUnicodeExtraFields(ZipArchiveOutputStream.UnicodeExtraFieldPolicy.ALWAYS);
    return this;
  }

  /**
   * In place of characters that commons-compress would not write as they are.
   *
   * @param to as long as the other
   */
  static void replace(byte[] bytes, String from, String to) {
    byte[] wanted = from.getBytes(UTF_8);
    byte[] replacement = to.getBytes(UTF_8);
    for (int at = 0; at + wanted.length <= bytes.length; at++) {
      if (Arrays.equals(bytes, at, at + wanted.length, wanted, 0, wanted.length)) {
        System.arraycopy(replacement, 0, bytes, at, replacement.length);
      }
    }
  }

  byte[] bytes() {
    try {
      zip.close();
      return bytes.toByteArray();
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }
}
