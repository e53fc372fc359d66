package io.tinyfaas.endtoend;

import static io.tinyfaas.harness.Eventually.eventually;
import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.eclipse.californium.core.CoapResponse;
import org.eclipse.californium.core.coap.CoAP.ResponseCode;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Functions in three languages, of which one calls the others, on the composed system. */
@Timeout(value = 5, unit = TimeUnit.MINUTES)
class ImagePipelineIT {

  static final String EXAMPLE = "image-pipeline";

  private static final String FOLDER = "examples/" + EXAMPLE + "/";
  private static final String INTAKE = "thumbnail-intake";

  @RegisterExtension private static final Installation SYSTEM = Installation.UNIX;

  @RegisterExtension private final Functions functions = new Functions(SYSTEM);

  @RegisterExtension private final Device device = new Device(SYSTEM);

  @BeforeEach
  void deploy() throws IOException {
    functions.deploy("resize", Map.of("runtime", "python3"), Archives.ofFolder(FOLDER + "resize"));
    functions.deploy("catalog", Map.of("runtime", "java"), Archives.ofFolder(FOLDER + "catalog"));
    byte[] code = Files.readAllBytes(Checkout.path().resolve(FOLDER + INTAKE + "/index.mjs"));
    functions.deploy(INTAKE, Archives.of(Map.of("index.mjs", code)));
  }

  private void allowCalls() {
    String specification = new String(Checkout.read(FOLDER + INTAKE + "/spec.json"), UTF_8);
    assertThat(functions.patch(INTAKE, specification).statusCode()).isEqualTo(200);
  }

  private static byte[] image(int seed) {
    byte[] pixels = new byte[64 * 48 * 3];
    new Random(seed).nextBytes(pixels);
    return ("P6\n64 48\n255\n" + new String(pixels, ISO_8859_1)).getBytes(ISO_8859_1);
  }

  @Test
  void shouldAnswerAThumbnailAndNoteEachImageOnce() {
    allowCalls();
    for (int i = 0; i < 6; i++) {
      CoapResponse thumbnail = device.post(INTAKE, image(i % 3));
      assertThat(thumbnail.getCode())
          .as(thumbnail.getResponseText())
          .isEqualTo(ResponseCode.CHANGED);
      assertThat(thumbnail.getPayload()).hasSize(13 + 16 * 12 * 3);
      assertThat(new String(thumbnail.getPayload(), ISO_8859_1)).startsWith("P6 16 12 255\n");
    }
    eventually()
        .untilAsserted(
            () ->
                assertThat(device.get("catalog").getResponseText().lines())
                    .hasSize(3)
                    .allMatch(
                        line ->
                            line.endsWith(
                                ": 9229 bytes, thumbnail of 589, from thumbnail-intake")));
    assertThat(SYSTEM.rest().get("/functions/catalog/calls").jsonPath().getList("calls"))
        .hasSize(3);
  }

  @Test
  void shouldPassOnWhatTheCalledFunctionRefuses() {
    allowCalls();
    CoapResponse refused = device.post(INTAKE, "no image".getBytes(UTF_8));
    assertThat(refused.getCode()).isEqualTo(ResponseCode.BAD_REQUEST);
    assertThat(refused.getResponseText()).startsWith("A PPM (P6)");
  }

  @Test
  void shouldSayWhichFieldOfTheSpecificationIsMissing() {
    CoapResponse withoutCalls = device.post(INTAKE, image(0));
    assertThat(withoutCalls.getCode()).isEqualTo(ResponseCode.INTERNAL_SERVER_ERROR);
    assertThat(withoutCalls.getResponseText())
        .contains("in its specification: \"calls\": [\"resize\"]");

    functions.patch(INTAKE, "{\"calls\": [\"catalog\"]}");
    CoapResponse ofAnother = device.post(INTAKE, image(0));
    assertThat(ofAnother.getCode()).isEqualTo(ResponseCode.INTERNAL_SERVER_ERROR);
    assertThat(ofAnother.getResponseText())
        .startsWith("resize is not called (403): ")
        .contains("calls");
  }
}
