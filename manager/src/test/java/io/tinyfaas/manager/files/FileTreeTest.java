package io.tinyfaas.manager.files;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class FileTreeTest {

  @TempDir Path folder;

  @Test
  void shouldDeleteAFolderAndWhatLinksInItLeadToNot() throws IOException {
    Path kept = Files.createDirectories(folder.resolve("kept"));
    Files.writeString(kept.resolve("file"), "x");
    Path tree = Files.createDirectories(folder.resolve("tree/sub")).getParent();
    Files.writeString(tree.resolve("sub/file"), "x");
    Files.createSymbolicLink(tree.resolve("sub/link"), kept);
    List<Path> prepared = new ArrayList<>();

    FileTree.delete(tree, prepared::add);

    assertThat(tree).doesNotExist();
    assertThat(kept.resolve("file")).exists();
    assertThat(prepared).containsExactly(tree, tree.resolve("sub"));
  }

  @Test
  void shouldDeleteALinkAndNotWhereItLeads() throws IOException {
    Path kept = Files.createDirectories(folder.resolve("kept"));
    Path link = Files.createSymbolicLink(folder.resolve("link"), kept);

    FileTree.delete(link);

    assertThat(link).doesNotExist();
    assertThat(kept).exists();
  }

  @Test
  void shouldDoNothingWhereThereIsNothing() throws IOException {
    FileTree.delete(folder.resolve("none"));

    assertThat(folder).isEmptyDirectory();
  }
}
