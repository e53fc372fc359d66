package io.tinyfaas.manager.archive;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.List;

/**
 * What a checked archive holds.
 *
 * @param files at least one, sorted by path
 * @param emptyFolders paths of folders in which there is nothing, sorted
 */
record ArchiveContent(List<ArchiveFile> files, List<String> emptyFolders) {

  ArchiveContent {
    files = List.copyOf(files);
    emptyFolders = List.copyOf(emptyFolders);
  }

  /** SHA-256 over the files' paths, executable bits and bytes, and the empty folders. */
  String digest() {
    MessageDigest sha256 = sha256();
    for (ArchiveFile file : files) {
      String line = (file.executable() ? "x " : "- ") + file.path() + '\0';
      sha256.update(line.getBytes(UTF_8));
      sha256.update(file.sha256());
    }
    for (String folder : emptyFolders) {
      sha256.update(("d " + folder + '\0').getBytes(UTF_8));
    }
    return HexFormat.of().formatHex(sha256.digest());
  }

  static MessageDigest sha256() {
    try {
      return MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException(e);
    }
  }
}
