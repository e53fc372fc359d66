package io.tinyfaas.harness;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import javax.xml.parsers.DocumentBuilder;
import javax.xml.parsers.DocumentBuilderFactory;
import javax.xml.parsers.ParserConfigurationException;
import org.w3c.dom.Element;
import org.w3c.dom.NodeList;
import org.xml.sax.SAXException;

/**
 * The end of {@code make test}: one table of what Surefire and Failsafe have reported, and what
 * went wrong in the cases that failed, or that passed at the second attempt.
 */
final class TestSummary {

  /** Of one case's output, and of the trace of its failure. */
  private static final int LINES = 60;

  /**
   * @param seconds what its cases took, each after the other
   */
  record Module(int cases, int failed, int skipped, double seconds, List<String> flaky) {
    static final Module NONE = new Module(0, 0, 0, 0, List.of());

    Module and(Module other) {
      return new Module(
          cases + other.cases,
          failed + other.failed,
          skipped + other.skipped,
          seconds + other.seconds,
          Stream.concat(flaky.stream(), other.flaky.stream()).toList());
    }

    private String row(String name) {
      return "%-32s %7d %7d %8d %9.0f s %6d%n"
          .formatted(name, cases, failed, skipped, seconds, flaky.size());
    }
  }

  private final Map<String, Module> modules = new TreeMap<>();
  private final StringBuilder stories = new StringBuilder();

  /**
   * @param arguments the checkout, and the modules whose cases Maven does not run: {@code
   *     NAME=CASES=SECONDS} each
   */
  public static void main(String... arguments) throws IOException {
    TestSummary summary = new TestSummary();
    for (String other : List.of(arguments).subList(1, arguments.length)) {
      String[] fields = other.split("=");
      summary.add(
          fields[0],
          new Module(Integer.parseInt(fields[1]), 0, 0, Double.parseDouble(fields[2]), List.of()));
    }
    System.out.print(summary.read(Path.of(arguments[0])));
  }

  /**
   * @param checkout in which Maven has run
   * @return what is to be printed
   */
  String read(Path checkout) throws IOException {
    List<Path> reports;
    try (Stream<Path> files = Files.find(checkout, 6, (path, file) -> isReport(path))) {
      reports = files.sorted().toList();
    }
    for (Path report : reports) {
      String module = checkout.relativize(report.getParent().getParent().getParent()).toString();
      add(module, suite(parse(report)));
    }
    Module all = modules.values().stream().reduce(Module.NONE, Module::and);
    StringBuilder text = new StringBuilder(stories);
    text.append(
        "%n%-32s %7s %7s %8s %11s %6s%n"
            .formatted("module", "cases", "failed", "skipped", "time", "flaky"));
    modules.forEach((name, module) -> text.append(module.row(name)));
    text.append(all.row("all"));
    all.flaky().forEach(flaky -> text.append("flaky: ").append(flaky).append('\n'));
    text.append(
        "%n%d passed, %d failed, %d skipped%n"
            .formatted(all.cases() - all.failed() - all.skipped(), all.failed(), all.skipped()));
    return text.toString();
  }

  private void add(String name, Module module) {
    modules.merge(name, module, Module::and);
  }

  private static boolean isReport(Path path) {
    String folder = path.getParent().getFileName().toString();
    return folder.matches("(surefire|failsafe)-reports")
        && path.getFileName().toString().matches("TEST-.*\\.xml");
  }

  private static Element parse(Path report) throws IOException {
    try {
      DocumentBuilder builder = DocumentBuilderFactory.newDefaultInstance().newDocumentBuilder();
      return builder.parse(report.toFile()).getDocumentElement();
    } catch (ParserConfigurationException | SAXException e) {
      throw new IOException(report + " cannot be read: " + e.getMessage(), e);
    }
  }

  private Module suite(Element suite) {
    Module module = Module.NONE;
    for (Element testcase : children(suite, "testcase")) {
      String name =
          testcase.getAttribute("classname").replaceAll(".*\\.", "")
              + "."
              + testcase.getAttribute("name");
      List<Element> failures = children(testcase, "failure", "error");
      List<Element> flakes = children(testcase, "flakyFailure", "flakyError");
      if (!failures.isEmpty()) {
        tell("FAILED", name, failures, children(testcase, "rerunFailure", "rerunError"));
      } else if (!flakes.isEmpty()) {
        tell("FLAKY", name, flakes, List.of());
      }
      module =
          module.and(
              new Module(
                  1,
                  failures.isEmpty() ? 0 : 1,
                  children(testcase, "skipped").isEmpty() ? 0 : 1,
                  seconds(testcase),
                  failures.isEmpty() && !flakes.isEmpty() ? List.of(name) : List.of()));
      if (!failures.isEmpty() || !flakes.isEmpty()) {
        children(testcase, "system-out").forEach(output -> tellOutput("the last attempt", output));
      }
    }
    return module;
  }

  private void tell(String what, String name, List<Element> first, List<Element> again) {
    stories.append("%n=== %s %s%n".formatted(what, name));
    List<Element> attempts = new ArrayList<>(first);
    attempts.addAll(again);
    for (Element attempt : attempts) {
      List<Element> trace = children(attempt, "stackTrace");
      stories.append(first(trace.isEmpty() ? attempt.getTextContent() : text(trace))).append('\n');
      children(attempt, "system-out").forEach(output -> tellOutput("that attempt", output));
    }
  }

  private void tellOutput(String which, Element output) {
    String printed = output.getTextContent().strip();
    if (!printed.isEmpty()) {
      stories.append("--- printed in %s:%n%s%n".formatted(which, last(printed)));
    }
  }

  private static String text(List<Element> elements) {
    return elements.getFirst().getTextContent();
  }

  private static String first(String text) {
    return text.strip().lines().limit(LINES).collect(Collectors.joining("\n"));
  }

  private static String last(String text) {
    List<String> lines = text.lines().toList();
    return String.join("\n", lines.subList(Math.max(0, lines.size() - LINES), lines.size()));
  }

  private static double seconds(Element testcase) {
    String time = testcase.getAttribute("time").replace(",", "");
    return time.isEmpty() ? 0 : Double.parseDouble(time);
  }

  private static List<Element> children(Element parent, String... names) {
    NodeList nodes = parent.getChildNodes();
    return IntStream.range(0, nodes.getLength())
        .mapToObj(nodes::item)
        .filter(Element.class::isInstance)
        .map(Element.class::cast)
        .filter(child -> List.of(names).contains(child.getTagName()))
        .toList();
  }
}
