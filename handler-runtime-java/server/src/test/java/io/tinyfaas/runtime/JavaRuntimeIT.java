package io.tinyfaas.runtime;

import static io.tinyfaas.harness.Eventually.eventually;
import static io.tinyfaas.harness.Eventually.patient;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.tinyfaas.golden.GoldenExchanges;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The runtime's image as the manager uses it: a function built into it, run with all limits. */
@Tag("slow")
class JavaRuntimeIT {

  private static final Path GOLDEN = Path.of("../../contract/golden/handler");

  @TempDir Path temporary;
  private TestArchive archive;

  @BeforeEach
  void unpack() throws IOException {
    archive = new TestArchive(temporary.resolve("function"));
  }

  @ParameterizedTest
  @ValueSource(strings = {"echo", "throw", "status", "headers", "slow"})
  void shouldAnswerAsTheContractSays(String function) throws Exception {
    try (Stream<Path> sources = Files.list(GOLDEN.resolve("functions/java").resolve(function))) {
      for (Path source : sources.toList()) {
        Files.copy(source, archive.folder().resolve(source.getFileName()));
      }
    }
    try (HandlerContainer handler = start()) {
      awaitHealthy(handler);
      GoldenExchanges.in(GOLDEN.resolve(function + ".json")).replay(handler.address());
    }
  }

  @Test
  void shouldRunAJarWithItsDependency() throws Exception {
    archive
        .jar(
            "lib/dep.jar",
            "Dep",
            "public class Dep { public static String x() { return \"dep\"; } }",
            "")
        .jar(
            "fn.jar",
            "Fn",
            TestArchive.code(
                "Fn", "String, String", "String apply(String s) { return s + Dep.x(); }"),
            "Function-Class: Fn");
    try (HandlerContainer handler = start()) {
      awaitHealthy(handler);
      assertThat(text(call(handler, bytes("my ")))).isEqualTo("my dep");
    }
  }

  @Test
  void shouldCarryRandomBytesThereAndBack() throws Exception {
    archive.source("Fn", "byte[], byte[]", "byte[] apply(byte[] b) { return b; }");
    byte[] large = new byte[512 * 1024];
    new Random(7).nextBytes(large);
    try (HandlerContainer handler = start()) {
      awaitHealthy(handler);
      assertThat(call(handler, new byte[0])).isEmpty();
      assertThat(call(handler, large)).isEqualTo(large);
    }
  }

  /** None of them is answered before all of them are there. */
  @Test
  void shouldRunAHundredSlowRequestsAtOnceWithinTheLimitOfProcesses() throws Exception {
    archive.source(
        "Fn",
        "String, String",
        "static final java.util.concurrent.CountDownLatch ALL ="
            + " new java.util.concurrent.CountDownLatch(100);"
            + " public String apply(String s) { ALL.countDown();"
            + " try { ALL.await(); } catch (InterruptedException e) {} return s; }");
    try (HandlerContainer handler = start();
        ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
      awaitHealthy(handler);
      List<Future<byte[]>> answers = new ArrayList<>();
      for (int i = 0; i < 100; i++) {
        byte[] body = bytes("call " + i);
        answers.add(threads.submit(() -> call(handler, body)));
      }
      for (int i = 0; i < 100; i++) {
        assertThat(text(get(answers.get(i)))).isEqualTo("call " + i);
      }
    }
  }

  @Test
  void shouldStayHealthyWhileRequestsCompute() throws Exception {
    archive.source(
        "Fn",
        "String, String",
        "static volatile boolean go; static { Thread.ofPlatform().daemon().start(() -> {"
            + " while (!java.nio.file.Files.exists(java.nio.file.Path.of(\"/run/tinyfaas/go\"))) {"
            + " try { Thread.sleep(10); } catch (InterruptedException e) {} } go = true; }); }"
            + " public String apply(String s) { System.out.println(\"begun\");"
            + " while (!go) { Thread.onSpinWait(); } return s; }");
    try (HandlerContainer handler = start();
        ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
      awaitHealthy(handler);
      List<Future<byte[]>> computing = new ArrayList<>();
      for (int i = 0; i < 4; i++) {
        computing.add(threads.submit(() -> call(handler, bytes("x"))));
      }
      eventually().until(() -> handler.logs().contains("begun"));
      for (int i = 0; i < 3; i++) {
        get(threads.submit(() -> exchange(handler, "GET /health", new byte[0])));
      }
      assertThat(computing).noneMatch(Future::isDone);
      letGo();
      for (Future<byte[]> each : computing) {
        assertThat(text(get(each))).isEqualTo("x");
      }
    }
  }

  @Test
  void shouldOutliveAFunctionThatOverflowsStackAndHeap() throws Exception {
    archive.source(
        "Fn",
        "String, String",
        "String apply(String s) { if (s.equals(\"stack\")) { return apply(s) + 1; }"
            + " if (s.equals(\"heap\")) { return String.valueOf(new byte[1 << 30].length); } return s; }");
    try (HandlerContainer handler = start()) {
      awaitHealthy(handler);
      assertThat(text(call(handler, bytes("stack")))).isEqualTo("StackOverflowError");
      assertThat(text(call(handler, bytes("heap")))).isEqualTo("Java heap space");
      assertThat(text(call(handler, bytes("fine")))).isEqualTo("fine");
      assertThat(String.join("\n", handler.logs()))
          .contains("java.lang.StackOverflowError", "at Fn.apply(Fn.java:");
    }
  }

  @Test
  void shouldGiveUpWhenMemoryIsLost() throws Exception {
    archive.source(
        "Fn",
        "String, String",
        "static final java.util.List<byte[]> LEAK = new java.util.ArrayList<>();"
            + " public String apply(String s) { while (true) { LEAK.add(new byte[100_000]); } }");
    try (HandlerContainer handler = start()) {
      awaitHealthy(handler);
      assertThat(text(call(handler, bytes("x")))).isEqualTo("Java heap space");
      assertThat(handler.exitCode()).isEqualTo(1);
      assertThat(handler.logs()).anyMatch(line -> line.contains("giving up"));
    }
  }

  @Test
  void shouldWriteTheFunctionsOutputToItsLogAtOnce() throws Exception {
    archive.source(
        "Fn",
        "String, String",
        "String apply(String s) { System.out.println(s); System.err.println(s + \"!\"); return s; }");
    try (HandlerContainer handler = start()) {
      awaitHealthy(handler);
      call(handler, bytes("Grüße"));
      eventually()
          .untilAsserted(
              () -> assertThat(handler.logs()).containsExactlyInAnyOrder("Grüße", "Grüße!"));
    }
  }

  @Test
  void shouldFinishARequestAndExitWith0OnTerminate() throws Exception {
    archive.source(
        "Fn",
        "String, String",
        "String apply(String s) { System.out.println(\"begun\");"
            + " while (!java.nio.file.Files.exists(java.nio.file.Path.of(\"/run/tinyfaas/go\"))) {"
            + " try { Thread.sleep(10); } catch (InterruptedException e) {} } return s; }");
    try (HandlerContainer handler = start();
        ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
      awaitHealthy(handler);
      Future<byte[]> answer = threads.submit(() -> call(handler, bytes("last")));
      eventually().until(() -> handler.logs().contains("begun"));
      handler.signalTerminate();
      eventually().until(() -> takesNobody(handler));
      assertThat(answer).isNotDone();
      letGo();
      assertThat(text(get(answer))).isEqualTo("last");
      assertThat(handler.exitCode()).isZero();
    }
  }

  @Test
  void shouldExitWithTheFunctionsOwnCode() throws Exception {
    archive.source("Fn", "String, String", "String apply(String s) { System.exit(3); return s; }");
    try (HandlerContainer handler = start();
        ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
      awaitHealthy(handler);
      Future<byte[]> call = threads.submit(() -> call(handler, bytes("x")));
      assertThat(handler.exitCode()).isEqualTo(3);
      assertThat(call).failsWithin(patient(Duration.ofSeconds(10)));
    }
  }

  @Test
  void shouldRemoveTheSocketOfAnEarlierLife() throws Exception {
    archive.source("Fn", "String, String", "String apply(String s) { return s; }");
    Files.writeString(sockets().resolve("http.sock"), "stale");
    try (HandlerContainer handler = start()) {
      awaitHealthy(handler);
      assertThat(text(call(handler, bytes("x")))).isEqualTo("x");
    }
  }

  @Test
  void shouldExitWithAMessageWhenTheFunctionDoesNotLoad() throws Exception {
    archive.source(
        "Fn",
        "String, String",
        "Fn() { throw new IllegalStateException(\"no sensor\"); } public String apply(String s) { return s; }");
    try (HandlerContainer handler = start()) {
      assertThat(handler.exitCode()).isEqualTo(1);
      assertThat(String.join("\n", handler.logs()))
          .startsWith("The function does not load: the constructor of Fn failed")
          .contains("no sensor");
    }
  }

  @Test
  void shouldExitWithTheCandidatesWhenThereAreSeveral() throws Exception {
    archive
        .source("A", "String, String", "String apply(String s) { return s; }")
        .source("B", "String, String", "String apply(String s) { return s; }");
    try (HandlerContainer handler = start()) {
      assertThat(handler.exitCode()).isEqualTo(1);
      assertThat(handler.logs())
          .anyMatch(line -> line.contains("2 classes could be the function: A, B"));
    }
  }

  @Test
  void shouldBeAbleToUseTheAotCachesOfTheImage() throws Exception {
    archive.source("Fn", "String, String", "String apply(String s) { return s; }");
    // "on" ends a JVM whose cache does not fit, where otherwise it would only start slower.
    try (HandlerContainer handler = start("JAVA_TOOL_OPTIONS=-XX:AOTMode=on")) {
      awaitHealthy(handler);
      assertThat(text(call(handler, bytes("x")))).isEqualTo("x");
    }
  }

  @Test
  void shouldFailTheBuildWithTheCompilersErrors() throws Exception {
    archive.file("Fn.java", "public class Fn { Missing m; }");
    assertThatThrownBy(this::start).hasMessageContaining("Fn.java:1: cannot find symbol");
  }

  private HandlerContainer start(String... environment) throws IOException {
    return new HandlerContainer(archive.folder(), sockets(), environment);
  }

  private Path sockets() throws IOException {
    return Files.createDirectories(temporary.resolve("sockets"));
  }

  private static void awaitHealthy(HandlerContainer handler) {
    eventually()
        .pollInterval(Duration.ofMillis(10))
        .ignoreExceptionsInstanceOf(IOException.class)
        .until(
            () -> {
              exchange(handler, "GET /health", new byte[0]);
              return true;
            });
  }

  /** What the functions wait for that wait for a file. */
  private void letGo() throws IOException {
    Files.createFile(sockets().resolve("go"));
  }

  private static <T> T get(Future<T> answer) throws Exception {
    return answer.get(patient(Duration.ofMinutes(1)).toMillis(), TimeUnit.MILLISECONDS);
  }

  private static boolean takesNobody(HandlerContainer handler) {
    try {
      SocketChannel.open(handler.address()).close();
      return false;
    } catch (IOException e) {
      return true;
    }
  }

  private static byte[] call(HandlerContainer handler, byte[] body) throws IOException {
    return exchange(handler, "POST /fn", body);
  }

  /** The body of the answer, on a connection of its own that ends with it. */
  private static byte[] exchange(HandlerContainer handler, String what, byte[] body)
      throws IOException {
    try (SocketChannel channel = SocketChannel.open(handler.address())) {
      ByteArrayOutputStream request = new ByteArrayOutputStream();
      request.writeBytes(
          bytes(
              what
                  + " HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: "
                  + body.length
                  + "\r\n\r\n"));
      request.writeBytes(body);
      ByteBuffer sent = ByteBuffer.wrap(request.toByteArray());
      while (sent.hasRemaining()) {
        channel.write(sent);
      }
      ByteArrayOutputStream answer = new ByteArrayOutputStream();
      ByteBuffer buffer = ByteBuffer.allocate(64 * 1024);
      while (channel.read(buffer.clear()) >= 0) {
        answer.write(buffer.array(), 0, buffer.position());
      }
      byte[] all = answer.toByteArray();
      int head = answer.toString(StandardCharsets.ISO_8859_1).indexOf("\r\n\r\n");
      if (head < 0) {
        throw new IOException("no answer");
      }
      return Arrays.copyOfRange(all, head + 4, all.length);
    }
  }

  private static byte[] bytes(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }

  private static String text(byte[] bytes) {
    return new String(bytes, StandardCharsets.UTF_8);
  }
}
