package io.tinyfaas.gateway;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ClassArchiveTest {

  private static final List<String> FLAGS = List.of("-XX:+UseSerialGC");

  @TempDir Path folder;
  private final List<Path> made = new ArrayList<>();
  private Path jars;

  @BeforeEach
  void build() throws IOException {
    jars = Files.createDirectory(folder.resolve("jars"));
    Files.writeString(jars.resolve("a.jar"), "a");
  }

  @Test
  void shouldBeMadeByTheSecondStartForAllThatFollow() {
    ClassArchive archive = archive(this::make);

    assertThat(archive.use(jars, FLAGS)).isEmpty();
    List<String> flags = archive.use(jars, FLAGS);

    assertThat(flags).singleElement().asString().startsWith("-XX:SharedArchiveFile=");
    assertThat(Path.of(flags.getFirst().split("=")[1])).hasContent("classes");
    assertThat(archive.use(jars, FLAGS)).isEqualTo(flags);
    assertThat(archive(this::make).use(jars, FLAGS)).as("another process").isEqualTo(flags);
    assertThat(made).hasSize(1);
  }

  @Test
  void shouldBeMadeAgainForOtherJarsAndOtherFlags() throws IOException {
    ClassArchive archive = archive(this::make);
    archive.use(jars, FLAGS);
    List<String> flags = archive.use(jars, FLAGS);

    Files.writeString(jars.resolve("b.jar"), "b");
    List<String> ofTwoJars = archive.use(jars, FLAGS);

    assertThat(ofTwoJars).isNotEmpty().isNotEqualTo(flags);
    assertThat(archive.use(jars, List.of("-XX:+UseParallelGC")))
        .isNotEmpty()
        .isNotEqualTo(ofTwoJars);
    assertThat(made).hasSize(3);
  }

  @Test
  void shouldBeDoneWithoutWhereItCannotBeMade() {
    ClassArchive archive = archive(made::add); // leaves no file
    archive.use(jars, FLAGS);

    assertThat(archive.use(jars, FLAGS)).isEmpty();
    assertThat(archive.use(jars, FLAGS)).isEmpty();
    assertThat(made).as("tried once").hasSize(1);
  }

  private ClassArchive archive(Consumer<Path> making) {
    return new ClassArchive(folder.resolve("archives"), making);
  }

  private void make(Path archive) {
    made.add(archive);
    try {
      Files.writeString(archive, "classes");
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
