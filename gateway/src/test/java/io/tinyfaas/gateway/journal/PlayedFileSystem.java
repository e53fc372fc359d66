package io.tinyfaas.gateway.journal;

import java.io.IOException;
import java.net.URI;
import java.nio.ByteBuffer;
import java.nio.MappedByteBuffer;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.ReadableByteChannel;
import java.nio.channels.SeekableByteChannel;
import java.nio.channels.WritableByteChannel;
import java.nio.file.AccessMode;
import java.nio.file.CopyOption;
import java.nio.file.DirectoryStream;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileStore;
import java.nio.file.FileSystem;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.OpenOption;
import java.nio.file.Path;
import java.nio.file.PathMatcher;
import java.nio.file.StandardOpenOption;
import java.nio.file.WatchEvent;
import java.nio.file.WatchKey;
import java.nio.file.WatchService;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.FileAttributeView;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.UserPrincipalLookupService;
import java.nio.file.spi.FileSystemProvider;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** The one folder of a {@link PlayedDisk}, for code that knows paths and channels of the JDK. */
final class PlayedFileSystem extends FileSystem {

  private final PlayedDisk disk;
  private final Provider provider = new Provider();

  PlayedFileSystem(PlayedDisk disk) {
    this.disk = disk;
  }

  Path folder() {
    return new Name("");
  }

  private static UnsupportedOperationException unsupported() {
    return new UnsupportedOperationException("Not played");
  }

  private final class Channel extends FileChannel {

    private final PlayedDisk.Content content;
    private final int life = disk.life();
    private int position;

    /**
     * @param content null: it is the folder
     */
    Channel(PlayedDisk.Content content) {
      this.content = content;
    }

    private void requireOpen() throws IOException {
      if (!isOpen()) {
        throw new ClosedChannelException();
      }
    }

    @Override
    public int read(ByteBuffer into, long at) throws IOException {
      requireOpen();
      byte[] bytes = new byte[into.remaining()];
      int read = disk.read(content, (int) at, bytes, life);
      if (read > 0) {
        into.put(bytes, 0, read);
      }
      return read;
    }

    @Override
    public int write(ByteBuffer from, long at) throws IOException {
      requireOpen();
      byte[] bytes = new byte[from.remaining()];
      from.get(bytes);
      disk.write(content, (int) at, bytes, life);
      return bytes.length;
    }

    @Override
    public int write(ByteBuffer from) throws IOException {
      int written = write(from, position);
      position += written;
      return written;
    }

    @Override
    public void force(boolean metaData) throws IOException {
      requireOpen();
      if (content == null) {
        disk.syncNames(life);
      } else {
        disk.sync(content, life);
      }
    }

    @Override
    public long size() throws IOException {
      requireOpen();
      return disk.size(content, life);
    }

    @Override
    public FileChannel truncate(long size) throws IOException {
      requireOpen();
      disk.truncate(content, (int) size, life);
      return this;
    }

    @Override
    public FileLock tryLock(long at, long size, boolean shared) {
      return new FileLock(this, at, size, shared) {
        @Override
        public boolean isValid() {
          return true;
        }

        @Override
        public void release() {}
      };
    }

    @Override
    protected void implCloseChannel() {}

    @Override
    public int read(ByteBuffer into) {
      throw unsupported();
    }

    @Override
    public long read(ByteBuffer[] into, int offset, int length) {
      throw unsupported();
    }

    @Override
    public long write(ByteBuffer[] from, int offset, int length) {
      throw unsupported();
    }

    @Override
    public long position() {
      return position;
    }

    @Override
    public FileChannel position(long at) {
      throw unsupported();
    }

    @Override
    public long transferTo(long at, long count, WritableByteChannel target) {
      throw unsupported();
    }

    @Override
    public long transferFrom(ReadableByteChannel source, long at, long count) {
      throw unsupported();
    }

    @Override
    public MappedByteBuffer map(MapMode mode, long at, long size) {
      throw unsupported();
    }

    @Override
    public FileLock lock(long at, long size, boolean shared) {
      throw unsupported();
    }
  }

  private final class Provider extends FileSystemProvider {

    @Override
    public FileChannel newFileChannel(
        Path path, Set<? extends OpenOption> options, FileAttribute<?>... attributes)
        throws IOException {
      String name = path.toString();
      if (name.isEmpty()) {
        return new Channel(null);
      }
      boolean creates =
          options.contains(StandardOpenOption.CREATE_NEW)
              || options.contains(StandardOpenOption.CREATE) && disk.find(name) == null;
      Channel channel = new Channel(creates ? disk.create(name) : disk.open(name));
      if (options.contains(StandardOpenOption.TRUNCATE_EXISTING)) {
        channel.truncate(0);
      }
      return channel;
    }

    @Override
    public DirectoryStream<Path> newDirectoryStream(
        Path folder, DirectoryStream.Filter<? super Path> filter) throws IOException {
      List<Path> paths = disk.list().stream().<Path>map(Name::new).toList();
      return new DirectoryStream<>() {
        @Override
        public Iterator<Path> iterator() {
          return paths.iterator();
        }

        @Override
        public void close() {}
      };
    }

    @Override
    public void createDirectory(Path folder, FileAttribute<?>... attributes) throws IOException {
      throw new FileAlreadyExistsException(folder.toString());
    }

    @Override
    public void delete(Path path) throws IOException {
      disk.delete(path.toString());
    }

    @Override
    public void checkAccess(Path path, AccessMode... modes) throws IOException {
      if (!path.toString().isEmpty() && disk.find(path.toString()) == null) {
        throw new NoSuchFileException(path.toString());
      }
    }

    @Override
    public <A extends BasicFileAttributes> A readAttributes(
        Path path, Class<A> type, LinkOption... options) throws IOException {
      checkAccess(path);
      PlayedDisk.Content content = disk.find(path.toString());
      return type.cast(new Attributes(content == null ? -1 : disk.size(content, disk.life())));
    }

    @Override
    public String getScheme() {
      return "played";
    }

    @Override
    public boolean isHidden(Path path) {
      return false;
    }

    @Override
    public boolean isSameFile(Path one, Path other) {
      return one.equals(other);
    }

    @Override
    public FileSystem newFileSystem(URI uri, Map<String, ?> settings) {
      throw unsupported();
    }

    @Override
    public FileSystem getFileSystem(URI uri) {
      throw unsupported();
    }

    @Override
    public Path getPath(URI uri) {
      throw unsupported();
    }

    @Override
    public SeekableByteChannel newByteChannel(
        Path path, Set<? extends OpenOption> options, FileAttribute<?>... attributes) {
      throw unsupported();
    }

    @Override
    public void copy(Path from, Path to, CopyOption... options) {
      throw unsupported();
    }

    @Override
    public void move(Path from, Path to, CopyOption... options) {
      throw unsupported();
    }

    @Override
    public FileStore getFileStore(Path path) {
      throw unsupported();
    }

    @Override
    public <V extends FileAttributeView> V getFileAttributeView(
        Path path, Class<V> type, LinkOption... options) {
      throw unsupported();
    }

    @Override
    public Map<String, Object> readAttributes(Path path, String names, LinkOption... options) {
      throw unsupported();
    }

    @Override
    public void setAttribute(Path path, String name, Object value, LinkOption... options) {
      throw unsupported();
    }
  }

  /**
   * @param size in bytes; -1: a folder
   */
  private record Attributes(long size) implements BasicFileAttributes {

    @Override
    public boolean isRegularFile() {
      return size >= 0;
    }

    @Override
    public boolean isDirectory() {
      return size < 0;
    }

    @Override
    public boolean isSymbolicLink() {
      return false;
    }

    @Override
    public boolean isOther() {
      return false;
    }

    @Override
    public Object fileKey() {
      return null;
    }

    @Override
    public FileTime lastModifiedTime() {
      throw unsupported();
    }

    @Override
    public FileTime lastAccessTime() {
      throw unsupported();
    }

    @Override
    public FileTime creationTime() {
      throw unsupported();
    }
  }

  /** Of a file in the folder, or the empty one of the folder itself. */
  private final class Name implements Path {

    private final String name;

    Name(String name) {
      this.name = name;
    }

    @Override
    public FileSystem getFileSystem() {
      return PlayedFileSystem.this;
    }

    @Override
    public Path resolve(Path other) {
      return other;
    }

    @Override
    public Path getFileName() {
      return this;
    }

    @Override
    public int compareTo(Path other) {
      return name.compareTo(other.toString());
    }

    @Override
    public boolean equals(Object other) {
      return other instanceof Name path && path.name.equals(name);
    }

    @Override
    public int hashCode() {
      return name.hashCode();
    }

    @Override
    public String toString() {
      return name;
    }

    @Override
    public boolean isAbsolute() {
      return true;
    }

    @Override
    public Path toAbsolutePath() {
      return this;
    }

    @Override
    public Path normalize() {
      return this;
    }

    @Override
    public Path getRoot() {
      return null;
    }

    @Override
    public Path getParent() {
      return null;
    }

    @Override
    public int getNameCount() {
      return 1;
    }

    @Override
    public Path getName(int index) {
      return this;
    }

    @Override
    public Path subpath(int begin, int end) {
      throw unsupported();
    }

    @Override
    public boolean startsWith(Path other) {
      throw unsupported();
    }

    @Override
    public boolean endsWith(Path other) {
      throw unsupported();
    }

    @Override
    public Path relativize(Path other) {
      throw unsupported();
    }

    @Override
    public URI toUri() {
      throw unsupported();
    }

    @Override
    public Path toRealPath(LinkOption... options) {
      throw unsupported();
    }

    @Override
    public WatchKey register(
        WatchService watcher, WatchEvent.Kind<?>[] events, WatchEvent.Modifier... modifiers) {
      throw unsupported();
    }
  }

  @Override
  public FileSystemProvider provider() {
    return provider;
  }

  @Override
  public Path getPath(String first, String... more) {
    return new Name(first);
  }

  @Override
  public void close() {}

  @Override
  public boolean isOpen() {
    return true;
  }

  @Override
  public boolean isReadOnly() {
    return false;
  }

  @Override
  public String getSeparator() {
    return "/";
  }

  @Override
  public Iterable<Path> getRootDirectories() {
    throw unsupported();
  }

  @Override
  public Iterable<FileStore> getFileStores() {
    throw unsupported();
  }

  @Override
  public Set<String> supportedFileAttributeViews() {
    return Set.of("basic");
  }

  @Override
  public PathMatcher getPathMatcher(String pattern) {
    throw unsupported();
  }

  @Override
  public UserPrincipalLookupService getUserPrincipalLookupService() {
    throw unsupported();
  }

  @Override
  public WatchService newWatchService() {
    throw unsupported();
  }
}
