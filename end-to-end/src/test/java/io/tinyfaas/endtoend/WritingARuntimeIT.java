package io.tinyfaas.endtoend;

import static org.assertj.core.api.Assertions.assertThat;

import io.tinyfaas.golden.GoldenExchanges;
import java.io.IOException;
import java.net.UnixDomainSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The runtime that {@code docs/writing-a-runtime.md} makes, from the blocks of that page. */
class WritingARuntimeIT {

  @RegisterExtension private static final Installation SYSTEM = Installation.UNIX;
  private static final Path GOLDEN = Checkout.path().resolve("contract/golden/handler");
  private static final String FOLDER = "handler-runtime-perl/";
  private static final String IMAGE =
      "tinyfaas/runtime-perl:" + System.getenv().getOrDefault("TINYFAAS_TAG", "latest");

  /** A line with a path in backquotes, and the block below it. */
  private static final Pattern FILE =
      Pattern.compile(
          "^`([A-Za-z./-]+)`\n\n```\\w+\n(.*?)^```$", Pattern.MULTILINE | Pattern.DOTALL);

  private static final Map<String, String> FILES = new LinkedHashMap<>();

  @RegisterExtension private final Functions functions = new Functions(SYSTEM);

  @BeforeAll
  static void build(@TempDir Path context) throws IOException {
    FILE.matcher(Files.readString(Checkout.path().resolve("docs/writing-a-runtime.md")))
        .results()
        .forEach(file -> FILES.put(file.group(1), file.group(2)));
    for (Map.Entry<String, String> file : FILES.entrySet()) {
      Path path = context.resolve(file.getKey());
      Files.createDirectories(path.getParent());
      Files.writeString(path, file.getValue());
    }
    List<String> command =
        new ArrayList<>(List.of("docker", "buildx", "build", "--quiet", "--load", "--tag", IMAGE));
    command.addAll(List.of("--file", context.resolve(FOLDER + "Dockerfile").toString()));
    FILES.get(FOLDER + "runtime.labels").lines().forEach(l -> command.add("--label=" + l));
    command.add(context.toString());
    SYSTEM.run(Duration.ofMinutes(5), command.toArray(String[]::new));
  }

  @AfterAll
  static void remove() {
    SYSTEM.docker("image", "rm", IMAGE);
  }

  @ParameterizedTest
  @ValueSource(strings = {"echo", "throw", "status", "headers", "slow"})
  void shouldAnswerTheGoldenExchanges(String function) throws Exception {
    byte[] code = FILES.get("functions/perl/" + function + "/fn.pl").getBytes();
    functions.deploy(function, Map.of("runtime", "perl"), Archives.of(Map.of("fn.pl", code)));
    String handler = functions.handlers(function).getFirst();

    GoldenExchanges.in(GOLDEN.resolve(function + ".json"))
        .replay(UnixDomainSocketAddress.of(SYSTEM.socket(function, handler)));
    assertThat(SYSTEM.handlers(function)).hasSize(1);
  }
}
