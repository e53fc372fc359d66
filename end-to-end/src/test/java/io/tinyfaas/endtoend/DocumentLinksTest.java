package io.tinyfaas.endtoend;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Where documents lead to within the checkout: to files that there are, and headings in them. */
class DocumentLinksTest {

  private static final Path ROOT = Checkout.path();
  private static final int DEEPEST = 4;

  private static final Pattern LINK = Pattern.compile("]\\(([^)#\\s:]*)(?:#([^)\\s]*))?\\)");
  private static final Pattern HEADING = Pattern.compile("^#+ (.*)$", Pattern.MULTILINE);
  private static final Pattern CODE = Pattern.compile("(?s)^```.*?^```$", Pattern.MULTILINE);

  static List<String> documents() throws IOException {
    try (Stream<Path> found = Files.walk(ROOT, DEEPEST)) {
      return found
          .map(file -> ROOT.relativize(file).toString())
          .filter(file -> file.endsWith(".md"))
          .filter(file -> !file.contains("target/") && !file.contains("node_modules/"))
          .sorted()
          .toList();
    }
  }

  @ParameterizedTest
  @MethodSource("documents")
  void shouldLeadToWhatThereIs(String document) throws IOException {
    Path file = ROOT.resolve(document);
    List<String> broken = new ArrayList<>();
    for (var link : LINK.matcher(text(file)).results().toList()) {
      Path target = link.group(1).isEmpty() ? file : file.resolveSibling(link.group(1)).normalize();
      if (!Files.exists(target)
          || link.group(2) != null && !anchors(target).contains(link.group(2))) {
        broken.add(link.group());
      }
    }
    assertThat(broken).isEmpty();
  }

  @Test
  void shouldLeadFromTheReadmeToEveryPage() throws IOException {
    Set<String> linked =
        LINK.matcher(text(ROOT.resolve("README.md")))
            .results()
            .map(link -> link.group(1))
            .collect(Collectors.toSet());

    assertThat(linked)
        .containsAll(documents().stream().filter(d -> d.matches("docs/[^/]+")).toList());
  }

  private static String text(Path file) throws IOException {
    return CODE.matcher(Files.readString(file)).replaceAll("");
  }

  /** As GitHub makes them of headings. */
  private static Set<String> anchors(Path file) throws IOException {
    return HEADING
        .matcher(text(file))
        .results()
        .map(heading -> heading.group(1).toLowerCase(Locale.ROOT).strip())
        .map(heading -> heading.replaceAll("[^\\p{L}\\p{N} _-]", "").replace(' ', '-'))
        .collect(Collectors.toSet());
  }
}
