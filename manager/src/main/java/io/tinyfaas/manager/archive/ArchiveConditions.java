package io.tinyfaas.manager.archive;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.fasterxml.jackson.core.JacksonException;
import com.fasterxml.jackson.core.JsonPointer;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.file.FileSystems;
import java.nio.file.Path;
import java.nio.file.PathMatcher;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * What a label of a runtime asks of an archive ({@code contract/handler-http.md}): conditions of
 * which one has to be met, or none at all.
 */
public record ArchiveConditions(List<Condition> all) {

  /** Of a file into which a pointer leads. As a tree, JSON takes up to thirty times its bytes. */
  static final int MAX_BYTES = 256 * 1024;

  /** What Windows tools write before JSON, and the tools that read it skip. */
  private static final String BYTE_ORDER_MARK = "\ufeff";

  /** As strict as the tools that will read the same file. */
  private static final JsonMapper JSON =
      JsonMapper.builder().enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS).build();

  /**
   * @param text as the label has it
   * @param files a file of the archive whose path matches
   * @param value holds this value, and not an empty one; empty: whatever it holds
   */
  record Condition(String text, PathMatcher files, Optional<JsonPointer> value) {

    /**
     * @throws IllegalArgumentException if it is no glob, or its fragment no JSON Pointer
     */
    static Condition parse(String text) {
      int hash = text.indexOf('#');
      String glob = hash < 0 ? text : text.substring(0, hash);
      return new Condition(
          text,
          FileSystems.getDefault().getPathMatcher("glob:" + glob),
          hash < 0
              ? Optional.empty()
              : Optional.of(JsonPointer.compile(URI.create(text.substring(hash)).getFragment())));
    }
  }

  public ArchiveConditions {
    all = List.copyOf(all);
  }

  /**
   * @throws IllegalArgumentException if one of them is none
   */
  public static ArchiveConditions parse(List<String> entries) {
    return new ArchiveConditions(entries.stream().map(Condition::parse).toList());
  }

  public boolean areMetBy(FunctionArchive archive) {
    return all.isEmpty()
        || archive.paths().stream().anyMatch(path -> of(path).anyMatch(c -> c.value().isEmpty()))
        || archive.hasFile(path -> of(path).findAny().isPresent(), this::hasValue);
  }

  /**
   * In which folders there is a file of such a path, as if they were the top: those that are
   * nearest to it, with a slash at their end. The file's values are not looked at.
   */
  public List<String> nearestFoldersOf(FunctionArchive archive) {
    Map<Integer, Set<String>> byDepth = new TreeMap<>();
    for (String path : archive.paths()) {
      int depth = 0;
      for (int slash = path.indexOf('/'); slash >= 0; slash = path.indexOf('/', slash + 1)) {
        depth++;
        if (of(path.substring(slash + 1)).findAny().isPresent()) {
          byDepth.computeIfAbsent(depth, none -> new TreeSet<>()).add(path.substring(0, slash + 1));
        }
      }
    }
    return byDepth.values().stream().findFirst().map(List::copyOf).orElse(List.of());
  }

  private Stream<Condition> of(String path) {
    Path file = Path.of(path);
    return all.stream().filter(condition -> condition.files().matches(file));
  }

  /**
   * What is not the JSON that it should be counts as if it had the value: whoever is to work with
   * it tells the author what is wrong.
   */
  private boolean hasValue(String path, InputStream content) throws IOException {
    byte[] bytes = content.readNBytes(MAX_BYTES + 1);
    if (bytes.length > MAX_BYTES) {
      return true;
    }
    JsonNode document;
    try {
      String text = UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes)).toString();
      document = JSON.readTree(text.startsWith(BYTE_ORDER_MARK) ? text.substring(1) : text);
    } catch (JacksonException | CharacterCodingException e) {
      return true;
    }
    return document.isMissingNode()
        || of(path).flatMap(c -> c.value().stream()).anyMatch(value -> isThere(document, value));
  }

  private static boolean isThere(JsonNode in, JsonPointer value) {
    if (value.matches()) {
      return !in.isMissingNode()
          && !in.isNull()
          && !(in.isContainerNode() && in.isEmpty())
          && !(in.isTextual() && in.textValue().isEmpty());
    }
    return switch (in.getNodeType()) {
      case OBJECT -> isThere(in.path(value.getMatchingProperty()), value.tail());
      case ARRAY ->
          !value.mayMatchElement() || isThere(in.path(value.getMatchingIndex()), value.tail());
      case MISSING -> false;
      case BINARY, BOOLEAN, NULL, NUMBER, POJO, STRING -> true;
    };
  }

  /** For people. */
  @Override
  public String toString() {
    return all.stream().map(Condition::text).collect(Collectors.joining(", "));
  }
}
