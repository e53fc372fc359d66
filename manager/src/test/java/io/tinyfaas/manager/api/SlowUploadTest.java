package io.tinyfaas.manager.api;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;

import io.quarkus.test.junit.QuarkusTest;
import io.quarkus.test.junit.TestProfile;
import java.io.IOException;
import java.net.Socket;
import org.junit.jupiter.api.Test;

/** Archives that do not come to an end. */
@QuarkusTest
@TestProfile(WithoutEngine.AndLittleTime.class)
class SlowUploadTest extends RestCalls {

  @Test
  void shouldEndASlowUploadAndLeaveNothing() throws IOException {
    try (Socket socket = new Socket(server.getHost(), server.getPort())) {
      socket.setSoTimeout(PATIENCE);
      socket
          .getOutputStream()
          .write(
              ("PUT /functions/sieve?runtime=nodejs HTTP/1.1\r\nHost: localhost\r\n"
                      + "Authorization: Bearer "
                      + TOKEN
                      + "\r\nContent-Type: application/zip\r\nContent-Length: 1000\r\n\r\nPK")
                  .getBytes(US_ASCII));
      assertThat(socket.getInputStream().read()).isEqualTo(-1);
    }
    assertThat(store.functions()).isEmpty();
  }
}
