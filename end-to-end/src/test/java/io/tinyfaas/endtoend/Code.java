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
import java.util.zip.GZIPOutputStream;
import java.util.zip.ZipEntry;
import javax.tools.FileObject;
import javax.tools.ForwardingJavaFileManager;
import javax.tools.JavaCompiler;
import javax.tools.JavaFileManager;
import javax.tools.JavaFileObject;
import javax.tools.SimpleJavaFileObject;
import javax.tools.ToolProvider;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveOutputStream;

/** Functions as their authors write them. */
final class Code {

  private Code() {}

  /** A zip of these texts, by the paths of their files. */
  static byte[] of(Map<String, String> files) {
    Map<String, byte[]> bytes = new HashMap<>();
    files.forEach((path, text) -> bytes.put(path, utf8(text)));
    return Archives.of(bytes);
  }

  /** A zip of one Node function. */
  static byte[] node(String code) {
    return of(Map.of("index.js", code));
  }

  /** Always answers this. */
  static byte[] answering(String text) {
    return node("module.exports = (req, res) => res.send('" + text + "');");
  }

  /** Prints its body and answers with it. */
  static byte[] printing() {
    return node("module.exports = (req, res) => { console.log(req.body); res.send(req.body); };");
  }

  /** Answers with an environment variable. */
  static byte[] telling(String variable) {
    return node("module.exports = (req, res) => res.send(String(process.env." + variable + "));");
  }

  /** Answers with its body's text after so many milliseconds. */
  static byte[] slow(int millis) {
    return node(
        "module.exports = (req, res) => setTimeout(() => res.send(req.body), " + millis + ");");
  }

  /** Answers this, once it has taken so many milliseconds to load. */
  static byte[] loading(int millis, String text) {
    return node(
        "for (const end = Date.now() + "
            + millis
            + "; Date.now() < end; );\nmodule.exports = (req, res) => res.send('"
            + text
            + "');");
  }

  /**
   * Answers whether its body is a number, which something that is installed, or brought along,
   * tells it.
   */
  static byte[] withADependency(String runtime) {
    return switch (runtime) {
      case "nodejs" ->
          Archives.of(
              Map.of(
                  "package.json",
                  utf8("{\"dependencies\":{\"is-number\":\"file:is-number-7.0.0.tgz\"}}"),
                  "is-number-7.0.0.tgz",
                  npmPackage(),
                  "index.js",
                  utf8(
                      "const isNumber = require('is-number');"
                          + " module.exports = (req, res) =>"
                          + " res.send(String(isNumber(req.body)));")));
      case "java" -> {
        Map<String, String> sources =
            Map.of(
                "IsNumber",
                "public class IsNumber { public static boolean test(String text)"
                    + " { return text.matches(\"\\\\d+\"); } }",
                "Fn",
                "public class Fn implements java.util.function.Function<String, String> {"
                    + " public String apply(String text)"
                    + " { return String.valueOf(IsNumber.test(text)); } }");
        yield Archives.of(
            Map.of(
                "fn.jar", jar(sources, List.of("Fn")),
                "lib/is-number.jar", jar(sources, List.of("IsNumber"))));
      }
      case "python3" ->
          Archives.of(
              Map.of(
                  "requirements.txt", utf8("is-number >= 7\n"),
                  "wheels/is_number-7.0.0-py3-none-any.whl", wheel(),
                  "fn.py",
                      utf8(
                          "from is_number import is_number\n"
                              + "def fn(input, headers): return str(is_number(input)).lower()")));
      case "binary" ->
          of(
              Map.of(
                  "fn.sh",
                      "#!/bin/bash\n. ./is-number\nis_number \"$(cat)\" && printf true || printf false",
                  "is-number", "is_number() { [[ $1 =~ ^[0-9]+$ ]]; }"));
      case "go" ->
          of(
              Map.of(
                  "go.mod", "module fn\ngo 1.24\nrequire example.com/is-number v1.0.0\n",
                  "vendor/modules.txt",
                      "# example.com/is-number v1.0.0\n## explicit; go 1.24\nexample.com/is-number\n",
                  "vendor/example.com/is-number/is_number.go",
                      """
                      package isnumber

                      import "strconv"

                      func Test(text string) bool { _, err := strconv.Atoi(text); return err == nil }
                      """,
                  "fn.go",
                      """
                      package main

                      import (
                      	isnumber "example.com/is-number"
                      	"strconv"
                      )

                      func fn(data string, headers map[string]string) (string, error) {
                      	return strconv.FormatBool(isnumber.Test(data)), nil
                      }
                      """));
      default -> throw new IllegalStateException("a dependency for " + runtime + "?");
    };
  }

  /** A package as npm packs it; no registry need be reachable. */
  private static byte[] npmPackage() {
    Map<String, String> files =
        Map.of(
            "package.json", "{\"name\":\"is-number\",\"version\":\"7.0.0\"}",
            "index.js", "module.exports = (text) => /^\\d+$/.test(text);");
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (TarArchiveOutputStream tar =
        new TarArchiveOutputStream(new GZIPOutputStream(bytes), "UTF-8")) {
      for (Map.Entry<String, String> file : files.entrySet()) {
        byte[] content = utf8(file.getValue());
        TarArchiveEntry entry = new TarArchiveEntry("package/" + file.getKey());
        entry.setSize(content.length);
        tar.putArchiveEntry(entry);
        tar.write(content);
        tar.closeArchiveEntry();
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return bytes.toByteArray();
  }

  /** A package as pip installs it; Python's own index need not be reachable. */
  private static byte[] wheel() {
    String about = "is_number-7.0.0.dist-info/";
    return of(
        Map.of(
            "is_number/__init__.py",
            "def is_number(text): return text.isdigit()",
            about + "METADATA",
            "Metadata-Version: 2.1\nName: is-number\nVersion: 7.0.0\n",
            about + "WHEEL",
            "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
            about + "RECORD",
            ""));
  }

  private static byte[] utf8(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
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
