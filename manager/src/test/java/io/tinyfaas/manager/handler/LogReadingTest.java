package io.tinyfaas.manager.handler;

import static com.github.dockerjava.api.model.StreamType.STDERR;
import static com.github.dockerjava.api.model.StreamType.STDOUT;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.github.dockerjava.api.exception.ConflictException;
import com.github.dockerjava.api.exception.DockerException;
import com.github.dockerjava.api.exception.InternalServerErrorException;
import com.github.dockerjava.api.exception.NotFoundException;
import com.github.dockerjava.api.model.Frame;
import com.github.dockerjava.api.model.StreamType;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class LogReadingTest {

  private static final String TIME = "2026-01-31T23:59:59.123456789Z ";

  private final List<String> lines = new ArrayList<>();
  private Instant now = Instant.parse("2026-02-01T12:00:00Z");
  private final LogReading reading = new LogReading("handler=a1 ", lines::add, () -> now);

  @Test
  void shouldShowALineThatArrivesInPiecesAsOne() {
    String text = "Grüße, 世界 ".repeat(500);

    arrives(STDOUT, TIME + text + "\n" + TIME + "next\n");

    assertThat(lines)
        .containsExactly("handler=a1 " + TIME + text + "\n", "handler=a1 " + TIME + "next\n");
  }

  @Test
  void shouldShowWhatATerminalWouldObey() {
    arrives(STDOUT, TIME + "\u001b]0;title\u0007 and\ta tab\r\n" + TIME + "\u001b\n");

    assertThat(lines)
        .containsExactly(
            "handler=a1 " + TIME + "\\x1b]0;title\\x07 and\ta tab\n",
            "handler=a1 " + TIME + "\\x1b\n");
  }

  @Test
  void shouldGoOnAfterTheLastLineThatWasShown() {
    arrives(STDOUT, "2037-12-31T23:59:59.123456789Z shown\n");
    reading.onComplete();
    now = Instant.parse("2038-01-01T00:00:00Z");
    LogReading next = reading.next();
    next.onNext(
        new Frame(
            STDOUT,
            ("2037-12-31T23:59:59.123456789Z shown\n2037-12-31T23:59:59.123456790Z new\n")
                .getBytes(UTF_8)));

    assertThat(next.since()).hasValue((int) Instant.parse("2037-12-31T23:59:59Z").getEpochSecond());
    assertThat(lines)
        .containsExactly(
            "handler=a1 2037-12-31T23:59:59.123456789Z shown\n",
            "handler=a1 2037-12-31T23:59:59.123456790Z new\n");
  }

  @Test
  void shouldGoOnWhereTheClockWasSetBack() {
    arrives(STDOUT, "2026-02-01T12:00:01.000000000Z shown\n");
    reading.onComplete();
    now = Instant.parse("2026-02-01T11:00:00Z");

    reading
        .next()
        .onNext(new Frame(STDOUT, "2026-02-01T11:00:01.000000000Z new\n".getBytes(UTF_8)));

    assertThat(lines).last().isEqualTo("handler=a1 2026-02-01T11:00:01.000000000Z new\n");
  }

  @Test
  void shouldNotShowLaterWhatWasPrintedBeforeItBegan() {
    assertThat(reading.since()).isEmpty();
    reading.onComplete();
    LogReading next = reading.next();
    next.onNext(new Frame(STDOUT, "1999-12-31T23:59:59.123456789Z old\n".getBytes(UTF_8)));
    next.onComplete();

    assertThat(lines).isEmpty();
    assertThat(next.next().since()).isEqualTo(next.since()).isNotEmpty();
  }

  @Test
  void shouldKeepLinesOfBothStreamsApart() {
    reading.onNext(new Frame(STDOUT, (TIME + "out").getBytes(UTF_8)));
    reading.onNext(new Frame(STDERR, (TIME + "error\n").getBytes(UTF_8)));
    reading.onNext(new Frame(STDOUT, "put\n".getBytes(UTF_8)));

    assertThat(lines)
        .containsExactly("handler=a1 " + TIME + "error\n", "handler=a1 " + TIME + "output\n");
  }

  @Test
  void shouldShowThePiecesThatTheEngineMadeOfAVeryLongLineEachWithItsTimestamp() {
    String piece = "z".repeat(LogReading.LONGEST_LINE);

    arrives(STDOUT, TIME + piece);
    arrives(STDOUT, TIME + piece);
    arrives(STDOUT, TIME + "rest\n");

    assertThat(lines)
        .containsExactly(
            "handler=a1 " + TIME + piece + "\n",
            "handler=a1 " + TIME + piece + "\n",
            "handler=a1 " + TIME + "rest\n");
  }

  @Test
  void shouldHoldNoMoreThanTwoOfTheLongestLines() {
    for (int i = 0; i < 100; i++) {
      reading.onNext(new Frame(STDOUT, "z".repeat(1024).getBytes(UTF_8)));
    }

    assertThat(lines)
        .isNotEmpty()
        .allSatisfy(line -> assertThat(line).hasSizeLessThan(3 * LogReading.LONGEST_LINE));
  }

  @Test
  void shouldSayOfEachPartBetweenCarriageReturnsWhoseItIs() {
    arrives(STDOUT, TIME + "10 %\r20 %\r\n" + TIME + "\n");

    assertThat(lines)
        .containsExactly(
            "handler=a1 " + TIME + "10 %\n",
            "handler=a1 " + TIME + "20 %\n",
            "handler=a1 " + TIME + "\n");
  }

  @Test
  void shouldShowALastLineWithoutAnEnd() throws Exception {
    arrives(STDOUT, TIME + "Bye");
    reading.onComplete();

    reading.awaitCompletion();
    assertThat(lines).containsExactly("handler=a1 " + TIME + "Bye\n");
  }

  static List<DockerException> removals() {
    return List.of(
        new NotFoundException("No such container: a1"),
        new ConflictException(
            "can not get logs from container which is dead or marked for removal"));
  }

  @ParameterizedTest
  @MethodSource("removals")
  void shouldEndWithoutAFailureWhenTheHandlerHasBeenRemoved(DockerException removed)
      throws Exception {
    reading.onError(removed);

    reading.awaitCompletion();
    assertThat(reading.hasEnded()).isTrue();
  }

  @Test
  void shouldFailWhenTheEngineDoes() {
    reading.onError(new InternalServerErrorException("no such disk"));

    assertThatThrownBy(reading::awaitCompletion).hasMessageContaining("no such disk");
  }

  /** In pieces of a kilobyte, as the engine's client makes them of a frame. */
  private void arrives(StreamType stream, String text) {
    byte[] bytes = text.getBytes(UTF_8);
    for (int i = 0; i < bytes.length; i += 1024) {
      reading.onNext(
          new Frame(stream, Arrays.copyOfRange(bytes, i, Math.min(bytes.length, i + 1024))));
    }
  }
}
