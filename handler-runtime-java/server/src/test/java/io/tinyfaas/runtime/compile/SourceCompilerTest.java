package io.tinyfaas.runtime.compile;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.tinyfaas.runtime.TestArchive;
import io.tinyfaas.runtime.load.FunctionLoader;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.function.Function;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SourceCompilerTest {

  private static final String TEST = "import org.junit.jupiter.api.Test; class FnTest {}";

  @TempDir Path temporary;
  private final ByteArrayOutputStream output = new ByteArrayOutputStream();
  private TestArchive archive;

  @BeforeEach
  void unpack() throws IOException {
    archive = new TestArchive(temporary.resolve("function"));
  }

  @Test
  void shouldCompileAgainstTheApiAndTheArchivesJars() throws Exception {
    archive
        .jar("lib/dep.jar", "Dep", "public class Dep { public String x() { return null; } }", "")
        .source("Fn", "Request, String", "String apply(Request r) { return new Dep().x(); }");
    assertThat(compile()).isTrue();
    assertThat(archive.folder().resolve(FunctionLoader.COMPILED).resolve("Fn.class"))
        .isRegularFile();
    assertThat(output.toString(StandardCharsets.UTF_8)).isEmpty();
  }

  @Test
  void shouldPrintErrorsWithFileAndLine() throws Exception {
    archive.file("com/acme/Fn.java", "package com.acme;\npublic class Fn {\n  Missing m;\n}\n");
    assertThat(compile()).isFalse();
    assertThat(output.toString(StandardCharsets.UTF_8))
        .startsWith("com/acme/Fn.java:3: cannot find symbol")
        .contains("class Missing");
  }

  @Test
  void shouldPrintTheFirstErrorsOnly() throws Exception {
    archive.file("Fn.java", "public class Fn {\n" + "  Missing m;\n".repeat(50) + "}\n");
    assertThat(compile()).isFalse();
    assertThat(output.toString(StandardCharsets.UTF_8))
        .contains("Fn.java:11:")
        .doesNotContain("Fn.java:12:")
        .contains("more errors");
  }

  @Test
  void shouldSayWhereALibraryBelongs() throws Exception {
    archive.file("Fn.java", "import com.acme.A;\nimport com.acme.B;\npublic class Fn {}");
    assertThat(compile()).isFalse();
    assertThat(output.toString(StandardCharsets.UTF_8))
        .startsWith("Fn.java:1: package com.acme does not exist")
        .containsOnlyOnce("bring its jar in the archive's folder lib/");
  }

  @Test
  void shouldRefuseSourcesThatAreNotUtf8() throws Exception {
    Files.write(
        archive.folder().resolve("Fn.java"),
        "public class Fn { String s = \"ü\"; }".getBytes(StandardCharsets.ISO_8859_1));
    assertThat(compile()).isFalse();
    assertThat(output.toString(StandardCharsets.UTF_8))
        .startsWith("Fn.java:1: unmappable character (0xFC) for encoding UTF-8")
        .contains("Save the file in UTF-8.");
  }

  @Test
  void shouldSayWhatToDoAboutAByteOrderMark() throws Exception {
    archive.file("Fn.java", "\ufeffpublic class Fn {}");
    assertThat(compile()).isFalse();
    assertThat(output.toString(StandardCharsets.UTF_8))
        .startsWith("Fn.java:1: illegal character: '\\ufeff'")
        .contains("save the file in UTF-8 without one");
  }

  @Test
  void shouldKeepTheNamesOfVariablesForMessages() throws Exception {
    archive.source(
        "Fn",
        "String, String",
        "String apply(String s) { String lamp = null; return lamp.trim(); }");
    assertThat(compile()).isTrue();
    URL[] classes = {archive.folder().resolve(FunctionLoader.COMPILED).toUri().toURL()};
    try (URLClassLoader loader = new URLClassLoader(classes)) {
      @SuppressWarnings("unchecked")
      Function<String, String> function =
          (Function<String, String>) loader.loadClass("Fn").getDeclaredConstructor().newInstance();
      assertThatThrownBy(() -> function.apply(""))
          .isInstanceOf(NullPointerException.class)
          .hasMessageContaining("\"lamp\" is null");
    }
  }

  @Test
  void shouldLeaveOutTestsAndModuleDeclarations() throws Exception {
    archive
        .file("src/test/java/FnTest.java", TEST)
        .file("src/integrationTest/java/FnTest.java", TEST)
        .file("src/testFixtures/java/FnTest.java", TEST)
        .file("src/jmh/java/FnTest.java", TEST)
        .file("src/it/sample/src/main/java/FnTest.java", TEST)
        .file("module/src/test/java/FnTest.java", TEST)
        .file("target/generated-test-sources/FnTest.java", TEST)
        .file("src/main/java/module-info.java", "module x { requires nowhere; }")
        .file("src/main/java/Fn.java", "public class Fn {}");
    assertThat(compile()).isTrue();
  }

  @Test
  void shouldCompileWhatIsCalledSimilarly() throws Exception {
    archive
        .file(
            "src/main/java/com/acme/test/Lamp.java", "package com.acme.test; public class Lamp {}")
        .file("target/generated-sources/Meter.java", "public class Meter {}")
        .file("Fn.java", "public class Fn { com.acme.test.Lamp lamp; Meter meter; }");
    assertThat(compile()).isTrue();
  }

  private boolean compile() throws IOException {
    return SourceCompiler.compile(archive.folder(), new PrintStream(output, true));
  }
}
