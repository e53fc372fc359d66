package io.tinyfaas.harness;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
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
 * The end of {@code make test}: what Surefire and Failsafe have reported of all modules, in one
 * table, and what went wrong in the cases that failed. Those against real parts that failed are run
 * once more, in a JVM of their own; one that then passes is flaky.
 */
final class TestSummary {

  /** Where {@code compose/test} puts what Failsafe reported before it runs cases again. */
  private static final String FIRST_ATTEMPT = "first-attempt-reports";

  private static final Pattern REPORTS =
      Pattern.compile("(surefire|failsafe|first-attempt)-reports");
  private static final Pattern METHOD = Pattern.compile("^\\w+");

  /** Of one case's output, and of the trace of its failure. */
  private static final int LINES = 60;

  /** Classes that took longer are listed by name. */
  private static final int LONG_SECONDS = 10;

  /**
   * @param seconds that its cases took, each after the other
   */
  private record Module(int cases, int failed, int skipped, double seconds, int flaky) {
    static final Module NONE = new Module(0, 0, 0, 0, 0);

    Module and(Module other) {
      return new Module(
          cases + other.cases,
          failed + other.failed,
          skipped + other.skipped,
          seconds + other.seconds,
          flaky + other.flaky);
    }

    String row(String name) {
      return "%-32s %7d %7d %8d %9.0f s %6d%n"
          .formatted(name, cases, failed, skipped, seconds, flaky);
    }
  }

  /**
   * @param name as reported: of a case with parameters with its number, empty for what prepares a
   *     class
   */
  private record Case(String module, String type, String name, Element report) {
    String key() {
      return module + " " + type + "." + name;
    }

    boolean hasFailed() {
      return !children(report, "failure", "error").isEmpty();
    }

    boolean isSkipped() {
      return !children(report, "skipped").isEmpty();
    }

    double seconds() {
      return TestSummary.seconds(report);
    }

    String shortName() {
      return type.replaceAll(".*\\.", "") + (name.isEmpty() ? "" : "." + name);
    }

    /** As Failsafe selects it, with all of its parameters. */
    String selection() {
      Matcher method = METHOD.matcher(name);
      boolean isOfAMethod = method.find() && !("." + type).endsWith("." + name);
      return type + (isOfAMethod ? "#" + method.group() : "");
    }
  }

  /**
   * Of one report.
   *
   * @param seconds with what prepares its cases and cleans up after them
   */
  private record TestClass(String module, String type, int cases, double seconds) {
    String row() {
      return "%-49s %6d %8.0f s%n"
          .formatted(module + " " + type.replaceAll(".*\\.", ""), cases, seconds);
    }
  }

  private final Path checkout;
  private final List<TestClass> classes = new ArrayList<>();
  private final List<Case> unit;
  private final List<Case> first;

  /** By {@link Case#key}; empty where nothing was run again. */
  private final Map<String, Case> again = new LinkedHashMap<>();

  /**
   * @param checkout in which Maven has run
   */
  TestSummary(Path checkout) throws IOException {
    this.checkout = checkout;
    unit = read("surefire-reports");
    List<Case> earlier = read(FIRST_ATTEMPT);
    SortedSet<String> repeated =
        earlier.stream().map(Case::module).collect(Collectors.toCollection(TreeSet::new));
    first = new ArrayList<>(earlier);
    for (Case last : read("failsafe-reports")) {
      if (repeated.contains(last.module())) {
        again.put(last.key(), last);
      } else {
        first.add(last);
      }
    }
  }

  /**
   * Ends with 1 if a case has failed.
   *
   * @param arguments the checkout, and {@code again}: prints for each module what is to be run once
   *     more, {@code MODULE SELECTION}; otherwise prints the table, with modules whose cases Maven
   *     does not run, {@code NAME=CASES=SECONDS} each
   */
  public static void main(String... arguments) throws IOException {
    TestSummary summary = new TestSummary(Path.of(arguments[0]).toRealPath());
    List<String> more = List.of(arguments).subList(1, arguments.length);
    if (more.equals(List.of("again"))) {
      summary.toRunAgain().forEach((module, cases) -> System.out.println(module + " " + cases));
      return;
    }
    System.out.print(summary.text(more));
    System.exit(summary.failed().isEmpty() ? 0 : 1);
  }

  /** The cases against real parts that failed, for Failsafe, by module. */
  SortedMap<String, String> toRunAgain() {
    return first.stream()
        .filter(Case::hasFailed)
        .collect(
            Collectors.groupingBy(
                Case::module,
                TreeMap::new,
                Collectors.mapping(
                    Case::selection,
                    Collectors.collectingAndThen(
                        Collectors.toCollection(TreeSet::new),
                        selections -> String.join(",", selections)))));
  }

  /**
   * @param others modules whose cases Maven does not run: {@code NAME=CASES=SECONDS} each
   */
  String text(List<String> others) {
    SortedMap<String, Module> modules = new TreeMap<>();
    for (String other : others) {
      String[] fields = other.split("=");
      modules.put(
          fields[0],
          new Module(Integer.parseInt(fields[1]), 0, 0, Double.parseDouble(fields[2]), 0));
    }
    StringBuilder text = new StringBuilder();
    failed().forEach(failed -> tell("FAILED", failed, text));
    flaky().forEach(flaky -> tell("FLAKY", flaky, text));
    Stream.concat(unit.stream(), first.stream())
        .forEach(each -> modules.merge(each.module(), counted(each), Module::and));
    Module all = modules.values().stream().reduce(Module.NONE, Module::and);
    text.append(
        "%n%-32s %7s %7s %8s %11s %6s%n"
            .formatted("module", "cases", "failed", "skipped", "time", "flaky"));
    modules.forEach((name, module) -> text.append(module.row(name)));
    text.append(all.row("all"));
    text.append(longClasses());
    failed().forEach(each -> text.append("failed: ").append(each.shortName()).append('\n'));
    flaky().forEach(each -> text.append("flaky: ").append(each.shortName()).append('\n'));
    text.append(
        "%n%d passed, %d failed, %d skipped%n"
            .formatted(all.cases() - all.failed() - all.skipped(), all.failed(), all.skipped()));
    return text.toString();
  }

  /** The longest first: what they save is what a lane ends sooner. */
  private String longClasses() {
    String rows =
        classes.stream()
            .filter(each -> each.seconds() >= LONG_SECONDS)
            .sorted(Comparator.comparingDouble(TestClass::seconds).reversed())
            .map(TestClass::row)
            .collect(Collectors.joining());
    return rows.isEmpty() ? "" : "%n%-49s %6s %10s%n".formatted("class", "cases", "time") + rows;
  }

  private List<Case> failed() {
    return Stream.concat(unit.stream(), first.stream())
        .filter(each -> each.hasFailed() && !isFlaky(each))
        .toList();
  }

  private List<Case> flaky() {
    return first.stream().filter(this::isFlaky).toList();
  }

  /**
   * It was run again and passed. What prepares a class has no report where it did not fail: then
   * cases of the class have one.
   */
  private boolean isFlaky(Case failed) {
    if (!failed.hasFailed() || again.isEmpty()) {
      return false;
    }
    Case second = again.get(failed.key());
    if (second != null) {
      return !second.hasFailed();
    }
    List<Case> ofItsClass =
        again.values().stream().filter(each -> each.type().equals(failed.type())).toList();
    return failed.selection().equals(failed.type())
        && !ofItsClass.isEmpty()
        && ofItsClass.stream().noneMatch(Case::hasFailed);
  }

  private Module counted(Case each) {
    boolean isFlaky = isFlaky(each);
    return new Module(
        1,
        each.hasFailed() && !isFlaky ? 1 : 0,
        each.isSkipped() ? 1 : 0,
        each.seconds(),
        isFlaky ? 1 : 0);
  }

  private void tell(String what, Case each, StringBuilder text) {
    text.append("%n=== %s %s%n".formatted(what, each.shortName()));
    Stream.of(Optional.of(each), Optional.ofNullable(again.get(each.key())))
        .flatMap(Optional::stream)
        .forEach(attempt -> tell(attempt.report(), attempt == each ? "first" : "second", text));
  }

  private static void tell(Element report, String attempt, StringBuilder text) {
    for (Element failure : children(report, "failure", "error")) {
      text.append(
          failure.getTextContent().strip().lines().limit(LINES).collect(Collectors.joining("\n")));
      text.append('\n');
    }
    for (Element output : children(report, "system-out")) {
      List<String> lines = output.getTextContent().strip().lines().toList();
      text.append("--- printed in the %s attempt:%n".formatted(attempt));
      lines.stream()
          .skip(Math.max(0, lines.size() - LINES))
          .forEach(line -> text.append(line).append('\n'));
    }
  }

  private List<Case> read(String folder) throws IOException {
    List<Path> reports;
    try (Stream<Path> files = Files.find(checkout, 6, (path, file) -> isReport(path))) {
      reports =
          files
              .filter(path -> path.getParent().getFileName().toString().equals(folder))
              .sorted()
              .toList();
    }
    List<Case> cases = new ArrayList<>();
    for (Path report : reports) {
      Path module = report.getParent().getParent().getParent();
      String name = checkout.relativize(module).toString();
      Element suite = parse(report);
      List<Element> testcases = children(suite, "testcase");
      classes.add(
          new TestClass(name, suite.getAttribute("name"), testcases.size(), seconds(suite)));
      for (Element testcase : testcases) {
        cases.add(
            new Case(
                name, testcase.getAttribute("classname"), testcase.getAttribute("name"), testcase));
      }
    }
    return cases;
  }

  private static double seconds(Element report) {
    String time = report.getAttribute("time").replace(",", "");
    return time.isEmpty() ? 0 : Double.parseDouble(time);
  }

  private static boolean isReport(Path path) {
    return REPORTS.matcher(path.getParent().getFileName().toString()).matches()
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
