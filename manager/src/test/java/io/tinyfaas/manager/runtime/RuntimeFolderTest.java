package io.tinyfaas.manager.runtime;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.InstanceOfAssertFactories.type;

import io.tinyfaas.manager.archive.FunctionArchive;
import io.tinyfaas.manager.archive.Zip;
import io.tinyfaas.manager.problem.ProblemException;
import io.tinyfaas.manager.problem.ProblemType;
import io.tinyfaas.manager.spec.FunctionSpec;
import io.tinyfaas.manager.spec.Specs;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveInputStream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class RuntimeFolderTest {

  private static final String FOLDER = "handler-runtime-cobol";

  @TempDir Path checkout;

  @BeforeEach
  void write() throws IOException {
    file(FOLDER + "/Dockerfile", "FROM debian:trixie-slim");
    file(FOLDER + "/runtime.labels", "tinyfaas.runtime=cobol");
    file("compose/ca-certificates/README.md", "");
  }

  private void file(String path, String text) throws IOException {
    Files.createDirectories(checkout.resolve(path).getParent());
    Files.writeString(checkout.resolve(path), text);
  }

  private RuntimeFolder read() throws IOException {
    return RuntimeFolder.read(checkout, FOLDER);
  }

  @Test
  void shouldReadLabelsAndSkipRemarks() throws IOException {
    file(
        FOLDER + "/runtime.labels",
        "# what it says of itself\n\ntinyfaas.runtime=cobol\ntinyfaas.runtime.aliases=cob, cbl\n"
            + "tinyfaas.runtime.build.command=FLAGS=-O2 /opt/tinyfaas/compile\n"
            + "tinyfaas.runtime.build.network=outbound\n"
            + "tinyfaas.runtime.build.network.when=deps.txt,lib/**\n");

    RuntimeImage runtime = read().runtime();

    assertThat(runtime.isCalled("cobol")).isTrue();
    assertThat(runtime.isCalled("cbl")).isTrue();
    assertThat(runtime.image()).isEmpty();
    assertThat(build(runtime, Map.of("a.cob", "")))
        .hasValueSatisfying(
            build -> {
              assertThat(build.command()).isEqualTo("FLAGS=-O2 /opt/tinyfaas/compile");
              assertThat(build.outbound()).isFalse();
            });
    assertThat(build(runtime, Map.of("a.cob", "", "deps.txt", "")).orElseThrow().outbound())
        .isTrue();
  }

  private static Optional<RuntimeImage.Build> build(
      RuntimeImage runtime, Map<String, String> files) {
    try (FunctionArchive archive = Zip.of(files)) {
      return runtime.buildFor(archive);
    }
  }

  @Test
  void shouldRefuseAnEntryOnlyIfItSaysThatItHasNoUseForOne() throws IOException {
    FunctionSpec spec = Specs.of("{\"runtime\": \"cobol\", \"entry\": \"a.cob\"}");
    read().runtime().require(spec);
    file(FOLDER + "/runtime.labels", "tinyfaas.runtime=cobol\ntinyfaas.runtime.entry=none\n");
    RuntimeImage runtime = read().runtime();

    runtime.require(Specs.of("{\"runtime\": \"cobol\"}"));
    assertThatThrownBy(() -> runtime.require(spec))
        .hasMessage("The runtime cobol has no use for an entry: leave it out.")
        .asInstanceOf(type(ProblemException.class))
        .satisfies(problem -> assertThat(problem.type()).isEqualTo(ProblemType.INVALID_SPEC))
        .satisfies(problem -> assertThat(problem.field()).isEqualTo("entry"));
  }

  @Test
  void shouldBuildWhatItsConditionsSayAndGiveItTheNetworkTheyGiveIt() throws IOException {
    file(
        FOLDER + "/runtime.labels",
        "tinyfaas.runtime=cobol\n"
            + "tinyfaas.runtime.build.when=*.cob,fn.json#/copybooks\n"
            + "tinyfaas.runtime.build.command=compile\n"
            + "tinyfaas.runtime.build.network=outbound\n"
            + "tinyfaas.runtime.build.network.when=fn.json#/copybooks\n");
    RuntimeImage runtime = read().runtime();
    String without = "{\"copybooks\": []}";
    String with = "{\"copybooks\": [\"a\"]}";

    assertThat(build(runtime, Map.of("fn.json", without))).isEmpty();
    assertThat(build(runtime, Map.of("fn.json", with)).orElseThrow().outbound()).isTrue();
    assertThat(build(runtime, Map.of("fn.json", without, "a.cob", "")).orElseThrow().outbound())
        .isFalse();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "tinyfaas.runtime=Cobol",
        "tinyfaas.runtime=",
        "tinyfaas.runtime=../evil",
        "tinyfaas.runtime=cobol\nmaintainer=me",
        "tinyfaas.runtime=cobol\ntinyfaas.runtime.aliases",
        "tinyfaas.runtime=cobol\ntinyfaas.runtime.transports=pigeon",
        "tinyfaas.runtime=cobol\ntinyfaas.runtime.check=[",
        "tinyfaas.runtime=cobol\ntinyfaas.runtime.folders=compose",
        "tinyfaas.runtime=cobol\ntinyfaas.runtime.folders=handler-runtime-c/../compose"
      })
  void shouldRefuseADescriptorThatIsNone(String descriptor) throws IOException {
    file(FOLDER + "/runtime.labels", descriptor);

    assertThatThrownBy(this::read).isInstanceOf(IOException.class).hasMessageContaining("runtime");
  }

  @Test
  void shouldSendTheFoldersItSharesWithAnother() throws IOException {
    file(
        FOLDER + "/runtime.labels",
        "tinyfaas.runtime=cobol\ntinyfaas.runtime.folders=handler-runtime-c");
    file("handler-runtime-c/server/http.c", "int main");
    file("handler-runtime-d/server/http.d", "int main");
    String before = read().digest();

    ByteArrayOutputStream tar = new ByteArrayOutputStream();
    read().writeTo(tar);
    file("handler-runtime-c/server/http.c", "int main(void)");

    assertThat(tar.toString(UTF_8))
        .contains("handler-runtime-c/server/http.c")
        .doesNotContain("http.d");
    assertThat(read().digest()).isNotEqualTo(before);
  }

  @Test
  void shouldSendWhatTheImageIsMadeOfAndNothingElse() throws IOException {
    file(FOLDER + "/server/serve", "#!/bin/sh");
    assertThat(checkout.resolve(FOLDER + "/server/serve").toFile().setExecutable(true)).isTrue();
    file(FOLDER + "/README.md", "for people");
    file(FOLDER + "/node_modules/left/behind", "");
    file("compose/ca-certificates/own.crt", "PEM");
    file("compose/.env", "TINYFAAS_TOKEN=secret");
    Files.createSymbolicLink(checkout.resolve(FOLDER + "/link"), Path.of("/etc/passwd"));
    ByteArrayOutputStream tar = new ByteArrayOutputStream();

    read().writeTo(tar);

    List<String> entries = new ArrayList<>();
    try (var in = new TarArchiveInputStream(new ByteArrayInputStream(tar.toByteArray()))) {
      for (TarArchiveEntry e = in.getNextEntry(); e != null; e = in.getNextEntry()) {
        entries.add(Integer.toOctalString(e.getMode() & 0777) + " " + e.getName());
        if (e.getName().endsWith("serve")) {
          assertThat(new String(in.readAllBytes(), UTF_8)).isEqualTo("#!/bin/sh");
        }
      }
    }
    assertThat(entries)
        .containsExactly(
            "644 compose/ca-certificates/README.md",
            "644 compose/ca-certificates/own.crt",
            "644 " + FOLDER + "/Dockerfile",
            "644 " + FOLDER + "/runtime.labels",
            "755 " + FOLDER + "/server/serve");
  }

  @Test
  void shouldHaveAnotherDigestWhenAFileHasChanged() throws IOException {
    String before = read().digest();
    file(FOLDER + "/README.md", "for people");
    assertThat(read().digest()).isEqualTo(before);

    file(FOLDER + "/Dockerfile", "FROM debian:trixie-slim\nRUN true");
    String after = read().digest();
    assertThat(after).isNotEqualTo(before);

    file("compose/ca-certificates/own.crt", "PEM");
    assertThat(read().digest()).isNotEqualTo(after);
  }

  @Test
  void shouldRefuseAFolderOfTooManyFiles() throws IOException {
    for (int n = 0; n < 2_001; n++) {
      file(FOLDER + "/data/" + n, "");
    }

    assertThatThrownBy(() -> read().writeTo(new ByteArrayOutputStream()))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("2000 files");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "ADD https://example.org/a /opt/",
        "add --chown=1:1 bomb.tar.gz /opt/",
        "  ADD\t[\"http://example.org/a\", \"/\"]",
        "ARG U\nADD $U /",
        "AD\\\nD http://example.org/a /",
        "A\\ \n# a remark\n\nDD \\\r\nhttp://example.org/a /",
        "ONBUILD ADD http://example.org/a /",
      })
  void shouldRefuseWhatTheEngineWouldFetchByItself(String instruction) throws IOException {
    file(FOLDER + "/Dockerfile", "FROM debian:trixie-slim\n" + instruction + "\nRUN true\n");
    assertThatThrownBy(() -> read().requireNoAdd())
        .isInstanceOf(ProblemException.class)
        .hasMessageContaining(FOLDER + "/Dockerfile has an ADD")
        .hasMessageContaining("RUN");
  }

  @Test
  void shouldRefuseItWithAnotherEscape() throws IOException {
    file(FOLDER + "/Dockerfile", "# syntax=x\n# escape=`\nFROM a\nRUN dir c:\\\nAD`\nD a /\n");
    assertThatThrownBy(() -> read().requireNoAdd()).isInstanceOf(ProblemException.class);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "# ADD nothing\nCOPY a /",
        "RUN apk update && apk \\\n  add curl",
        "RUN apk \\\n# a remark\n\n  add curl",
        "RUN curl https://example.org/a | tar x",
        "ENV ADDED=1",
      })
  void shouldTakeOtherInstructions(String instruction) throws IOException {
    file(FOLDER + "/Dockerfile", "FROM debian:trixie-slim\n" + instruction + "\nRUN true\n");
    read().requireNoAdd();
  }
}
