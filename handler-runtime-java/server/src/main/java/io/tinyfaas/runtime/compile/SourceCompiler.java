package io.tinyfaas.runtime.compile;

import io.tinyfaas.runtime.load.FunctionLoader;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import javax.tools.Diagnostic;
import javax.tools.DiagnosticCollector;
import javax.tools.JavaCompiler;
import javax.tools.JavaFileObject;
import javax.tools.StandardJavaFileManager;
import javax.tools.ToolProvider;

/**
 * The build command of the {@code java} runtime: compiles the {@code .java} files of an archive
 * against the function API and the archive's jars. Annotation processors do not run: this is root's
 * build, and they are anybody's code.
 */
public final class SourceCompiler {

  private static final int MAX_PRINTED = 10;

  /** By the compiler's name of the error. */
  private static final Map<String, String> WAYS_OUT =
      Map.of(
          "compiler.err.doesnt.exist",
          "If it is a library's, bring its jar in the archive's folder lib/.",
          "compiler.err.illegal.char.for.encoding",
          "Save the file in UTF-8.",
          "compiler.err.illegal.char",
          "Where it is \\ufeff, a byte order mark: save the file in UTF-8 without one.");

  private SourceCompiler() {}

  /** Exits with 0, or with 1 after the errors were printed. */
  public static void main(String[] arguments) throws IOException {
    System.exit(compile(Path.of(arguments[0]), System.err) ? 0 : 1);
  }

  /**
   * @param folder of the unpacked archive, into which the classes go as well
   */
  public static boolean compile(Path folder, PrintStream errors) throws IOException {
    List<Path> sources = sourcesIn(folder);
    if (sources.isEmpty()) {
      return true;
    }
    Path classes = Files.createDirectories(folder.resolve(FunctionLoader.COMPILED));
    List<Path> classPath = new ArrayList<>(FunctionLoader.jarsIn(folder));
    // What this class came with, the API among it.
    Stream.of(System.getProperty("java.class.path").split(":"))
        .map(Path::of)
        .forEach(classPath::add);

    JavaCompiler compiler = ToolProvider.getSystemJavaCompiler();
    DiagnosticCollector<JavaFileObject> found = new DiagnosticCollector<>();
    try (StandardJavaFileManager files =
        compiler.getStandardFileManager(found, Locale.ENGLISH, StandardCharsets.UTF_8)) {
      List<String> options =
          List.of(
              "-proc:none",
              "-nowarn",
              "-parameters",
              // A NullPointerException says which variable was null.
              "-g",
              "-d",
              classes.toString(),
              "-classpath",
              classPath.stream().map(Path::toString).collect(Collectors.joining(":")));
      boolean succeeded =
          compiler
              .getTask(
                  null, files, found, options, null, files.getJavaFileObjectsFromPaths(sources))
              .call();
      // It is content with bytes that are no characters, and compiles others in their place.
      boolean compiled = succeeded && errorsAmong(found.getDiagnostics()).isEmpty();
      if (!compiled) {
        print(errorsAmong(found.getDiagnostics()), folder, errors);
      }
      return compiled;
    }
  }

  /** Tests need libraries that functions do not; a module would not see the archive's jars. */
  private static List<Path> sourcesIn(Path folder) throws IOException {
    try (Stream<Path> files = Files.walk(folder)) {
      return files
          .filter(file -> file.toString().endsWith(".java") && Files.isRegularFile(file))
          .filter(file -> !file.endsWith("module-info.java"))
          .filter(file -> FunctionLoader.isOfTheFunction(folder, file))
          .sorted()
          .toList();
    }
  }

  private static List<Diagnostic<? extends JavaFileObject>> errorsAmong(
      List<Diagnostic<? extends JavaFileObject>> found) {
    return found.stream().filter(each -> each.getKind() == Diagnostic.Kind.ERROR).toList();
  }

  private static void print(
      List<Diagnostic<? extends JavaFileObject>> wrong, Path folder, PrintStream errors) {
    for (Diagnostic<? extends JavaFileObject> each :
        wrong.subList(0, Math.min(MAX_PRINTED, wrong.size()))) {
      String place =
          each.getSource() == null
              ? ""
              : folder.relativize(Path.of(each.getSource().getName()))
                  + ":"
                  + each.getLineNumber()
                  + ": ";
      errors.println(place + each.getMessage(Locale.ENGLISH));
    }
    if (wrong.size() > MAX_PRINTED) {
      errors.println("and " + (wrong.size() - MAX_PRINTED) + " more errors");
    }
    wrong.stream()
        .map(each -> Optional.ofNullable(WAYS_OUT.get(each.getCode())))
        .flatMap(Optional::stream)
        .distinct()
        .forEach(errors::println);
  }
}
