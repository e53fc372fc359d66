package io.tinyfaas.runtime;

import static org.assertj.core.api.Assertions.assertThat;

import io.tinyfaas.golden.GoldenExchanges;
import io.tinyfaas.runtime.compile.SourceCompiler;
import io.tinyfaas.runtime.http.HttpServer;
import io.tinyfaas.runtime.load.FunctionLoader;
import java.net.UnixDomainSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class GoldenExchangesTest {

  private static final Path GOLDEN = Path.of("../../contract/golden/handler");

  @TempDir Path folder;

  @ParameterizedTest
  @ValueSource(strings = {"echo", "throw", "status", "headers", "slow", "head"})
  void shouldAnswerAsTheContractSays(String golden) throws Exception {
    String function = golden.equals("head") ? "echo" : golden;
    try (Stream<Path> sources = Files.list(GOLDEN.resolve("functions/java").resolve(function))) {
      for (Path source : sources.toList()) {
        Files.copy(source, folder.resolve(source.getFileName()));
      }
    }
    assertThat(SourceCompiler.compile(folder, System.err)).isTrue();
    UnixDomainSocketAddress socket = UnixDomainSocketAddress.of(folder.resolve("http.sock"));
    HttpServer server =
        HttpServer.bind(socket, FunctionLoader.load(folder, Optional.empty()), 1_048_576);
    Thread serving = Thread.ofPlatform().start(server::serve);
    try {
      GoldenExchanges.in(GOLDEN.resolve(golden + ".json")).replay(socket);
    } finally {
      server.stop();
    }
    serving.join();
  }
}
