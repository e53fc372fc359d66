package io.tinyfaas.endtoend;

import static io.tinyfaas.harness.Eventually.within;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.restassured.RestAssured;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.time.Duration;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * A route table of as many functions as there may be, without as many containers: most of them, of
 * which any may be observed, have the handler of one. It takes the place of the manager's own at
 * the broker and has its revision, so that the manager finds what it has sent confirmed.
 */
final class RoutesOfMany {

  private static final String ROUTES = "tinyfaas/routes";
  private static final int CONNECT = 0x10;
  private static final int PUBLISH_ONCE_AND_RETAIN = 0x33;
  private static final int PUBLISHED = 0x40;

  private final Installation system;
  private final Functions functions;

  RoutesOfMany(Installation system, Functions functions) {
    this.system = system;
    this.functions = functions;
  }

  /**
   * Starts the gateway again with it: of two tables of one revision it takes the one that it hears
   * first.
   *
   * @param all in the table
   * @param names of functions with a handler of their own
   * @param shared the one of them whose handler the others have: many-0, many-1 and so on
   */
  void serve(int all, List<String> names, String shared) throws IOException {
    long epoch = metric("tinyfaas_route_epoch");
    long revision = metric("tinyfaas_route_revision");
    String one = functions.handlers(shared).getFirst();
    String routes =
        Stream.concat(
                names.stream()
                    .map(name -> route(name, false, name, functions.handlers(name).getFirst())),
                IntStream.range(0, all - names.size())
                    .mapToObj(number -> route("many-" + number, true, shared, one)))
            .collect(Collectors.joining(","));
    String table =
        "{\"revision\":{\"epoch\":%d,\"number\":%d},\"routes\":[%s]}"
            .formatted(epoch, revision, routes);
    String manager = system.container("manager");
    String password =
        system.docker("exec", manager, "cat", "/run/secrets/broker-password").getFirst();
    system.docker("pause", manager); // which would publish its own again while the gateway is gone
    try {
      system.compose("stop", "gateway");
      publish(table, password);
      system.docker("start", system.container("gateway"));
      within(Duration.ofMinutes(1))
          .ignoreExceptions()
          .untilAsserted(() -> assertThat(metric("tinyfaas_route_revision")).isEqualTo(revision));
    } finally {
      system.docker("unpause", manager);
    }
  }

  private long metric(String name) {
    return RestAssured.get(system.gatewayUri("/q/metrics"))
        .asString()
        .lines()
        .filter(line -> line.startsWith(name + " ") || line.startsWith(name + "{"))
        .map(line -> (long) Double.parseDouble(line.substring(line.lastIndexOf(' ') + 1)))
        .findFirst()
        .orElseThrow();
  }

  private static String route(String name, boolean observable, String handledAs, String handler) {
    return """
        {"function":"%s","version":1,"timeoutMillis":10000,
         "exposure":{"access":"any","observable":%s,"link":{}},
         "handlers":[{"id":"%s-%s","endpoint":"unix:%s/%s/http.sock"}]}"""
        .formatted(name, observable, handler, name, handledAs, handler);
  }

  /** As the manager does (MQTT 3.1.1, 3.1 and 3.3). */
  private void publish(String table, String password) throws IOException {
    try (Socket socket = new Socket(InetAddress.ofLiteral("127.0.0.1"), system.brokerPort())) {
      DataInputStream in = new DataInputStream(socket.getInputStream());
      ByteArrayOutputStream bytes = new ByteArrayOutputStream();
      DataOutputStream packet = new DataOutputStream(bytes);
      packet.writeUTF("MQTT");
      packet.write(new byte[] {4, (byte) 0xc2, 0, 60}); // with name and password, and no session
      packet.writeUTF("routes-of-many");
      packet.writeUTF("manager");
      packet.writeUTF(password);
      send(socket, CONNECT, bytes.toByteArray());
      assertThat(in.readInt()).as("accepted").isEqualTo(0x20020000);
      bytes.reset();
      packet.writeUTF(ROUTES);
      packet.writeShort(1);
      packet.write(table.getBytes(UTF_8));
      send(socket, PUBLISH_ONCE_AND_RETAIN, bytes.toByteArray());
      assertThat(in.readUnsignedByte()).isEqualTo(PUBLISHED);
    }
  }

  private static void send(Socket socket, int type, byte[] content) throws IOException {
    ByteArrayOutputStream packet = new ByteArrayOutputStream();
    packet.write(type);
    int length = content.length;
    for (; length > 0x7f; length >>>= 7) {
      packet.write(length & 0x7f | 0x80);
    }
    packet.write(length);
    packet.writeBytes(content);
    socket.getOutputStream().write(packet.toByteArray());
  }
}
