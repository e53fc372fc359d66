package io.tinyfaas.endtoend;

import static org.assertj.core.api.Assertions.assertThat;

import io.tinyfaas.harness.Command;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.regex.MatchResult;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * What documents tell people to type. The blocks of one document are run in a shell, one after the
 * other, in a copy of the checkout; the addresses and names that people have are replaced by this
 * installation's. A block below {@code <!-- not run: REASON -->} is left out. What follows {@code #
 * →} on a line is what its command prints, with {@code …} for anything.
 */
class DocumentedCommandsIT {

  @RegisterExtension private static final Installation SYSTEM = Installation.UNIX;

  private static final Pattern BLOCK =
      Pattern.compile(
          "^(<!-- not run: .+ -->\n)?```sh\n(.*?)^```$", Pattern.MULTILINE | Pattern.DOTALL);

  private static final Pattern ANSWERED = Pattern.compile("^(\\S.*?) +# → (.*)$");

  private static final String MANAGER = "http://127.0.0.1:" + SYSTEM.managerPort();

  /** Fetching and building, on a slow line. */
  private static final Duration PATIENCE = Duration.ofMinutes(6);

  /**
   * {@code make up} and {@code make down} without a build: Compose is to see the same checkout as
   * before. Maven, which a bare machine has as a wrapper only, asks this installation, and keeps
   * what that has apart from what its user has. libcoap's client ends with 0 whatever the answer
   * is.
   */
  private static final String PREAMBLE =
      """
      set -eo pipefail
      shopt -s expand_aliases
      make() {
        case $1 in
          up | down) "$CHECKOUT/compose/$1" ;;
          *) echo "make $1 is for documents that say: not run" >&2; return 1 ;;
        esac
      }
      mvn() {
        MAVEN_ARGS="-Dbox=$BOX -Dmaven.repo.local=$HOME/repository -Dmaven.repo.local.tail=$MAVEN_USER_HOME/repository" \
          "$CHECKOUT/compose/mvn" -f "$PWD/pom.xml" "$@"
      }
      ask() {
        local answer
        answer=$(command "$@" 2>&1) || return
        printf '%s\\n' "$answer"
        ! grep -E '^[45]\\.[0-9][0-9]( |$)' <<< "$answer" >&2
      }
      coap-client-notls() { ask coap-client-notls -B 20 "$@"; }
      coap-client-openssl() { ask coap-client-openssl -B 20 "$@"; }
      answered() {
        printf '%s\\n' "$answer"
        [[ $answer == *$1* ]] || { echo "The document says: $1" >&2; return 1; }
      }
      """;

  @RegisterExtension private final Functions functions = new Functions(SYSTEM);

  @TempDir private Path checkout;
  @TempDir private Path home;

  static List<String> documents() throws IOException {
    Path root = Checkout.path();
    try (Stream<Path> found = Files.walk(root, 3)) {
      return found
          .filter(file -> file.toString().endsWith(".md"))
          .map(file -> root.relativize(file).toString())
          .filter(file -> !file.contains("target/") && !file.contains("node_modules/"))
          .filter(file -> !commands(file).isEmpty())
          .sorted()
          .toList();
    }
  }

  private static String commands(String document) {
    return BLOCK
        .matcher(new String(Checkout.read(document)))
        .results()
        .filter(block -> block.group(1) == null)
        .map(block -> block.group(2))
        .collect(Collectors.joining());
  }

  @BeforeEach
  void copyTheCheckout() throws IOException {
    Command.of(
            "bash",
            "-c",
            "tar -C \"$0\" --exclude=./.git --exclude=target --exclude=node_modules -c ."
                + " | tar -C \"$1\" -x",
            Checkout.path().toString(),
            checkout.toString())
        .succeed();
    Files.writeString(checkout.resolve("compose/.env"), "TINYFAAS_TOKEN=" + SYSTEM.token() + "\n");
  }

  /** What its reader has: the sample, and functions that other documents have deployed. */
  private void deployWhatIsNamedIn(String commands) {
    if (commands.contains("sieve")) {
      functions.deploy("sieve", Archives.ofFolder("examples/sieve-node"));
    }
    if (commands.contains("hello")) {
      functions.deploy("hello", Archives.ofFolder("examples/hello-node"));
    }
    if (commands.contains("lamp")) {
      functions.deploy(
          "lamp",
          Map.of("runtime", "nodejs", "observable", "true"),
          Archives.ofFolder("examples/button-and-lightbulb"));
    }
    if (commands.contains("runtime=go")) {
      functions.deploy("first", Map.of("runtime", "go"), Archives.ofFolder("examples/hello-go"));
    }
  }

  @AfterEach
  void forget() {
    SYSTEM.awaitManager();
    SYSTEM.rest().get("/functions").jsonPath().getList("name", String.class).stream()
        .forEach(functions::willBe);
    SYSTEM.rest().get("/devices").jsonPath().getList("name", String.class).stream()
        .forEach(device -> SYSTEM.rest().delete("/devices/" + device));
  }

  @ParameterizedTest
  @MethodSource("documents")
  void shouldDoWhatItSays(String document) throws IOException {
    String commands = commands(document);
    deployWhatIsNamedIn(commands);
    Path script =
        Files.writeString(
            home.resolve("commands"), PREAMBLE + alias() + "set -v\n" + ours(commands));

    Command.Result result =
        SYSTEM
            .command("bash", script.toString())
            .in(checkout)
            .with(
                Map.of(
                    "HOME",
                    home.toString(),
                    "CHECKOUT",
                    Checkout.path().toString(),
                    "MAVEN_USER_HOME",
                    System.getProperty("user.home") + "/.m2",
                    "BOX",
                    MANAGER))
            .within(PATIENCE)
            .run();

    assertThat(result.exitCode()).as(result.output()).isZero();
  }

  /** Said once, for all documents. */
  private static String alias() {
    return commands("README.md")
        .lines()
        .filter(line -> line.startsWith("alias "))
        .collect(Collectors.joining("\n", "", "\n"));
  }

  private static String ours(String commands) {
    return commands
        .lines()
        .map(line -> ANSWERED.matcher(line).replaceFirst(DocumentedCommandsIT::checked))
        .collect(Collectors.joining("\n", "", "\n"))
        .replace("http://localhost:8080", MANAGER)
        .replace("http://127.0.0.1:8081", SYSTEM.gatewayUri(""))
        .replace("http://localhost:8000", SYSTEM.httpUri("").replaceFirst("/$", ""))
        .replace("-h localhost -p 8883 ", "-h localhost -p " + SYSTEM.mqttsPort() + " ")
        .replace("coap://localhost/", SYSTEM.coapUri(""))
        .replace("coaps://localhost/", SYSTEM.coapsUri(""))
        .replace("tinyfaas_", SYSTEM.project() + "_")
        .replace("tinyfaas/function", SYSTEM.project() + "/function");
  }

  private static String checked(MatchResult line) {
    String expected = line.group(2).replace("\"", "\\\"").replace("…", "*");
    return Matcher.quoteReplacement(
        "answer=$(" + line.group(1) + "); answered \"" + expected + "\"");
  }
}
