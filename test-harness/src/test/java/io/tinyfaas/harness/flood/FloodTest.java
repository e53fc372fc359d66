package io.tinyfaas.harness.flood;

import static io.tinyfaas.harness.Eventually.eventually;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class FloodTest {

  private static final InetAddress HERE = InetAddress.ofLiteral("127.0.0.1");

  private ServerSocket tcp;
  private DatagramSocket udp;

  @BeforeEach
  void listen() throws IOException {
    tcp = new ServerSocket(0, 200, HERE);
    udp = new DatagramSocket(new InetSocketAddress(HERE, 0));
  }

  @AfterEach
  void stop() throws IOException {
    tcp.close();
    udp.close();
  }

  private static List<String> head(Socket socket) throws IOException {
    BufferedReader in = new BufferedReader(new InputStreamReader(socket.getInputStream(), UTF_8));
    return Stream.generate(() -> line(in)).takeWhile(line -> !line.isEmpty()).toList();
  }

  private static String line(BufferedReader in) {
    try {
      return in.readLine();
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "http connections 2 path /f field a: 3 body 2 contentLength 9",
        "http path /f contentLength 9 body 2 field a: 3 connections 2 seconds 60"
      })
  void shouldBeTheSameFromALineOfText(String line) throws IOException {
    try (RunningFlood flood = Flood.of(line).start(tcp.getLocalPort());
        Socket one = tcp.accept();
        Socket other = tcp.accept()) {
      flood.awaitSent();
      assertThat(head(one))
          .startsWith("POST /f HTTP/1.1")
          .contains("Host: x", "Content-Length: 9")
          .filteredOn(field -> field.equals("a:"))
          .hasSize(3);
      assertThat(other.getInputStream().readNBytes(4)).isEqualTo("POST".getBytes(UTF_8));
      assertThat(flood.outcomes()).isEmpty();
    }
  }

  @Test
  void shouldTellWhatCameOfIt() throws IOException {
    try (RunningFlood flood = Flood.http().pipelined(2).start(tcp.getLocalPort());
        Socket one = tcp.accept()) {
      one.getOutputStream()
          .write(
              ("HTTP/1.1 100 Continue\r\n\r\n"
                      + "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nxx\r\n0\r\n\r\n"
                      + "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 2\r\n\r\nxx")
                  .getBytes(UTF_8));

      eventually().until(flood::hasEnded);
      assertThat(flood.outcomes()).containsOnlyKeys("200", "503");
    }
  }

  @Test
  void shouldComeAgainWhenItWasSentAway() throws IOException {
    try (RunningFlood flood = Flood.http().again(1).start(tcp.getLocalPort())) {
      for (int i = 0; i < 3; i++) {
        tcp.accept().close();
      }
      assertThat(flood.hasEnded()).isFalse();
    }
  }

  @Test
  void shouldEndByItself() throws IOException {
    try (RunningFlood flood = Flood.http().again(1).seconds(1).start(tcp.getLocalPort());
        Socket one = tcp.accept()) {
      one.getInputStream().transferTo(java.io.OutputStream.nullOutputStream());
      eventually().until(flood::hasEnded);
    }
  }

  @Test
  void shouldSendMessagesOfManyOptionsFromManyAddresses() throws IOException {
    DatagramPacket packet = new DatagramPacket(new byte[4_096], 4_096);
    try (RunningFlood flood =
        Flood.coap()
            .connections(2)
            .addresses("127.0.7.255", 2)
            .path("f")
            .queries(1_990)
            .start(udp.getLocalPort())) {
      for (int i = 0; i < 2; i++) {
        udp.receive(packet);
        assertThat(packet.getAddress().getHostAddress()).isIn("127.0.7.255", "127.0.8.0");
        assertThat(packet.getLength()).isEqualTo(4 + 4 + 2 + 1_990);
        byte[] message = Arrays.copyOf(packet.getData(), packet.getLength());
        assertThat(message).startsWith(0x44, 1, 0, 1).endsWith(0, 0, 0);
        byte[] answer = {0x64, (byte) 0xa3, message[2], message[3], 0, 0, 0, 0};
        udp.send(new DatagramPacket(answer, answer.length, packet.getSocketAddress()));
      }
      eventually().until(flood::hasEnded);
      assertThat(flood.outcomes()).containsEntry("5.03", 2L);
    }
  }

  @Test
  void shouldSayWhatItDoesNotKnow() {
    assertThatThrownBy(() -> Flood.of("http hands 3")).hasMessage("HttpFlood knows no hands");
    assertThatThrownBy(() -> Flood.of("mqtt")).hasMessageContaining("http, grpc, coap or dtls");
  }
}
