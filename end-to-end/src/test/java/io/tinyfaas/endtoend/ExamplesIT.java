package io.tinyfaas.endtoend;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.eclipse.californium.core.CoapResponse;
import org.eclipse.californium.core.coap.CoAP.ResponseCode;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * The folders of {@code examples/} that answer a question, zipped and deployed as their READMEs
 * say; {@link ButtonAndLightbulbIT} and {@link NightlyReportIT} have the others.
 */
class ExamplesIT {

  @RegisterExtension private static final Installation SYSTEM = Installation.UNIX;
  private static final Path EXAMPLES = Checkout.path().resolve("examples");

  @RegisterExtension private final Functions functions = new Functions(SYSTEM);

  @RegisterExtension private final Device device = new Device(SYSTEM);

  static List<String> examples() throws IOException {
    try (Stream<Path> found = Files.list(EXAMPLES)) {
      return found
          .filter(Files::isDirectory)
          .map(folder -> folder.getFileName().toString())
          .filter(name -> !name.equals(ButtonAndLightbulbIT.EXAMPLE))
          .filter(name -> !name.equals(NightlyReportIT.EXAMPLE))
          .filter(name -> !name.equals(ImagePipelineIT.EXAMPLE))
          .filter(name -> !name.equals(ColdChainIT.EXAMPLE))
          .sorted()
          .toList();
    }
  }

  @ParameterizedTest
  @MethodSource("examples")
  void shouldAnswer(String example) throws IOException {
    String readme = Files.readString(EXAMPLES.resolve(example).resolve("README.md"));
    String runtime = readme.replaceFirst("(?s).*[?]runtime=([a-z0-9]+).*", "$1");
    functions.deploy(example, Map.of("runtime", runtime), Archives.ofFolder("examples/" + example));

    CoapResponse response = device.get(example + "?name=Ada");

    assertThat(response.getCode()).isEqualTo(ResponseCode.CONTENT);
    assertThat(response.getResponseText())
        .startsWith(example.startsWith("sieve") ? "2,3,5,7,11,13," : "Hello");
  }
}
