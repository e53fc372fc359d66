package io.tinyfaas.endtoend;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/**
 * {@code docs/settings.md} beside what reads settings: Compose's files, and the sources of gateway
 * and manager with their application.properties.
 */
class SettingsDocumentTest {

  private static final Path ROOT = Checkout.path();

  /** A row of a table: its variable, its default. */
  private static final Pattern ROW =
      Pattern.compile("^\\| `([A-Z_]+)` \\|(?: `([^`]+)`)? \\|", Pattern.MULTILINE);

  /** In a file of Compose, or in application.properties. */
  private static final Pattern COMPOSE = Pattern.compile("\\$\\{([A-Z_]+)(?::-([^{}$]+)})?");

  private static final Pattern PROPERTY =
      Pattern.compile("^tinyfaas\\.([a-z.-]+)=(.*)$", Pattern.MULTILINE);

  private static final Pattern ALIAS = Pattern.compile("\\$\\{([A-Z_]+):([^}]*)}");

  private static final Pattern INJECTED =
      Pattern.compile("@ConfigProperty\\(name = \"tinyfaas\\.([a-z.-]+)\"");

  private static final Pattern PREFIX =
      Pattern.compile("@ConfigMapping\\(prefix = \"tinyfaas\\.?([a-z.-]*)\"\\)");

  /** In a mapping, as the formatter writes it: an interface within it, or a method. */
  private static final Pattern MEMBER =
      Pattern.compile(
          "^( +)(?:(?:static |final )*(interface|class|enum|record) (\\w+)"
              + "|(?:@WithDefault\\(\"([^\"]*)\"\\)\\s+)?[A-Z\\w.<>]+ (\\w+)\\(\\);)",
          Pattern.MULTILINE);

  /** By name, with their defaults; the empty one where there is none, or not one only. */
  private static Map<String, String> documented() {
    Map<String, String> found = new TreeMap<>();
    rows(Checkout.read("docs/settings.md"))
        .forEach(row -> found.merge(row.group(1), defaultOf(row), (a, b) -> a.equals(b) ? a : ""));
    return found;
  }

  private static Stream<MatchResult> rows(byte[] document) {
    return ROW.matcher(new String(document)).results();
  }

  private static String defaultOf(MatchResult row) {
    return row.group(2) == null ? "" : row.group(2);
  }

  /** By name; of one that is read in several places, with the default of the outermost. */
  private static Map<String, String> read() throws IOException {
    Map<String, String> found = new TreeMap<>();
    for (Path file : files("compose", "*.yaml")) {
      COMPOSE.matcher(Files.readString(file)).results().forEach(r -> put(found, r.group(1), r, 2));
    }
    for (String module : List.of("gateway", "manager")) {
      String properties =
          Files.readString(ROOT.resolve(module + "/src/main/resources/application.properties"));
      ALIAS.matcher(properties).results().forEach(r -> put(found, r.group(1), r, 2));
      PROPERTY
          .matcher(properties)
          .results()
          .filter(r -> !isAlias(r.group(2)) || module.equals("manager"))
          .forEach(r -> put(found, variable(r.group(1)), isAlias(r.group(2)) ? "" : r.group(2)));
      for (Path source : files(module + "/src/main/java", "*.java")) {
        String text = Files.readString(source);
        INJECTED.matcher(text).results().forEach(r -> put(found, variable(r.group(1)), ""));
        PREFIX.matcher(text).results().forEach(r -> mapping(r.group(1), text, found));
      }
    }
    return found;
  }

  private static void mapping(String prefix, String source, Map<String, String> found) {
    Map<String, String> nested = new HashMap<>();
    List<MatchResult> methods = new ArrayList<>();
    String within = "";
    for (MatchResult member : MEMBER.matcher(source).results().toList()) {
      boolean top = member.group(1).length() == 2;
      if (member.group(2) != null) {
        within = top ? member.group(3).toLowerCase(Locale.ROOT) : within;
        nested.put(within, member.group(2));
      } else if (top) {
        methods.add(member);
      } else if (nested.get(within).equals("interface")) {
        put(found, variable(joined(prefix, within, member.group(5))), member, 4);
      }
    }
    methods.stream()
        .filter(method -> !nested.containsKey(method.group(5)))
        .forEach(method -> put(found, variable(joined(prefix, method.group(5))), method, 4));
  }

  private static String joined(String... parts) {
    return String.join(".", Stream.of(parts).filter(part -> !part.isEmpty()).toList());
  }

  /** Of a property of ours. */
  private static String variable(String property) {
    return "TINYFAAS_"
        + property
            .replaceAll("([a-z])([A-Z])", "$1-$2")
            .replaceAll("[.-]", "_")
            .toUpperCase(Locale.ROOT);
  }

  private static boolean isAlias(String value) {
    return value.startsWith("${");
  }

  private static void put(Map<String, String> found, String name, MatchResult at, int group) {
    put(found, name, at.group(group) == null ? "" : at.group(group));
  }

  private static void put(Map<String, String> found, String name, String value) {
    found.merge(name, value, (first, other) -> first.isEmpty() ? other : first);
  }

  private static List<Path> files(String folder, String pattern) {
    var glob = ROOT.getFileSystem().getPathMatcher("glob:" + pattern);
    try (Stream<Path> found = Files.walk(ROOT.resolve(folder))) {
      return found.filter(file -> glob.matches(file.getFileName())).sorted().toList();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** They have two names; people use the one without the prefix. */
  private static final Set<String> SECOND_NAMES =
      Set.of("TINYFAAS_COAPS_PORT", "TINYFAAS_MQTTS_PORT", "TINYFAAS_MQTT_PORT");

  @Test
  void shouldHaveEverySettingAndNoOther() throws IOException {
    Set<String> read = new TreeSet<>(read().keySet());
    read.removeAll(SECOND_NAMES);

    assertThat(documented().keySet()).containsExactlyInAnyOrderElementsOf(read);
  }

  @Test
  void shouldHaveTheDefaultsThatAreRead() throws IOException {
    Map<String, String> read = read();

    documented()
        .forEach(
            (name, value) -> {
              if (!value.isEmpty() && !read.get(name).isEmpty()) {
                assertThat(read.get(name)).as(name).isEqualTo(value);
              }
            });
  }
}
