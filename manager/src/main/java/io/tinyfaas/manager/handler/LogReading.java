package io.tinyfaas.manager.handler;

import com.github.dockerjava.api.async.ResultCallback;
import com.github.dockerjava.api.exception.ConflictException;
import com.github.dockerjava.api.exception.NotFoundException;
import com.github.dockerjava.api.model.Frame;
import com.github.dockerjava.api.model.StreamType;
import io.tinyfaas.manager.text.PlainText;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.time.InstantSource;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import java.util.regex.Pattern;

/**
 * One handler's output, put together to lines: frames arrive in pieces of a kilobyte, and those of
 * the two streams between each other. A handler that is removed meanwhile has printed nothing more.
 * The output of one that is started again is read on by another reading, {@link #next}.
 */
final class LogReading extends ResultCallback.Adapter<Frame> {

  /** Of a longer line the engine makes lines of this size, each with the same timestamp. */
  static final int LONGEST_LINE = 16 * 1024;

  private static final Pattern TIMESTAMP =
      Pattern.compile("\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d\\.\\d{9}Z ");

  private static final int TIMESTAMP_LENGTH = "2026-01-31T23:59:59.123456789Z ".length();

  private static final DateTimeFormatter AS_THE_ENGINE =
      DateTimeFormatter.ofPattern("uuuu-MM-dd'T'HH:mm:ss.SSSSSSSSS'Z' ").withZone(ZoneOffset.UTC);

  private final String prefix;
  private final Consumer<String> reader;
  private final InstantSource clock;

  /** A timestamp, as those below: lines until then were shown before. Empty: none were. */
  private final String after;

  private final Map<StreamType, ByteArrayOutputStream> unfinished = new EnumMap<>(StreamType.class);

  /** Of the last line, or when the reading began. */
  private String seen;

  private volatile boolean ended;

  private final AtomicReference<Runnable> closed = new AtomicReference<>(() -> {});

  /**
   * @param prefix of each line
   * @param reader gets each line, with its end
   */
  LogReading(String prefix, Consumer<String> reader) {
    this(prefix, reader, InstantSource.system());
  }

  LogReading(String prefix, Consumer<String> reader, InstantSource clock) {
    this(prefix, reader, clock, "", AS_THE_ENGINE.format(clock.instant()));
  }

  private LogReading(
      String prefix, Consumer<String> reader, InstantSource clock, String after, String seen) {
    this.prefix = prefix;
    this.reader = reader;
    this.clock = clock;
    this.after = after;
    this.seen = seen;
  }

  /**
   * @param closed is run once, however it ends
   */
  void whenClosed(Runnable closed) {
    this.closed.set(closed);
  }

  /**
   * For what is printed after this reading, which has ended. Where the box's clock was set back,
   * all until its old time would pass for shown: some lines come twice there, and none is lost.
   */
  LogReading next() {
    String now = AS_THE_ENGINE.format(clock.instant());
    String until = seen.compareTo(now) > 0 ? now : seen;
    return new LogReading(prefix, reader, clock, until, until);
  }

  /** In seconds since 1970: of older output nothing is shown. */
  OptionalInt since() {
    return after.isEmpty()
        ? OptionalInt.empty()
        : OptionalInt.of((int) AS_THE_ENGINE.parse(after, Instant::from).getEpochSecond());
  }

  boolean hasEnded() {
    return ended;
  }

  @Override
  public void onNext(Frame frame) {
    ByteArrayOutputStream line =
        unfinished.computeIfAbsent(frame.getStreamType(), type -> new ByteArrayOutputStream());
    byte[] piece = frame.getPayload();
    if (line.size() >= LONGEST_LINE && beginsWithTimestamp(piece)) {
      finish(line);
    }
    int from = 0;
    for (int i = 0; i < piece.length; i++) {
      if (piece[i] == '\n') {
        line.write(piece, from, i - from);
        finish(line);
        from = i + 1;
      }
    }
    line.write(piece, from, piece.length - from);
    if (line.size() > 2 * LONGEST_LINE) {
      finish(line);
    }
  }

  private static boolean beginsWithTimestamp(byte[] piece) {
    return piece.length >= TIMESTAMP_LENGTH
        && TIMESTAMP
            .matcher(new String(piece, 0, TIMESTAMP_LENGTH, StandardCharsets.ISO_8859_1))
            .matches();
  }

  /** A carriage return ends a line, too: each shows what it belongs to. */
  private void finish(ByteArrayOutputStream unfinishedLine) {
    String line = unfinishedLine.toString(StandardCharsets.UTF_8);
    unfinishedLine.reset();
    String time = "";
    if (TIMESTAMP.matcher(line).lookingAt()) {
      time = line.substring(0, TIMESTAMP_LENGTH);
      if (time.compareTo(after) <= 0) {
        return;
      }
      if (time.compareTo(seen) > 0) {
        seen = time;
      }
    }
    String start = prefix + time;
    List<String> lines = line.substring(time.length()).lines().toList();
    if (lines.isEmpty()) {
      reader.accept(start + "\n");
    }
    lines.forEach(each -> reader.accept(start + PlainText.of(each) + "\n"));
  }

  @Override
  public void onError(Throwable failure) {
    if (failure instanceof NotFoundException || failure instanceof ConflictException) {
      onComplete();
      return;
    }
    ended = true;
    super.onError(failure);
  }

  @Override
  public void onComplete() {
    for (ByteArrayOutputStream line : unfinished.values()) {
      if (line.size() > 0) {
        finish(line);
      }
    }
    ended = true;
    super.onComplete();
  }

  /** Also by both above. */
  @Override
  public void close() throws IOException {
    try {
      super.close();
    } finally {
      closed.getAndSet(() -> {}).run();
    }
  }
}
