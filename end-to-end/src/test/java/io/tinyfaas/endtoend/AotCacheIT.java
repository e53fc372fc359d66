package io.tinyfaas.endtoend;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A JVM whose cache does not fit starts without it, slower and with more memory. */
class AotCacheIT {

  private static final Installation SYSTEM = Installation.UNIX;
  private static final Pattern CLASSES = Pattern.compile("(\\d+) classes \\((\\d+) shared\\)");

  @BeforeAll
  static void start() {
    SYSTEM.start();
  }

  /** Java's own cache would have a seventh of them. */
  @ParameterizedTest
  @ValueSource(strings = {"gateway", "manager"})
  void shouldTakeItsClassesFromTheCacheOfTheImage(String service) {
    String metaspace =
        String.join(
            "\n", SYSTEM.docker("exec", SYSTEM.container(service), "jcmd", "1", "VM.metaspace"));

    assertThat(CLASSES.matcher(metaspace).results().map(AotCacheIT::shared).findFirst())
        .as(metaspace)
        .hasValueSatisfying(shared -> assertThat(shared).isGreaterThan(0.8));
  }

  private static double shared(MatchResult classes) {
    return Double.parseDouble(classes.group(2)) / Double.parseDouble(classes.group(1));
  }
}
