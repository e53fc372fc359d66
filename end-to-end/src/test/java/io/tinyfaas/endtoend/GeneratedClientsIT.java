package io.tinyfaas.endtoend;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.datatype.jsr310.JavaTimeModule;
import io.tinyfaas.harness.Command;
import jakarta.annotation.Nonnull;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.apache.hc.client5.http.classic.HttpClient;
import org.apache.hc.core5.http.HttpRequest;
import org.apache.hc.core5.http2.HttpVersionPolicy;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;
import org.slf4j.LoggerFactory;

/**
 * What generators make of the REST API's description compiles, and deploys a function. The programs
 * that use it are in {@code src/test/clients}.
 */
class GeneratedClientsIT {

  @RegisterExtension private static final Installation SYSTEM = Installation.UNIX;

  private static final Path GENERATOR = Path.of("target/openapi-generator.jar").toAbsolutePath();
  private static final Path CLIENTS = Path.of("src/test/clients").toAbsolutePath();
  private static final Duration PATIENCE = Duration.ofMinutes(2);

  /** Debian's packages of what the generated client needs. */
  private static final ClientImage PYTHON =
      new ClientImage(
          "tinyfaas/test-python-client",
          """
          FROM debian:trixie-slim
          RUN apt-get update \\
           && apt-get install -y --no-install-recommends python3-urllib3 python3-pydantic python3-dateutil \\
           && rm -rf /var/lib/apt/lists/*
          """);

  /** The runtime has npm, and knows the machine's registry. */
  private static final ClientImage TYPESCRIPT =
      new ClientImage(
          "tinyfaas/test-typescript-client",
          """
          FROM tinyfaas/runtime-nodejs:%s
          ENTRYPOINT []
          WORKDIR /client
          COPY package.json ./
          RUN npm install --no-audit --no-fund
          ENV PATH=/client/node_modules/.bin:$PATH
          """
              .formatted(System.getenv().getOrDefault("TINYFAAS_TAG", "latest")));

  @RegisterExtension private final Functions functions = new Functions(SYSTEM);

  @TempDir private Path folder;

  @BeforeEach
  void prepare() throws IOException {
    Files.write(
        folder.resolve("function.zip"),
        Code.node(
            "module.exports = (req, res) => res.send(process.env.GREETING + ' ' + req.body);"));
    Files.write(
        folder.resolve("openapi.yaml"),
        SYSTEM.rest().get("/q/openapi").then().extract().asByteArray());
  }

  /** By Apache's HTTP client: the one of the JDK, as generated, sends files as JSON. */
  @Test
  void shouldDeployByTheJavaClient() throws IOException {
    generate(
        "java",
        "--library",
        "apache-httpclient",
        "--additional-properties",
        "openApiNullable=false,useJakartaEe=true");
    String libraries =
        Stream.of(
                ObjectMapper.class,
                TypeReference.class,
                JsonCreator.class,
                JavaTimeModule.class,
                Nonnull.class,
                HttpClient.class,
                HttpRequest.class,
                HttpVersionPolicy.class,
                LoggerFactory.class)
            .map(its -> its.getProtectionDomain().getCodeSource().getLocation().getPath())
            .collect(Collectors.joining(File.pathSeparator));
    Path classes = folder.resolve("classes");
    List<String> compile =
        new ArrayList<>(List.of(java("javac"), "-d", classes.toString(), "-cp", libraries));
    try (Stream<Path> sources = Files.walk(folder.resolve("java/src/main/java"))) {
      sources.map(Path::toString).filter(file -> file.endsWith(".java")).forEach(compile::add);
    }
    compile.add(CLIENTS.resolve("Deploy.java").toString());
    run(compile);

    functions.willBe("from-java");
    assertDeployed(
        "from-java",
        run(
            List.of(
                java("java"),
                "-cp",
                classes + File.pathSeparator + libraries,
                "Deploy",
                api(),
                SYSTEM.token(),
                folder.resolve("function.zip").toString())));
  }

  @Test
  void shouldDeployByThePythonClient() throws IOException {
    generate("python");
    Files.copy(CLIENTS.resolve("deploy.py"), folder.resolve("deploy.py"));
    PYTHON.build(SYSTEM, folder, Map.of());

    functions.willBe("from-python");
    assertDeployed(
        "from-python",
        in(
            PYTHON,
            "PYTHONPATH=/work/python python3 /work/deploy.py %s %s /work/function.zip"
                .formatted(api(), SYSTEM.token())));
  }

  @Test
  void shouldDeployByTypeScriptsTypes() throws IOException {
    Files.copy(CLIENTS.resolve("deploy.mts"), folder.resolve("deploy.mts"));
    TYPESCRIPT.build(
        SYSTEM,
        folder,
        Map.of("package.json", Files.readAllBytes(CLIENTS.resolve("package.json"))));

    functions.willBe("from-typescript");
    assertDeployed(
        "from-typescript",
        in(
            TYPESCRIPT,
            """
            cp /work/deploy.mts .
            openapi-typescript /work/openapi.yaml --output api.d.ts >/dev/null 2>&1
            tsc --strict --module nodenext --target es2022 --skipLibCheck deploy.mts
            node deploy.mjs %s %s /work/function.zip
            """
                .formatted(api(), SYSTEM.token())));
  }

  private void generate(String generator, String... more) {
    List<String> command =
        new ArrayList<>(
            List.of(
                java("java"),
                "-XX:TieredStopAtLevel=1",
                "-XX:+UseSerialGC",
                "-jar",
                GENERATOR.toString(),
                "generate",
                "--generator-name",
                generator,
                "--input-spec",
                folder.resolve("openapi.yaml").toString(),
                "--output",
                folder.resolve(generator).toString(),
                "--global-property",
                "apis,models,supportingFiles,apiTests=false,modelTests=false,apiDocs=false,modelDocs=false"));
    command.addAll(List.of(more));
    run(command);
  }

  private void assertDeployed(String name, List<String> printed) {
    assertThat(printed).endsWith(name + " running 2 64M", "urn:tinyfaas:problem:unknown-function");
    assertThat(new Curl(SYSTEM, folder).ask(name, "--data", "Ada").text()).isEqualTo("hello Ada");
  }

  private List<String> in(ClientImage image, String script) {
    return run(
        List.of(
            "docker",
            "run",
            "--rm",
            "--network",
            "host",
            "--volume",
            folder + ":/work:ro",
            image.tag(),
            "sh",
            "-ec",
            script));
  }

  private static List<String> run(List<String> command) {
    return Command.of(command).within(PATIENCE).lines();
  }

  private static String java(String program) {
    return Path.of(System.getProperty("java.home"), "bin", program).toString();
  }

  private static String api() {
    return "http://127.0.0.1:" + SYSTEM.managerPort();
  }
}
