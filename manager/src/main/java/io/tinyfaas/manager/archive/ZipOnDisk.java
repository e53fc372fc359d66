package io.tinyfaas.manager.archive;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.SeekableByteChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/**
 * A zip that is read or written: remembers how the disk failed. Of a damaged zip, those who read it
 * throw {@link IOException}, too.
 */
final class ZipOnDisk implements SeekableByteChannel {

  private final SeekableByteChannel file;
  private IOException failure;

  ZipOnDisk(SeekableByteChannel file) {
    this.file = file;
  }

  static ZipOnDisk open(Path zip) throws IOException {
    return new ZipOnDisk(Files.newByteChannel(zip, StandardOpenOption.READ));
  }

  /** In the place of an empty file. */
  static ZipOnDisk write(Path zip) throws IOException {
    return new ZipOnDisk(Files.newByteChannel(zip, StandardOpenOption.WRITE));
  }

  /** Before anything else is said of an exception. */
  void throwFailure() throws IOException {
    if (failure != null) {
      throw failure;
    }
  }

  private interface Access<T> {
    T get() throws IOException;
  }

  private <T> T remembered(Access<T> access) throws IOException {
    try {
      return access.get();
    } catch (IOException e) {
      failure = e;
      throw e;
    }
  }

  @Override
  public int read(ByteBuffer bytes) throws IOException {
    return remembered(() -> file.read(bytes));
  }

  @Override
  public long position() throws IOException {
    return remembered(file::position);
  }

  @Override
  public ZipOnDisk position(long position) throws IOException {
    remembered(() -> file.position(position));
    return this;
  }

  @Override
  public long size() throws IOException {
    return remembered(file::size);
  }

  @Override
  public int write(ByteBuffer bytes) throws IOException {
    return remembered(() -> file.write(bytes));
  }

  @Override
  public ZipOnDisk truncate(long size) throws IOException {
    remembered(() -> file.truncate(size));
    return this;
  }

  @Override
  public boolean isOpen() {
    return file.isOpen();
  }

  @Override
  public void close() throws IOException {
    file.close();
  }
}
