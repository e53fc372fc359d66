package io.tinyfaas.gateway.ingress.grpc;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.tinyfaas.gateway.ingress.grpc.GrpcMessages.Request;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.util.HexFormat;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The bytes are those that protoc's classes write. */
class GrpcMessagesTest {

  private static Request parse(String hex) {
    return GrpcMessages.REQUEST.parseRequest(
        new ByteArrayInputStream(HexFormat.of().parseHex(hex)));
  }

  @ParameterizedTest
  @CsvSource({
    "0a01661203c3bc78, f, üx",
    "1203c3bc780a0166, f, üx",
    "0a0166, f, ''",
    "120178, '', x",
    "'', '', ''",
    "0a01660a0167, g, ''",
    "0a01661a0178120179, f, y",
    "0a016618011201 79, f, y",
  })
  void shouldReadARequest(String hex, String function, String data) {
    Request.Data request = (Request.Data) parse(hex.replace(" ", ""));

    assertThat(request.function()).isEqualTo(function);
    assertThat(request.data()).isEqualTo(data.getBytes(UTF_8));
  }

  /** Cut off, not UTF-8, a length without end, a group that ends and never began. */
  @ParameterizedTest
  @ValueSource(strings = {"0a05", "0a01ff", "1201ff", "0affffffffff7f", "0c", "07"})
  void shouldNotReadWhatIsBroken(String hex) {
    assertThat(parse(hex)).isInstanceOf(Request.Unreadable.class);
  }

  @Test
  void shouldWriteAResponse() throws IOException {
    assertThat(GrpcMessages.REQUEST.streamResponse("üx".getBytes(UTF_8)).readAllBytes())
        .isEqualTo(HexFormat.of().parseHex("0a03c3bc78"));
    assertThat(GrpcMessages.REQUEST.streamResponse(new byte[0]).readAllBytes()).isEmpty();
  }
}
