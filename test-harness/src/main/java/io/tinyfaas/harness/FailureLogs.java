package io.tinyfaas.harness;

import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import org.junit.jupiter.api.extension.AfterTestExecutionCallback;
import org.junit.jupiter.api.extension.BeforeTestExecutionCallback;
import org.junit.jupiter.api.extension.DynamicTestInvocationContext;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.api.extension.InvocationInterceptor;
import org.junit.jupiter.api.extension.LifecycleMethodExecutionExceptionHandler;

/**
 * Prints what the parts of the system under test logged, when a test or what prepares it fails.
 * JUnit finds this extension by itself; each part says here where its log is.
 */
public final class FailureLogs
    implements BeforeTestExecutionCallback,
        AfterTestExecutionCallback,
        InvocationInterceptor,
        LifecycleMethodExecutionExceptionHandler {

  private static final int LINES = 200;

  private static final Map<Object, Map.Entry<String, Supplier<List<String>>>> OPEN =
      shared("open", new ConcurrentHashMap<>());

  /** Of parts that were closed while the test still ran. */
  private static final Queue<String> CLOSED = shared("closed", new ConcurrentLinkedQueue<>());

  /**
   * JUnit's own class loader has this class, and so has Quarkus' with the tests and their parts:
   * what both need is of the JDK's types and where both find it.
   */
  @SuppressWarnings("unchecked")
  private static <T> T shared(String name, T first) {
    return (T)
        System.getProperties()
            .computeIfAbsent("io.tinyfaas.harness.FailureLogs." + name, absent -> first);
  }

  /**
   * @param part whose log it is, until {@link #close}
   * @param lines is called when a test fails
   */
  public static void open(Object part, String name, Supplier<List<String>> lines) {
    OPEN.put(part, Map.entry(name, lines));
  }

  /** To be called while the log can still be read: it is printed if the test that runs fails. */
  public static void close(Object part) {
    Map.Entry<String, Supplier<List<String>>> log = OPEN.remove(part);
    if (log != null) {
      CLOSED.add(print(log));
    }
  }

  @Override
  public void beforeTestExecution(ExtensionContext context) {
    CLOSED.clear();
  }

  @Override
  public void afterTestExecution(ExtensionContext context) {
    context.getExecutionException().ifPresent(failure -> print(context, failure));
    CLOSED.clear();
  }

  @Override
  public void interceptDynamicTest(
      Invocation<Void> invocation, DynamicTestInvocationContext test, ExtensionContext context)
      throws Throwable {
    CLOSED.clear();
    try {
      invocation.proceed();
    } catch (Throwable failure) {
      print(context, failure);
      throw failure;
    }
  }

  @Override
  public void handleBeforeAllMethodExecutionException(ExtensionContext context, Throwable failure)
      throws Throwable {
    print(context, failure);
    throw failure;
  }

  @Override
  public void handleBeforeEachMethodExecutionException(ExtensionContext context, Throwable failure)
      throws Throwable {
    print(context, failure);
    throw failure;
  }

  private static void print(ExtensionContext context, Throwable failure) {
    System.out.println("--- " + context.getDisplayName() + " failed: " + failure);
    CLOSED.forEach(System.out::print);
    OPEN.values().forEach(log -> System.out.print(print(log)));
  }

  private static String print(Map.Entry<String, Supplier<List<String>>> log) {
    List<String> lines;
    try {
      lines = log.getValue().get();
    } catch (RuntimeException | AssertionError e) {
      lines = List.of("(cannot be read: " + e.getMessage() + ")");
    }
    int from = Math.max(0, lines.size() - LINES);
    return lines.subList(from, lines.size()).stream()
        .collect(
            Collectors.joining(
                "\n", "--- " + log.getKey() + (from > 0 ? ", its last lines:\n" : ":\n"), "\n"));
  }
}
