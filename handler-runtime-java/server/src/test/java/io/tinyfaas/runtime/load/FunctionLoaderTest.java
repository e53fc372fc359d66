package io.tinyfaas.runtime.load;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.tinyfaas.runtime.TestArchive;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Optional;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class FunctionLoaderTest {

  private static final String SERVICES = "META-INF/services/java.util.function.Function";

  @TempDir Path temporary;
  private TestArchive archive;

  @BeforeEach
  void unpack() throws IOException {
    archive = new TestArchive(temporary.resolve("function"));
  }

  @Test
  void shouldTakeTheOnlyCandidateOfSources() throws Exception {
    archive
        .file("com/acme/Tool.java", "package com.acme; public class Tool { public int x = 7; }")
        .source(
            "Fn", "String, String", "String apply(String s) { return s + new com.acme.Tool().x; }")
        .compiled();
    assertThat(call("a")).isEqualTo("a7");
  }

  @Test
  void shouldTakeTheOnlyCandidateOfTheTopJarWithADependencyInAFolder() throws Exception {
    archive
        .jar("lib/dep.jar", "Dep", answering("Dep", "dependency"), "")
        .jar(
            "fn.jar",
            "Fn",
            TestArchive.code(
                "Fn", "String, String", "String apply(String s) { return new Dep().apply(s); }"),
            "");
    assertThat(call("a")).isEqualTo("dependency");
  }

  @Test
  void shouldLeaveOutJarsOfTestsAndBuildTools() throws Exception {
    archive
        .file(".mvn/wrapper/maven-wrapper.jar", "a damaged jar, which is not looked into")
        .file("gradle/wrapper/gradle-wrapper.jar", "likewise")
        .file("src/test/resources/broken.jar", "likewise")
        .file("module/src/integrationTest/resources/broken.jar", "likewise")
        .jar("fn.jar", "Fn", answering("Fn", "fn"), "");
    assertThat(call("")).isEqualTo("fn");
  }

  @Test
  void shouldLeaveOutWhatWasBuiltOfTheSourcesBefore() throws Exception {
    archive
        .jar("target/dependency/dep.jar", "Dep", answering("Dep", "dependency"), "")
        .jar("target/fn-0.1.jar", "Old", answering("Old", "old"), "Function-Class: Old")
        .jar(
            "module/build/libs/fn.jar",
            "Older",
            answering("Older", "older"),
            "Function-Class: Older")
        .source("Fn", "String, String", "String apply(String s) { return new Dep().apply(s); }")
        .compiled();
    assertThat(call("")).isEqualTo("dependency");
  }

  @Test
  void shouldTakeWhatWasBuiltWhereThereAreNoSources() throws Exception {
    archive.jar("target/fn-0.1.jar", "Fn", answering("Fn", "fn"), "").file("pom.xml", "");
    assertThat(call("")).isEqualTo("fn");
  }

  @Test
  void shouldTakeTheClassThatTheManifestNames() throws Exception {
    archive
        .jar("a.jar", "A", answering("A", "a"), "")
        .jar("b.jar", "B", answering("B", "b"), "Function-Class: B");
    assertThat(call("")).isEqualTo("b");
  }

  @Test
  void shouldTakeTheServiceProvider() throws Exception {
    archive
        .source("A", "String, String", "String apply(String s) { return \"a\"; }")
        .source("B", "String, String", "String apply(String s) { return \"b\"; }")
        .file(SERVICES, "# the one\nB # of two\n")
        .compiled();
    assertThat(call("")).isEqualTo("b");
  }

  @Test
  void shouldTakeTheClassThatIsTheEntryWhateverTheArchiveNames() throws Exception {
    archive
        .source("A", "String, String", "String apply(String s) { return \"a\"; }")
        .source("B", "String, String", "String apply(String s) { return \"b\"; }")
        .file(SERVICES, "A\n")
        .compiled();
    assertThat(load(Optional.of("B")).function().apply("")).isEqualTo("b");
  }

  @Test
  void shouldRefuseAnEntryThatIsAFileAndSayHowAClassIsWritten() throws Exception {
    archive.source("A", "String, String", "String apply(String s) { return \"a\"; }").compiled();
    assertThatExceptionOfType(LoadFailure.class)
        .isThrownBy(() -> load(Optional.of("src/A.java")))
        .withMessageContaining("the class src/A.java is not in the archive")
        .withMessageContaining("com.acme.Hello");
  }

  @Test
  void shouldRefuseSeveralCandidatesAndSayHowToChoose() throws Exception {
    archive
        .source("A", "String, String", "String apply(String s) { return null; }")
        .source("B", "String, byte[]", "byte[] apply(String s) { return null; }")
        .compiled();
    assertThat(failure())
        .hasMessageContaining("2 classes could be the function: A, B")
        .hasMessageContaining(SERVICES)
        .hasMessageContaining("Function-Class");
  }

  @Test
  void shouldRefuseSeveralDeclaredFunctions() throws Exception {
    archive
        .jar("a.jar", "A", answering("A", "a"), "Function-Class: A")
        .jar("b.jar", "B", answering("B", "b"), "Function-Class: B");
    assertThat(failure()).hasMessageContaining("names several functions: A, B");
  }

  @Test
  void shouldSayWhatIsAmissWithTheClassThatAlmostIsOne() throws Exception {
    archive.source("Fn", "Integer, String", "String apply(Integer i) { return null; }").compiled();
    assertThat(failure())
        .hasMessageContaining("Fn is a Function<Integer, String>")
        .hasMessageContaining("I is String, byte[] or io.tinyfaas.function.Request");
  }

  @Test
  void shouldSayThatAConstructorIsMissing() throws Exception {
    archive
        .source("Fn", "String, String", "Fn(int i) {} public String apply(String s) { return s; }")
        .compiled();
    assertThat(failure()).hasMessageContaining("Fn has no public constructor without parameters");
  }

  @Test
  void shouldRefuseAnArchiveWithoutAFunction() throws Exception {
    archive.file("Tool.java", "public class Tool {}").compiled();
    assertThat(failure())
        .hasMessageStartingWith("no function in the archive: a function implements");
  }

  @Test
  void shouldRefuseADeclaredClassThatIsNotThere() throws Exception {
    archive.jar("a.jar", "A", answering("A", "a"), "Function-Class: com.acme.Gone");
    assertThat(failure()).hasMessageContaining("com.acme.Gone is not in the archive");
  }

  @Test
  void shouldRefuseADeclaredClassThatIsNoFunction() throws Exception {
    archive.jar("a.jar", "A", "public class A {}", "Function-Class: A");
    assertThat(failure()).hasMessageContaining("A is no function");
  }

  @Test
  void shouldRefuseAJarThatIsNone() throws Exception {
    archive.file("fn.jar", "not a jar");
    assertThat(failure()).hasMessageContaining("fn.jar is not a jar");
  }

  @Test
  void shouldPassOnWhyTheConstructorFailed() throws Exception {
    archive
        .source(
            "Fn",
            "String, String",
            "Fn() { throw new IllegalStateException(\"no sensor\"); }"
                + " public String apply(String s) { return s; }")
        .compiled();
    assertThat(failure())
        .hasMessageContaining("the constructor of Fn failed")
        .hasRootCauseMessage("no sensor");
  }

  @Test
  void shouldFindResourcesOfTheArchive() throws Exception {
    archive
        .file("greeting.txt", "hello")
        .source(
            "Fn",
            "String, byte[]",
            "byte[] apply(String s) { try (var in = Fn.class.getResourceAsStream(\"/greeting.txt\"))"
                + " { return in.readAllBytes(); } catch (java.io.IOException e) { return null; } }")
        .compiled();
    assertThat(call("")).isEqualTo(new byte[] {'h', 'e', 'l', 'l', 'o'});
  }

  private static String answering(String className, String answer) {
    return TestArchive.code(
        className, "String, String", "String apply(String s) { return \"" + answer + "\"; }");
  }

  private Object call(String input) throws LoadFailure {
    return load(Optional.empty()).function().apply(input);
  }

  private LoadedFunction load(Optional<String> entry) throws LoadFailure {
    return FunctionLoader.load(archive.folder(), entry);
  }

  private LoadFailure failure() {
    return assertThatExceptionOfType(LoadFailure.class)
        .isThrownBy(() -> load(Optional.empty()))
        .actual();
  }
}
