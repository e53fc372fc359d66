package io.tinyfaas.manager.archive;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.zip.CRC32;
import org.apache.commons.compress.archivers.zip.UnicodePathExtraField;
import org.apache.commons.compress.archivers.zip.ZipArchiveEntry;
import org.apache.commons.compress.archivers.zip.ZipFile;

/**
 * Where the entries of a zip go, as the tools mean it that make zips: {@code ./a} and {@code /a}
 * are {@code a}, a zip of Windows may have backslashes between folders, and a name that is not in
 * UTF-8 may be there once more that is. What comes of it is not checked.
 */
final class ArchiveNames {

  /** Systems on which a backslash is no character of a name (APPNOTE, 4.4.2.2). */
  private static final List<Integer> WINDOWS = List.of(0, 10, 14);

  private final boolean withBackslashes;

  private ArchiveNames(boolean withBackslashes) {
    this.withBackslashes = withBackslashes;
  }

  static ArchiveNames of(ZipFile zip) {
    return new ArchiveNames(
        Collections.list(zip.getEntries()).stream()
            .map(ArchiveNames::written)
            .noneMatch(name -> name.indexOf('/') >= 0));
  }

  /**
   * Relative, with {@code /} between folders and at the end of one; empty for the folder that was
   * packed. What is not UTF-8 in it is replaced.
   */
  String path(ZipArchiveEntry entry) {
    String name = written(entry);
    if (withBackslashes || WINDOWS.contains(entry.getPlatform())) {
      name = name.replace('\\', '/');
    }
    int start = 0;
    while (name.startsWith("/", start) || name.startsWith("./", start)) {
      start += name.charAt(start) == '/' ? 1 : 2;
    }
    return name.substring(start);
  }

  /** Whether its name is in UTF-8. */
  static boolean isReadable(ZipArchiveEntry entry) {
    try {
      UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes(entry)));
      return true;
    } catch (CharacterCodingException e) {
      return false;
    }
  }

  private static String written(ZipArchiveEntry entry) {
    return new String(bytes(entry), UTF_8);
  }

  private static byte[] bytes(ZipArchiveEntry entry) {
    return unicode(entry).orElseGet(entry::getRawName);
  }

  /** The name in the extra field that is for those that are not in UTF-8 (APPNOTE, 4.6.9). */
  private static Optional<byte[]> unicode(ZipArchiveEntry entry) {
    if (entry.getGeneralPurposeBit().usesUTF8ForNames()
        || !(entry.getExtraField(UnicodePathExtraField.UPATH_ID)
            instanceof UnicodePathExtraField field)) {
      return Optional.empty();
    }
    // It is of another name where a tool that does not know it has renamed the entry.
    CRC32 crc = new CRC32();
    crc.update(entry.getRawName());
    return crc.getValue() == field.getNameCRC32()
        ? Optional.of(field.getUnicodeName())
        : Optional.empty();
  }
}
