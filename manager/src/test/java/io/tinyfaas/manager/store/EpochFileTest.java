package io.tinyfaas.manager.store;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class EpochFileTest {

  @TempDir Path root;
  private StoreFolder folder;
  private EpochFile epochs;

  @BeforeEach
  void open() {
    folder = new StoreFolder(root);
    epochs = new EpochFile(folder);
  }

  @AfterEach
  void close() {
    folder.close();
  }

  @Test
  void shouldGrowAtEachLife() {
    assertThat(epochs.next(0)).isEqualTo(1);
    assertThat(epochs.next(0)).isEqualTo(2);
    assertThat(epochs.next(40)).isEqualTo(40);
    close();
    open();
    assertThat(epochs.next(7)).isEqualTo(41);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"", "no number", "\u00e9\u00ff", "9223372036854775807", "-3", "9007199254740993"})
  void shouldGrowOverAnUnreadableOne(String content) throws IOException {
    Files.writeString(root.resolve("epoch"), content);
    long now = System.currentTimeMillis() / 1000;
    assertThat(epochs.next(0)).isGreaterThan(now);
    assertThat(epochs.next(0)).isGreaterThan(now + 1);
  }

  @Test
  void shouldGrowOverOneThatCannotBeRead() throws IOException {
    Files.createDirectory(root.resolve("epoch"));
    long now = System.currentTimeMillis() / 1000;
    assertThat(epochs.next(0)).isGreaterThan(now);
  }
}
