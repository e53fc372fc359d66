package io.tinyfaas.manager.runtime;

import io.tinyfaas.manager.engine.ContainerOutput;
import io.tinyfaas.manager.text.PlainText;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What an image's build printed: its last lines, the images that it said it made, and the
 * containers in which it ran its steps.
 */
final class BuildOutput {

  private static final int MAX_LINE = 400;
  private static final int MAX_IMAGES = 1_000;

  /** The engine colours what was printed to standard error. */
  private static final Pattern COLOURS = Pattern.compile("\\u001B\\[[0-9;]*m");

  private static final Pattern CONTAINER = Pattern.compile(" ---> Running in ([0-9a-f]{12,64})");

  private static final Pattern IMAGE = Pattern.compile(" ---> ([0-9a-f]{12,64})");

  private final Deque<String> lines = new ArrayDeque<>();
  private final Set<String> images = new LinkedHashSet<>();
  private Optional<String> container = Optional.empty();

  synchronized void add(String text) {
    COLOURS
        .matcher(text)
        .replaceAll("")
        .lines()
        .map(line -> PlainText.of(line.stripTrailing()))
        .filter(line -> !line.isBlank())
        .forEach(
            line -> {
              Matcher image = IMAGE.matcher(line);
              if (image.matches() && images.size() < MAX_IMAGES) {
                images.add(image.group(1));
              }
              Matcher running = CONTAINER.matcher(line);
              if (running.matches()) {
                container = Optional.of(running.group(1));
              }
              if (lines.size() == ContainerOutput.LINES) {
                lines.removeFirst();
              }
              lines.addLast(line.length() > MAX_LINE ? line.substring(0, MAX_LINE) + "…" : line);
            });
  }

  synchronized List<String> lastLines() {
    return List.copyOf(lines);
  }

  /** Of the latest step that has one. */
  synchronized Optional<String> container() {
    return container;
  }

  /** Of each step, the last one first. */
  synchronized List<String> images() {
    return new ArrayList<>(images).reversed();
  }
}
