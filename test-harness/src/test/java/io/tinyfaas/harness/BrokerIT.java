package io.tinyfaas.harness;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.net.Socket;
import java.net.SocketException;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class BrokerIT {

  /** Return codes of MQTT 3.1.1, 3.2.2.3, and one of ours. */
  private static final int ACCEPTED = 0;

  private static final int NOT_AUTHORIZED = 5;
  private static final int DISCONNECTED = -1;

  @Test
  void shouldLetInTheGatewayAndTheManagerAndNobodyElse() throws IOException {
    try (Broker broker = new Broker().start()) {
      assertThat(connect(broker, "gateway", Broker.GATEWAY_PASSWORD)).isEqualTo(ACCEPTED);
      assertThat(connect(broker, "manager", Broker.MANAGER_PASSWORD)).isEqualTo(ACCEPTED);
      assertThat(connect(broker, "manager", "wrong")).isEqualTo(NOT_AUTHORIZED);
      assertThat(connect(broker, "somebody", "")).isEqualTo(NOT_AUTHORIZED);
    }
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void shouldKeepItsPortWhateverHappensToIt(boolean killed) throws IOException {
    try (Broker broker = new Broker()) {
      int port = broker.port();
      assertThat(connect(broker, "gateway", Broker.GATEWAY_PASSWORD)).isEqualTo(DISCONNECTED);
      broker.start();
      assertThat(connect(broker, "gateway", Broker.GATEWAY_PASSWORD)).isEqualTo(ACCEPTED);

      if (killed) {
        broker.kill();
      } else {
        broker.stop();
      }

      assertThat(connect(broker, "gateway", Broker.GATEWAY_PASSWORD)).isEqualTo(DISCONNECTED);
      broker.start();
      assertThat(connect(broker, "gateway", Broker.GATEWAY_PASSWORD)).isEqualTo(ACCEPTED);
      assertThat(Docker.publishedPort(broker.container(), 1883)).isEqualTo(port);
    }
  }

  /** What the broker says to somebody who connects (MQTT 3.1.1, 3.1 and 3.2). */
  private static int connect(Broker broker, String user, String password) throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    DataOutputStream packet = new DataOutputStream(bytes);
    packet.writeUTF("MQTT");
    packet.writeByte(4); // the protocol's level
    packet.writeByte(0b1100_0010); // user, password, clean session
    packet.writeShort(30); // keep alive, in seconds
    packet.writeUTF("test");
    packet.writeUTF(user);
    packet.writeUTF(password);
    try (Socket socket = new Socket("127.0.0.1", broker.port())) {
      socket.setSoTimeout((int) Eventually.patient(Duration.ofSeconds(10)).toMillis());
      socket.getOutputStream().write(new byte[] {0x10, (byte) bytes.size()});
      socket.getOutputStream().write(bytes.toByteArray());
      byte[] answer = socket.getInputStream().readNBytes(4);
      return answer.length == 4 ? answer[3] : DISCONNECTED;
    } catch (SocketException e) {
      return DISCONNECTED;
    }
  }
}
