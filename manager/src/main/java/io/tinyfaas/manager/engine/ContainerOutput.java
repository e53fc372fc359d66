package io.tinyfaas.manager.engine;

import com.github.dockerjava.api.DockerClient;
import com.github.dockerjava.api.async.ResultCallback;
import com.github.dockerjava.api.model.Frame;
import com.github.dockerjava.api.model.LogConfig;
import io.tinyfaas.manager.text.PlainText;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/** What a container prints, and its last lines for whoever has to know why it failed. */
public final class ContainerOutput {

  /** 10 MiB of it are kept, in two files. */
  public static final LogConfig BOUNDED =
      new LogConfig(LogConfig.LoggingType.JSON_FILE, Map.of("max-size", "5m", "max-file", "2"));

  /** Enough to see a stack trace's cause, little enough for one answer. */
  public static final int LINES = 40;

  private static final int MAX_CHARACTERS = 16 * 1024;
  private static final Duration TIMEOUT = Duration.ofSeconds(5);

  private ContainerOutput() {}

  /**
   * Where a problem sends whoever reads it.
   *
   * @param toOutput what to do with the output, if there is any; without a full stop
   */
  public static String hint(List<String> output, String toOutput) {
    return output.isEmpty() ? "It printed nothing." : toOutput + ".";
  }

  /** Best effort: empty if the engine does not tell. */
  public static List<String> lastLines(DockerClient docker, String container) {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (var frames =
        docker
            .logContainerCmd(container)
            .withStdOut(true)
            .withStdErr(true)
            .withTail(LINES)
            .exec(
                new ResultCallback.Adapter<Frame>() {
                  @Override
                  public void onNext(Frame frame) {
                    bytes.writeBytes(frame.getPayload());
                  }
                })) {
      frames.awaitCompletion(TIMEOUT.toSeconds(), TimeUnit.SECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } catch (IOException | RuntimeException e) {
      return List.of();
    }
    return plainLines(bytes.toString(StandardCharsets.UTF_8));
  }

  /** The last of them. */
  static List<String> plainLines(String text) {
    String last = text.substring(Math.max(0, text.length() - MAX_CHARACTERS));
    return last.lines().map(line -> PlainText.of(line.stripTrailing())).toList();
  }
}
