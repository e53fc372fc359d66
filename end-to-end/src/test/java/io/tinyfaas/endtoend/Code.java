package io.tinyfaas.endtoend;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.jar.JarOutputStream;
import java.util.zip.ZipEntry;
import javax.tools.FileObject;
import javax.tools.ForwardingJavaFileManager;
import javax.tools.JavaCompiler;
import javax.tools.JavaFileManager;
import javax.tools.JavaFileObject;
import javax.tools.SimpleJavaFileObject;
import javax.tools.ToolProvider;

/** Functions as their authors write them. */
final class Code {

  private Code() {}

  /** Always answers this. */
  static byte[] answering(String text) {
    return Installation.node("module.exports = (req, res) => res.send('" + text + "');");
  }

  /** Prints its body and answers with it. */
  static byte[] printing() {
    return Installation.node(
        "module.exports = (req, res) => { console.log(req.body); res.send(req.body); };");
  }

  /** Answers with an environment variable. */
  static byte[] telling(String variable) {
    return Installation.node(
        "module.exports = (req, res) => res.send(String(process.env." + variable + "));");
  }

  /** Answers with its body's text after so many milliseconds. */
  static byte[] slow(int millis) {
    return Installation.node(
        "module.exports = (req, res) => setTimeout(() => res.send(req.body), " + millis + ");");
  }

  /** Answers this, once it has taken so many milliseconds to load. */
  static byte[] loading(int millis, String text) {
    return Installation.node(
        "for (const end = Date.now() + "
            + millis
            + "; Date.now() < end; );\nmodule.exports = (req, res) => res.send('"
            + text
            + "');");
  }

  /**
   * A jar of classes compiled here.
   *
   * @param sources by class name; they may use each other
   * @param inTheJar names of those that go into the jar
   */
  static byte[] jar(Map<String, String> sources, List<String> inTheJar) {
    Map<String, ByteArrayOutputStream> classes = compile(sources);
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (JarOutputStream jar = new JarOutputStream(bytes)) {
      for (String name : inTheJar) {
        jar.putNextEntry(new ZipEntry(name + ".class"));
        classes.get(name).writeTo(jar);
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return bytes.toByteArray();
  }

  private static Map<String, ByteArrayOutputStream> compile(Map<String, String> sources) {
    JavaCompiler compiler = ToolProvider.getSystemJavaCompiler();
    Map<String, ByteArrayOutputStream> classes = new HashMap<>();
    JavaFileManager inMemory =
        new ForwardingJavaFileManager<JavaFileManager>(
            compiler.getStandardFileManager(null, null, StandardCharsets.UTF_8)) {
          @Override
          public JavaFileObject getJavaFileForOutput(
              Location location, String name, JavaFileObject.Kind kind, FileObject sibling) {
            URI uri = URI.create("memory:///" + name + ".class");
            return new SimpleJavaFileObject(uri, kind) {
              @Override
              public ByteArrayOutputStream openOutputStream() {
                return classes.computeIfAbsent(name, n -> new ByteArrayOutputStream());
              }
            };
          }
        };
    List<SimpleJavaFileObject> units =
        sources.entrySet().stream()
            .map(source -> unit(source.getKey(), source.getValue()))
            .toList();
    StringWriter complaints = new StringWriter();
    if (!compiler.getTask(complaints, inMemory, null, null, null, units).call()) {
      throw new IllegalStateException(complaints.toString());
    }
    return classes;
  }

  private static SimpleJavaFileObject unit(String name, String source) {
    URI uri = URI.create("memory:///" + Path.of(name + ".java"));
    return new SimpleJavaFileObject(uri, JavaFileObject.Kind.SOURCE) {
      @Override
      public CharSequence getCharContent(boolean ignoreEncodingErrors) {
        return source;
      }
    };
  }
}
