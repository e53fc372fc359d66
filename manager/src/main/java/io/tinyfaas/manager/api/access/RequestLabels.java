package io.tinyfaas.manager.api.access;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.micrometer.core.instrument.Meter;
import io.micrometer.core.instrument.Tag;
import io.micrometer.core.instrument.config.MeterFilter;
import jakarta.inject.Singleton;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.List;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * Which labels the measurements of requests have: those of the calls that there are. A path that is
 * refused before anybody knows what it is for, and a method that is none, are whatever a client
 * says, and would each be kept for as long as the manager runs.
 */
@Singleton
class RequestLabels implements MeterFilter {

  private static final String OTHER = "OTHER";
  private static final Set<String> METHODS =
      Set.of("GET", "HEAD", "PUT", "POST", "PATCH", "DELETE", "OPTIONS");

  /** A path in {@code META-INF/openapi.yaml}, which a test compares with the code. */
  private static final Pattern PATH = Pattern.compile("(?m)^  (/\\S*):$");

  private final Set<String> paths;

  RequestLabels() {
    try (InputStream document = RequestLabels.class.getResourceAsStream("/META-INF/openapi.yaml")) {
      String text = new String(document.readAllBytes(), UTF_8);
      this.paths =
          PATH.matcher(text).results().map(path -> path.group(1)).collect(Collectors.toSet());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Override
  public Meter.Id map(Meter.Id id) {
    if (!id.getName().startsWith("http.server.")) {
      return id;
    }
    List<Tag> tags = id.getTags().stream().map(this::known).toList();
    return id.replaceTags(tags);
  }

  private Tag known(Tag tag) {
    boolean known =
        switch (tag.getKey()) {
          // Without a slash it is a word of Quarkus' own, such as NOT_FOUND.
          case "uri" -> !tag.getValue().startsWith("/") || paths.contains(tag.getValue());
          case "method" -> METHODS.contains(tag.getValue());
          default -> true;
        };
    return known ? tag : Tag.of(tag.getKey(), OTHER);
  }
}
