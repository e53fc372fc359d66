package io.tinyfaas.endtoend;

import static io.tinyfaas.harness.Eventually.within;
import static org.assertj.core.api.Assertions.assertThat;

import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.SocketException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Iterator;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;

/** What the gateway knows of where a device is: docs/operations.md, "The device's address". */
class AddressesIT {

  @RegisterExtension private static final Installation SYSTEM = Installation.UNIX;
  private static final String HEADERS = "contract/golden/handler/functions/nodejs/headers";
  private static final String DEVICES = Installation.named("devices");
  private static final String PREFIX = "10." + (158 - Installation.LANE) + ".0.";
  private static final String BRIDGE = PREFIX + "1";

  @RegisterExtension private final Functions functions = new Functions(SYSTEM);

  @TempDir private Path folder;

  @BeforeAll
  static void start() {
    SYSTEM.run(Duration.ofSeconds(20), "bash", "-c", "docker network rm $0; true", DEVICES);
    SYSTEM.docker("network", "create", "--subnet", PREFIX + "0/28", "--gateway", BRIDGE, DEVICES);
  }

  @AfterAll
  static void stop() {
    SYSTEM.docker("network", "rm", DEVICES);
  }

  /** A device with an address of its own, which the gateway has not heard of. */
  private List<String> device(String own, String asked, String script) {
    return new Aiocoap(SYSTEM, folder)
        .build()
        .python(
            "coap://" + asked + ":" + SYSTEM.coapPort() + "/",
            List.of("--network", DEVICES, "--ip", own),
            script);
  }

  @Test
  void shouldTellDevicesApart() {
    functions.deploy("headers", Archives.ofFolder(HEADERS));

    for (String own : List.of(PREFIX + "5", PREFIX + "6")) {
      assertThat(device(own, BRIDGE, "print((await ask(GET, 'headers')).payload.decode())"))
          .anyMatch(line -> line.startsWith("x-tinyfaas-peer: " + own + ":"));
    }
  }

  /**
   * It answers the gateway's ping. Where the machine was so slow that the gateway had given up by
   * then, another new address is tried.
   */
  @Test
  void shouldSendALargeAnswerToANewAddressWhole() {
    functions.deploy("sieve", Archives.ofFolder("examples/sieve-node"));
    String script =
        """
        request = context.request(Message(code=GET, uri=URI + 'sieve'), handle_blockwise=False)
        first = await request.response
        print(first.code, first.opt.block2)
        print((await ask(GET, 'sieve')).payload.decode())
        """;
    Iterator<Integer> addresses = List.of(7, 9, 10, 11, 12, 13, 14).iterator();

    assertThat(
            within(Duration.ofMinutes(2))
                .until(
                    () -> device(PREFIX + addresses.next(), BRIDGE, script),
                    lines ->
                        lines.stream()
                            .noneMatch(
                                line ->
                                    line.contains("size_exponent=0")
                                        || line.contains("size_exponent=1"))))
        .anyMatch(line -> line.startsWith("2.05 Content"))
        .anyMatch(line -> line.startsWith("2,3,5,7,11,13"));
  }

  /** By the bridge, by which the box reaches the device, and by the address it has outside. */
  @Test
  void shouldAnswerFromTheAddressThatIsAsked() throws SocketException {
    functions.deploy("echo", Archives.ofFolder("contract/golden/handler/functions/nodejs/echo"));
    List<String> addresses = List.of(BRIDGE, outside());

    assertThat(
            device(
                PREFIX + "8",
                BRIDGE,
                """
                for box in '%s'.split():
                    uri = f'coap://{box}:%d/echo'
                    answer = await context.request(Message(code=POST, uri=uri, payload=b'x')).response
                    print(box, answer.code)
                """
                    .formatted(String.join(" ", addresses), SYSTEM.coapPort())))
        .containsExactlyElementsOf(addresses.stream().map(a -> a + " 2.04 Changed").toList());
  }

  private static String outside() throws SocketException {
    try (DatagramSocket socket = new DatagramSocket()) {
      socket.connect(InetAddress.ofLiteral("198.51.100.1"), 9); // nothing is sent
      return socket.getLocalAddress().getHostAddress();
    }
  }
}
