package io.tinyfaas.manager.archive;

/**
 * One regular file of a checked archive.
 *
 * @param path where it goes, relative, with {@code /}
 * @param folderAround what of its name is in front of its path: empty, or the folder around
 *     everything and a slash
 * @param header where in the zip its own header is, by which it is found again
 * @param executable whether its owner may run it, or it is a program
 * @param size in bytes, as counted
 * @param sha256 of its bytes
 */
record ArchiveFile(
    String path, String folderAround, long header, boolean executable, long size, byte[] sha256) {

  ArchiveFile withoutFirstFolder() {
    int below = path.indexOf('/') + 1;
    return new ArchiveFile(
        path.substring(below),
        folderAround + path.substring(0, below),
        header,
        executable,
        size,
        sha256);
  }
}
