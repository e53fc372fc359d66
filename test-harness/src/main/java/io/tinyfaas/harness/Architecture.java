package io.tinyfaas.harness;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;
import static java.util.stream.Collectors.toSet;

import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption.DoNotIncludeTests;
import com.tngtech.archunit.library.dependencies.SliceAssignment;
import com.tngtech.archunit.library.dependencies.SliceIdentifier;
import java.util.Set;
import java.util.function.Function;
import java.util.stream.Stream;

/** Who may use whom among the classes of a module, as they are compiled. */
public final class Architecture {

  private final String root;
  private final JavaClasses classes;

  /**
   * @param root the package that has all of them
   */
  public Architecture(String root) {
    this.root = root;
    this.classes =
        new ClassFileImporter().withImportOption(new DoNotIncludeTests()).importPackages(root);
  }

  /** That of any two packages at most one uses the other, whatever is between them. */
  public void requirePackagesWithoutCircles() {
    slices()
        .assignedFrom(by(JavaClass::getPackageName, "packages"))
        .should()
        .beFreeOfCycles()
        .check(classes);
  }

  /**
   * The same of classes, with those that are within them.
   *
   * @param except packages below the root, without those below them, whose classes are made to be
   *     understood together
   */
  public void requireClassesWithoutCircles(String... except) {
    Set<String> left = Stream.of(except).map(name -> root + "." + name).collect(toSet());
    slices()
        .assignedFrom(
            by(
                type ->
                    left.contains(type.getPackageName()) ? type.getPackageName() : outermost(type),
                "classes"))
        .should()
        .beFreeOfCycles()
        .check(classes);
  }

  /**
   * That nothing of a library is used but where it belongs.
   *
   * @param library its packages, as {@code com.github.dockerjava..}
   * @param packages those below the root that may use it
   */
  public void requireOnlyIn(String library, String... packages) {
    String[] allowed = new String[packages.length];
    for (int i = 0; i < packages.length; i++) {
      allowed[i] = root + "." + packages[i] + "..";
    }
    noClasses()
        .that()
        .resideOutsideOfPackages(allowed)
        .should()
        .dependOnClassesThat()
        .resideInAnyPackage(library)
        .check(classes);
  }

  private static SliceAssignment by(Function<JavaClass, String> name, String what) {
    return new SliceAssignment() {
      @Override
      public SliceIdentifier getIdentifierOf(JavaClass type) {
        return SliceIdentifier.of(name.apply(type));
      }

      @Override
      public String getDescription() {
        return what;
      }
    };
  }

  private static String outermost(JavaClass type) {
    String name = type.getName();
    int nested = name.indexOf('$');
    return nested < 0 ? name : name.substring(0, nested);
  }
}
