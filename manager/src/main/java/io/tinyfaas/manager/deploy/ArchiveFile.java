package io.tinyfaas.manager.deploy;

/**
 * One regular file of a checked archive.
 *
 * @param path where it goes, relative, with {@code /}
 * @param entry its name in the zip
 * @param executable whether its owner may run it
 * @param size in bytes, as counted
 * @param sha256 of its bytes
 */
record ArchiveFile(String path, String entry, boolean executable, long size, byte[] sha256) {

  ArchiveFile withoutFirstFolder() {
    return new ArchiveFile(path.substring(path.indexOf('/') + 1), entry, executable, size, sha256);
  }
}
