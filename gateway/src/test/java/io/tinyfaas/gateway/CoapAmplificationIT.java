package io.tinyfaas.gateway;

import static io.tinyfaas.gateway.Datagram.ACK;
import static io.tinyfaas.gateway.Datagram.BLOCK1;
import static io.tinyfaas.gateway.Datagram.BLOCK2;
import static io.tinyfaas.gateway.Datagram.CON;
import static io.tinyfaas.gateway.Datagram.ECHO;
import static io.tinyfaas.gateway.Datagram.GET;
import static io.tinyfaas.gateway.Datagram.MAX_AGE;
import static io.tinyfaas.gateway.Datagram.NON;
import static io.tinyfaas.gateway.Datagram.POST;
import static io.tinyfaas.gateway.Datagram.RST;
import static io.tinyfaas.gateway.Datagram.SIZE2;
import static io.tinyfaas.harness.Eventually.patient;
import static org.assertj.core.api.Assertions.assertThat;

import io.tinyfaas.harness.Command;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * That nobody can make the gateway send somebody else much more than he sends himself. Each test
 * has a gateway that does not know 127.0.0.1 yet, and does not trust it.
 */
@Tag("slow")
class CoapAmplificationIT {

  private static final int BODY = 4_096;

  /** Of all addresses together that have not proved to be theirs. */
  private static final int UNPROVED_UPLOADS = 64;

  /** How long the gateway waits for the answer to a ping. */
  private static final Duration PING = Duration.ofSeconds(1);

  @TempDir private static Path folder;
  private static CoapDevices system;
  private static int addresses;

  @BeforeAll
  static void start() throws IOException {
    system = new CoapDevices(folder, Map.of("TINYFAAS_COAP_TRUSTED_NETWORKS", "192.0.2.0/24"));
  }

  @AfterAll
  static void stop() {
    system.close();
  }

  @BeforeEach
  void hold() {
    system.held().hold();
  }

  private static String newAddress() {
    return "127.0.9." + ++addresses;
  }

  private static CoapPeer newDevice() throws IOException {
    return system.device(newAddress());
  }

  private static Datagram get(int type, int mid) {
    return Datagram.request(type, GET, mid, "f", "size", Integer.toString(BODY));
  }

  /** All that comes until nothing has come for a while. */
  private static int drain(CoapPeer peer, int millis) throws IOException {
    int bytes = 0;
    Optional<byte[]> message = peer.receive(millis);
    while (message.isPresent()) {
      bytes += message.get().length;
      message = peer.receive(millis);
    }
    return bytes;
  }

  @Test
  @DisplayName("RFC 9175 2.4: an address that never answers gets at most three times what it sent")
  void shouldNotSendMoreThanThreeTimesWhatCame() throws IOException {
    try (CoapPeer victim = newDevice()) {
      int sent = 0;
      int received = 0;
      for (int mid = 0; mid < 50; mid++) {
        List<Datagram> forged =
            List.of(
                get(CON, 10 * mid),
                get(NON, 10 * mid + 1),
                get(CON, 10 * mid + 2).block(BLOCK2, 1, false, 1_024),
                Datagram.request(CON, GET, 10 * mid + 3, "held"),
                Datagram.request(CON, GET, 10 * mid + 4, "f", "status", "500"),
                Datagram.request(CON, GET, 10 * mid + 5),
                Datagram.empty(CON, 10 * mid + 6));
        for (Datagram message : forged) {
          victim.send(message);
          sent += message.bytes().length;
        }
        received += drain(victim, 1); // or what comes might not fit into the socket
      }
      system.held().await(50);
      received += drain(victim, 600);
      system.held().release();
      long end = System.nanoTime() + patient(Duration.ofSeconds(20)).toNanos();
      while (received < sent / 2 && System.nanoTime() < end) {
        received += drain(victim, 100);
      }
      received += drain(victim, 4_000);

      assertThat(received).isBetween(sent / 2, 3 * sent);
    }
  }

  @ParameterizedTest(name = "by a {0}")
  @ValueSource(ints = {CON, NON})
  @DisplayName("RFC 9175 2.4: an address that answers a ping gets the whole answer")
  void shouldAnswerWholeOnceTheAddressAnswersAPing(int type) throws IOException {
    String expected = type == CON ? "ACK 2.05" : "NON 2.05";
    AtomicReference<CoapPeer> device = new AtomicReference<>();
    try {
      Datagram answer =
          InTime.before(
              type == CON ? CoapPeer.ACK_DELAY : PING,
              () -> {
                if (device.get() != null) {
                  device.get().close();
                }
                device.set(newDevice());
                device.get().send(get(type, 1));
                Datagram ping = ping(device.get());
                assertThat(ping.bytes()).hasSize(4);
                device.get().send(Datagram.empty(RST, ping.mid()));
                return answer(device.get());
              },
              any -> any.head().equals(expected) && any.blockSize(BLOCK2) == 1_024);

      assertThat(answer.payload()).hasSize(1_024);
      assertThat(device.get().untilNow()).allMatch(CoapAmplificationIT::isPing);
      assertThat(device.get().answer(get(type, 2)).blockSize(BLOCK2))
          .as("no ping")
          .isEqualTo(1_024);
    } finally {
      device.get().close();
    }
  }

  private static boolean isPing(Datagram message) {
    return message.head().equals("CON 0.00");
  }

  /** Before an answer. */
  private static Datagram ping(CoapPeer device) throws IOException {
    Datagram message = device.next();
    while (message.head().equals("ACK 0.00")) {
      message = device.next();
    }
    assertThat(message.head()).isEqualTo("CON 0.00");
    return message;
  }

  @Test
  @DisplayName("RFC 7959 2.4: one that does not answer a ping is served in blocks small enough")
  void shouldServeADeviceThatDoesNotAnswerPings() throws IOException {
    int runs = system.runs();
    try (CoapPeer device = newDevice()) {
      ByteArrayOutputStream body = new ByteArrayOutputStream();
      device.send(get(CON, 1));
      ping(device);
      Datagram block = answer(device);
      assertThat(block.head()).endsWith(" 2.05");
      assertThat(block.number(SIZE2)).hasValue((long) BODY);
      int size = block.blockSize(BLOCK2);
      assertThat(size).isBetween(16, 32);
      body.writeBytes(block.payload());
      if (block.type() == CON) {
        device.send(Datagram.empty(ACK, block.mid()));
        device.untilNow();
      }
      for (int num = 1; block.hasMore(BLOCK2); num++) {
        device.send(get(CON, num + 1).block(BLOCK2, num, false, size));
        block = answer(device);
        assertThat(block.head()).isEqualTo("ACK 2.05");
        body.writeBytes(block.payload());
      }

      assertThat(body.toByteArray()).isEqualTo(PlayedFunction.random(BODY));
      assertThat(system.runs() - runs).isEqualTo(1);
    }
  }

  /** What is neither a ping nor an acknowledgement. */
  private static Datagram answer(CoapPeer device) throws IOException {
    Datagram message = device.next();
    while (message.code() == 0) {
      message = device.next();
    }
    return message;
  }

  @Test
  @DisplayName("RFC 9175 2.3: where no block fits, a request is asked for an Echo")
  void shouldAskForAnEcho() throws IOException {
    try (CoapPeer device = newDevice()) {
      Datagram middle = get(NON, 1).block(BLOCK2, 3, false, 256);
      device.send(middle);
      Datagram refused = answer(device);
      assertThat(refused.head()).isEqualTo("NON 4.01");
      byte[] echo = refused.option(ECHO).orElseThrow();
      assertThat(echo).hasSize(8);

      echo[0] ^= 1;
      device.send(get(NON, 2).block(BLOCK2, 3, false, 256).with(ECHO, echo));
      assertThat(answer(device).head()).as("a guessed one").isEqualTo("NON 4.01");

      echo[0] ^= 1;
      device.send(get(NON, 3).block(BLOCK2, 3, false, 256).with(ECHO, echo));
      Datagram answer = answer(device);
      assertThat(answer.head()).isEqualTo("NON 2.05");
      assertThat(answer.payload()).hasSize(256);
    }
  }

  @Test
  @DisplayName("where answers that wait for a proof have their share of memory, others do not wait")
  void shouldNotHoldAsManyAnswersAsAddressesCanBeInvented() throws IOException {
    Datagram large = Datagram.request(CON, GET, 1, "f", "size", Integer.toString(1 << 20));
    Datagram first =
        InTime.before(
            PING,
            () -> {
              try (CoapPeer waiting = newDevice();
                  CoapPeer other = newDevice()) {
                waiting.send(large);
                ping(waiting);
                other.send(large);
                Datagram message = other.next();
                return message.head().equals("ACK 0.00") ? other.next() : message;
              }
            },
            message -> message.head().endsWith(" 2.05"));

    assertThat(first.blockSize(BLOCK2)).isLessThan(1_024);
  }

  private static Datagram block(int mid, int number) {
    return Datagram.request(CON, POST, mid, "f")
        .block(BLOCK1, number, number == 0, 64)
        .payload(PlayedFunction.random(64));
  }

  /** One more; the answer to its first block. */
  private static Datagram beginUnproved(List<CoapPeer> unproved) throws IOException {
    unproved.add(newDevice());
    unproved.getLast().send(block(1, 0));
    return answer(unproved.getLast());
  }

  @Test
  @DisplayName("a newcomer has a share of its own, whatever those have taken that prove nothing")
  void shouldGiveANewcomerAShareOfItsOwn() throws IOException {
    List<CoapPeer> unproved = new ArrayList<>();
    try (CoapPeer knowsPing = newDevice()) {
      Datagram last = beginUnproved(unproved);
      while (last.head().equals("ACK 2.31")) {
        last = beginUnproved(unproved);
      }
      CoapPeer knowsEcho = unproved.removeLast();
      assertThat(unproved).hasSizeLessThanOrEqualTo(UNPROVED_UPLOADS);
      assertThat(last.head()).isEqualTo("ACK 5.03");
      assertThat(last.number(MAX_AGE)).hasValue(1L);
      knowsEcho.send(block(2, 0).with(ECHO, last.option(ECHO).orElseThrow()));
      assertThat(answer(knowsEcho).head()).isEqualTo("ACK 2.31");
      knowsEcho.close();

      knowsPing.send(block(1, 0));
      knowsPing.send(Datagram.empty(RST, ping(knowsPing).mid()));
      assertThat(answer(knowsPing).head()).isEqualTo("ACK 5.03");
      knowsPing.send(block(2, 0));
      assertThat(answer(knowsPing).head()).isEqualTo("ACK 2.31");
    } finally {
      for (CoapPeer one : unproved) {
        one.send(block(2, 1));
        assertThat(answer(one).head()).endsWith(" 2.04");
        one.close();
      }
    }
  }

  @Test
  @DisplayName("RFC 7252 4.3: guessing the message ID of a ping verifies nobody")
  void shouldNotBelieveGuesses() throws IOException {
    try (CoapPeer attacker = newDevice()) {
      attacker.send(get(CON, 1));
      int mid = ping(attacker).mid();
      for (int guess = 1; guess <= 3; guess++) {
        attacker.send(Datagram.empty(RST, mid ^ guess));
      }
      attacker.send(Datagram.empty(RST, mid));

      assertThat(answer(attacker).payload())
          .as("still in small blocks")
          .hasSizeLessThanOrEqualTo(64);
    }
  }

  @Test
  @DisplayName(
      "RFC 7252 4.2: a slow function's answer to a new address is sent again until acknowledged")
  void shouldVerifyAnAddressWhileAFunctionTakesItsTime() throws IOException {
    try (CoapPeer device = newDevice()) {
      device.send(Datagram.request(CON, POST, 1, "held"));
      assertThat(device.next().head()).isEqualTo("ACK 0.00");
      Datagram ping = device.next();
      assertThat(ping.head()).isEqualTo("CON 0.00");
      device.send(Datagram.empty(RST, ping.mid()));
      system.held().release();
      for (int copy = 0; copy < 2; copy++) {
        assertThat(device.next().head()).isEqualTo("CON 2.04");
      }
    }
  }

  @Test
  @DisplayName("libcoap, a new address: the whole answer after one ping")
  void shouldServeLibcoapWhole() throws Exception {
    Path out = folder.resolve("out");
    String messages =
        InTime.before(
            PING,
            () -> {
              String options = "-v 7 -B 90 -m get -a %s -o %s".formatted(newAddress(), out);
              List<String> command = new ArrayList<>(List.of("coap-client-notls"));
              command.addAll(List.of(options.split(" ")));
              command.add(system.uri("f/size/" + BODY));
              return Command.of(command).succeed().output();
            },
            output -> output.contains("Block2:3/_/1024"));

    assertThat(Files.readAllBytes(out)).as(messages).isEqualTo(PlayedFunction.random(BODY));
  }
}
