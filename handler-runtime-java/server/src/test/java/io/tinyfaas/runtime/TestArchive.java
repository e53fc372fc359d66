package io.tinyfaas.runtime;

import io.tinyfaas.runtime.compile.SourceCompiler;
import io.tinyfaas.runtime.load.FunctionLoader;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.jar.Attributes;
import java.util.jar.JarEntry;
import java.util.jar.JarOutputStream;
import java.util.jar.Manifest;
import java.util.stream.Stream;

/** The unpacked archive of a function, with jars that are made on the spot. */
public final class TestArchive {

  private final Path folder;
  private final Path scratch;

  public TestArchive(Path folder) throws IOException {
    this.folder = Files.createDirectories(folder);
    this.scratch = Files.createTempDirectory(folder.getParent(), "jar");
  }

  public Path folder() {
    return folder;
  }

  public TestArchive file(String path, String content) throws IOException {
    Path file = folder.resolve(path);
    Files.createDirectories(file.getParent());
    Files.writeString(file, content);
    return this;
  }

  /** A public class of the default package with this one method besides its constructor. */
  public TestArchive source(String className, String types, String method) throws IOException {
    return file(className + ".java", code(className, types, method));
  }

  public static String code(String className, String types, String method) {
    return "import io.tinyfaas.function.*;\nimport java.util.function.*;\npublic class "
        + className
        + " implements Function<"
        + types
        + "> {\n  public "
        + method
        + "\n}\n";
  }

  public TestArchive compiled() throws IOException {
    if (!SourceCompiler.compile(folder, System.err)) {
      throw new AssertionError("the test's own sources do not compile");
    }
    return this;
  }

  /**
   * A jar of one class, compiled against the jars that are already there.
   *
   * @param attribute of the manifest, {@code Name: value}; empty for none
   */
  public TestArchive jar(String path, String className, String code, String attribute)
      throws IOException {
    Path build = Files.createTempDirectory(scratch, "build");
    for (Path jar : FunctionLoader.jarsIn(folder)) {
      Files.copy(jar, build.resolve(jar.getFileName()));
    }
    Files.writeString(build.resolve(className + ".java"), code);
    if (!SourceCompiler.compile(build, System.err)) {
      throw new AssertionError("the test's own sources do not compile");
    }
    Manifest manifest = new Manifest();
    manifest.getMainAttributes().put(Attributes.Name.MANIFEST_VERSION, "1.0");
    if (!attribute.isEmpty()) {
      List<String> pair = List.of(attribute.split(": "));
      manifest.getMainAttributes().putValue(pair.get(0), pair.get(1));
    }
    Path target = folder.resolve(path);
    Files.createDirectories(target.getParent());
    Path classes = build.resolve(FunctionLoader.COMPILED);
    try (OutputStream out = Files.newOutputStream(target);
        JarOutputStream jar = new JarOutputStream(out, manifest);
        Stream<Path> files = Files.walk(classes)) {
      for (Path file : files.filter(Files::isRegularFile).toList()) {
        jar.putNextEntry(new JarEntry(classes.relativize(file).toString()));
        Files.copy(file, jar);
      }
    }
    return this;
  }
}
