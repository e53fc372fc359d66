package io.tinyfaas.runtime.load;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Modifier;
import java.net.MalformedURLException;
import java.net.URL;
import java.net.URLClassLoader;
import java.net.URLConnection;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Function;
import java.util.jar.JarEntry;
import java.util.jar.JarFile;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * Finds and constructs the function in an unpacked archive: the class that the specification names
 * as its entry, or else the one that {@code META-INF/services/java.util.function.Function} or a
 * manifest's {@code Function-Class} names, or else the only class there that can be one.
 *
 * <p>The class path is the compiled sources, the archive's own folder (resources), and its jars.
 */
public final class FunctionLoader {

  /** Where {@code SourceCompiler} puts the classes of an archive's sources. */
  public static final String COMPILED = ".tinyfaas/classes";

  private static final String SERVICES = "META-INF/services/" + Function.class.getName();
  private static final String MANIFEST_ATTRIBUTE = "Function-Class";

  /** Of tests, and of the build tools themselves, at the top or in a module's folder. */
  private static final Pattern NOT_THE_FUNCTIONS =
      Pattern.compile(
          "(.*/)?(\\.mvn|gradle/wrapper|src/(test|it|integrationTest|testFixtures|jmh)|target/generated-test-sources)/.*");

  /** What was built of the sources that are compiled anew, but not libraries put there. */
  private static final Pattern BUILT =
      Pattern.compile("(.*/)?(target/(?!dependency/)|build/libs/).*");

  private static final int MAX_SCANNED = 20_000;
  private static final int MAX_LISTED = 10;

  private final Path folder;
  private final List<Path> jars;
  private final List<Path> resources;

  private FunctionLoader(Path folder) throws IOException {
    this.folder = folder;
    this.jars = jarsIn(folder);
    this.resources =
        Stream.of(folder.resolve(COMPILED), folder, folder.resolve("src/main/resources"))
            .filter(Files::isDirectory)
            .toList();
  }

  /**
   * Also makes the function's class loader the context class loader of this thread and of those
   * that it starts, which is where libraries look for their parts.
   *
   * @param folder of the unpacked archive
   * @param entry the class that is the function, if the specification names it
   * @throws LoadFailure if there is no function, more than one, or it cannot be constructed
   */
  public static LoadedFunction load(Path folder, Optional<String> entry) throws LoadFailure {
    try {
      FunctionLoader search = new FunctionLoader(folder);
      String name = entry.isPresent() ? entry.get() : search.className();
      ClassLoader loader = search.newClassLoader();
      Thread.currentThread().setContextClassLoader(loader);
      return construct(name, loader);
    } catch (IOException e) {
      throw new LoadFailure("cannot read " + folder + ": " + e.getMessage(), e);
    }
  }

  /** The jars of an archive for its class path, in the order of their paths. */
  public static List<Path> jarsIn(Path folder) throws IOException {
    boolean areSourcesCompiled = Files.isDirectory(folder.resolve(COMPILED));
    try (Stream<Path> files = Files.walk(folder)) {
      return files
          .filter(file -> file.toString().endsWith(".jar") && Files.isRegularFile(file))
          .filter(file -> isOfTheFunction(folder, file))
          .filter(
              file ->
                  !areSourcesCompiled
                      || !BUILT.matcher(folder.relativize(file).toString()).matches())
          .sorted()
          .toList();
    }
  }

  /** Whether a file of an archive is the function's, and not for tests or the build. */
  public static boolean isOfTheFunction(Path folder, Path file) {
    return !NOT_THE_FUNCTIONS.matcher(folder.relativize(file).toString()).matches();
  }

  private String className() throws IOException, LoadFailure {
    Set<String> declared = declared();
    if (declared.size() > 1) {
      throw new LoadFailure(
          "the archive names several functions: " + listed(declared) + ". Leave one of them");
    }
    return declared.isEmpty() ? onlyCandidate() : declared.iterator().next();
  }

  private Set<String> declared() throws IOException {
    Set<String> names = new TreeSet<>();
    try (URLClassLoader loader = newClassLoader()) {
      for (URL file : Collections.list(loader.findResources(SERVICES))) {
        URLConnection connection = file.openConnection();
        // A cached jar would stay open after this loader is closed.
        connection.setUseCaches(false);
        try (BufferedReader lines =
            new BufferedReader(
                new InputStreamReader(connection.getInputStream(), StandardCharsets.UTF_8))) {
          lines
              .lines()
              .map(line -> line.replaceFirst("#.*", "").strip())
              .filter(line -> !line.isEmpty())
              .forEach(names::add);
        }
      }
    }
    for (Path path : jars) {
      try (JarFile jar = new JarFile(path.toFile())) {
        if (jar.getManifest() != null
            && jar.getManifest().getMainAttributes().getValue(MANIFEST_ATTRIBUTE)
                instanceof String name) {
          names.add(name.strip());
        }
      } catch (IOException e) {
        throw new IOException(folder.relativize(path) + " is not a jar: " + e.getMessage(), e);
      }
    }
    return names;
  }

  private String onlyCandidate() throws IOException, LoadFailure {
    Set<String> candidates = new TreeSet<>();
    Set<String> nearMisses = new TreeSet<>();
    // A loader of its own, so that the classes only looked at leave memory again.
    try (URLClassLoader loader = newClassLoader()) {
      for (String name : classesToScan()) {
        try {
          Class<?> type = Class.forName(name, false, loader);
          if (isConcreteFunction(type)) {
            String unfit = whyUnfit(type);
            if (unfit.isEmpty()) {
              candidates.add(name);
            } else {
              nearMisses.add(unfit);
            }
          }
        } catch (UnsupportedClassVersionError e) {
          nearMisses.add(name + " was compiled for a newer Java than " + Runtime.version());
        } catch (ClassNotFoundException | LinkageError | TypeNotPresentException e) {
          // An optional part of a library whose own dependency is not in the archive.
          if (jars.isEmpty()) {
            nearMisses.add(name + " cannot be loaded: " + e);
          }
        }
      }
    }
    if (candidates.size() > 1) {
      throw new LoadFailure(
          candidates.size()
              + " classes could be the function: "
              + listed(candidates)
              + ". Name the one as entry in the specification, in a file "
              + SERVICES
              + ", or in the jar's manifest as "
              + MANIFEST_ATTRIBUTE);
    }
    if (candidates.isEmpty()) {
      String hint = nearMisses.isEmpty() ? "" : " (" + listed(nearMisses) + ")";
      throw new LoadFailure("no function in the archive" + hint + ": " + FunctionTypes.RULE);
    }
    return candidates.iterator().next();
  }

  /**
   * The compiled sources; without any, the jars nearest to the archive's top, since those in
   * folders below are taken for dependencies.
   */
  private List<String> classesToScan() throws IOException, LoadFailure {
    List<String> names = new ArrayList<>();
    Path compiled = folder.resolve(COMPILED);
    if (Files.isDirectory(compiled)) {
      try (Stream<Path> files = Files.walk(compiled)) {
        files
            .map(file -> compiled.relativize(file).toString())
            .filter(FunctionLoader::isClassFile)
            .forEach(names::add);
      }
    } else {
      int top = jars.stream().mapToInt(Path::getNameCount).min().orElse(0);
      for (Path path : jars) {
        if (path.getNameCount() == top) {
          try (JarFile jar = new JarFile(path.toFile())) {
            jar.stream()
                .map(JarEntry::getName)
                .filter(FunctionLoader::isClassFile)
                .forEach(names::add);
          }
        }
      }
    }
    if (names.size() > MAX_SCANNED) {
      throw new LoadFailure(
          names.size()
              + " classes are too many to search: name the function as entry in the specification, in a file "
              + SERVICES
              + ", or in the jar's manifest as "
              + MANIFEST_ATTRIBUTE);
    }
    return names.stream()
        .map(file -> file.substring(0, file.length() - ".class".length()).replace('/', '.'))
        .toList();
  }

  /** Leaves out {@code module-info}, {@code package-info} and the variants for other releases. */
  private static boolean isClassFile(String name) {
    return name.endsWith(".class") && name.indexOf('-') < 0;
  }

  private static boolean isConcreteFunction(Class<?> type) {
    return Function.class.isAssignableFrom(type)
        && !type.isInterface()
        && !Modifier.isAbstract(type.getModifiers())
        && !type.isAnonymousClass()
        && !type.isLocalClass()
        && !type.isSynthetic();
  }

  /** Empty for a class that can be the function. */
  private static String whyUnfit(Class<?> type) {
    for (Class<?> outer = type; outer != null; outer = outer.getEnclosingClass()) {
      if (!Modifier.isPublic(outer.getModifiers())) {
        return outer.getName() + " is not public";
      }
    }
    try {
      type.getConstructor();
    } catch (NoSuchMethodException e) {
      return type.getName() + " has no public constructor without parameters";
    }
    FunctionTypes types = FunctionTypes.of(type);
    return types.areSupported() ? "" : type.getName() + " is a " + types;
  }

  private URLClassLoader newClassLoader() {
    URL[] path =
        Stream.concat(resources.stream(), jars.stream())
            .map(FunctionLoader::url)
            .toArray(URL[]::new);
    return new URLClassLoader(path, FunctionLoader.class.getClassLoader());
  }

  private static URL url(Path path) {
    try {
      return path.toUri().toURL();
    } catch (MalformedURLException e) {
      throw new IllegalArgumentException(e);
    }
  }

  private static LoadedFunction construct(String name, ClassLoader loader) throws LoadFailure {
    try {
      Class<?> type = Class.forName(name, true, loader);
      if (!Function.class.isAssignableFrom(type)) {
        throw new LoadFailure(name + " is no function: " + FunctionTypes.RULE);
      }
      String unfit = whyUnfit(type);
      if (!unfit.isEmpty()) {
        throw new LoadFailure(unfit + ": " + FunctionTypes.RULE);
      }
      @SuppressWarnings("unchecked") // The server calls it with what its types say.
      Function<Object, Object> function =
          (Function<Object, Object>) type.getConstructor().newInstance();
      return new LoadedFunction(function, FunctionTypes.of(type).asInput());
    } catch (ClassNotFoundException e) {
      throw new LoadFailure(
          "the class "
              + name
              + " is not in the archive, but it is named as the function: it is"
              + " written like com.acme.Hello",
          e);
    } catch (InvocationTargetException e) {
      throw new LoadFailure("the constructor of " + name + " failed", e.getCause());
    } catch (ExceptionInInitializerError e) {
      throw new LoadFailure("the static part of " + name + " failed", e.getCause());
    } catch (ReflectiveOperationException | LinkageError | TypeNotPresentException e) {
      throw new LoadFailure(name + " cannot be loaded: " + e, e);
    }
  }

  private static String listed(Set<String> names) {
    String some = String.join(", ", names.stream().limit(MAX_LISTED).toList());
    return names.size() > MAX_LISTED ? some + " and others" : some;
  }
}
