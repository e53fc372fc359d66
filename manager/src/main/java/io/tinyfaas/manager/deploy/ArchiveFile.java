package io.tinyfaas.manager.deploy;

/**
 * One regular file of a checked archive.
 *
 * @param path where it goes, relative, with {@code /}
 * @param entry its name in the zip
 * @param executable whether its owner may run it, or it is a program
 * @param size in bytes, as counted
 * @param sha256 of its bytes
 */
record ArchiveFile(String path, String entry, boolean executable, long size, byte[] sha256) {

  /**
   * What of its name is in front of its path: empty, or the folder around everything and a slash.
   */
  String folderAround() {
    String name = ArchiveCheck.withoutDot(entry);
    return name.substring(0, name.length() - path.length());
  }

  ArchiveFile withoutFirstFolder() {
    return new ArchiveFile(path.substring(path.indexOf('/') + 1), entry, executable, size, sha256);
  }
}
