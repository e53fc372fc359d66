package io.tinyfaas.gateway;

import static io.tinyfaas.gateway.Datagram.ACK;
import static io.tinyfaas.gateway.Datagram.BLOCK1;
import static io.tinyfaas.gateway.Datagram.BLOCK2;
import static io.tinyfaas.gateway.Datagram.CON;
import static io.tinyfaas.gateway.Datagram.CONTENT_FORMAT;
import static io.tinyfaas.gateway.Datagram.ECHO;
import static io.tinyfaas.gateway.Datagram.ETAG;
import static io.tinyfaas.gateway.Datagram.GET;
import static io.tinyfaas.gateway.Datagram.NON;
import static io.tinyfaas.gateway.Datagram.NO_RESPONSE;
import static io.tinyfaas.gateway.Datagram.POST;
import static io.tinyfaas.gateway.Datagram.PUT;
import static io.tinyfaas.gateway.Datagram.REQUEST_TAG;
import static io.tinyfaas.gateway.Datagram.RST;
import static io.tinyfaas.gateway.Datagram.SIZE1;
import static io.tinyfaas.harness.Eventually.within;
import static org.assertj.core.api.Assertions.assertThat;

import io.tinyfaas.harness.Seed;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;

/**
 * Datagrams that no device would send: random bytes, messages cut off, messages with bytes changed.
 * 20,000 of them; {@code -Dtinyfaas.fuzz=1000000} sends a million.
 */
@Tag("slow")
class CoapFuzzIT {

  private static final int DATAGRAMS = Integer.getInteger("tinyfaas.fuzz", 20_000);

  /** After so many, another device asks. */
  private static final int BATCH = 100;

  private static final int MAX_DATAGRAM = 2_100;
  private static final int QUIET_REQUESTS = 1_000;

  /** What one of the batches may cost, in requests; the gateway is compiled meanwhile. */
  private static final int MAX_REQUESTS = 2_000;

  /**
   * Vert.x warns, and says where, when a thread does not get on for seconds, as it does on a busy
   * machine.
   */
  private static final List<String> STOOD_STILL =
      List.of("BlockedThreadChecker", "VertxException: Thread blocked", "\tat ");

  @RegisterExtension private static final Seed SEED = new Seed();

  private final Random random = SEED.random();
  private final List<byte[]> messages = messages();

  private static List<byte[]> messages() {
    byte[] body = PlayedFunction.random(300);
    List<Datagram> all =
        List.of(
            Datagram.request(CON, GET, 1, "f"),
            Datagram.request(NON, POST, 2, "f", "a b").payload(body),
            Datagram.request(CON, GET, 3, "f", "size", "3000"),
            Datagram.request(CON, GET, 3, "f", "size", "3000").block(BLOCK2, 1, false, 64),
            Datagram.request(CON, PUT, 4, "f").block(BLOCK1, 0, true, 64).payload(new byte[64]),
            Datagram.request(CON, PUT, 5, "f").block(BLOCK1, 1, false, 64).payload(new byte[9]),
            Datagram.request(CON, PUT, 6, "f")
                .block(BLOCK1, 0, true, 16)
                .with(SIZE1, (byte) 40)
                .with(REQUEST_TAG, (byte) 1)
                .payload(new byte[16]),
            Datagram.request(CON, POST, 7, "f", "headers")
                .with(ETAG, (byte) 1, (byte) 2)
                .with(CONTENT_FORMAT, (byte) 60)
                .with(ECHO, new byte[8])
                .with(NO_RESPONSE, (byte) 2)
                .payload(body),
            Datagram.request(CON, 5, 8, ".well-known", "core"),
            Datagram.empty(CON, 9),
            Datagram.empty(ACK, 10),
            Datagram.empty(RST, 11),
            new Datagram(ACK, 0x45, 12, new byte[] {1}, List.of(), body));
    return all.stream().map(Datagram::bytes).toList();
  }

  private byte[] next() {
    byte[] message = messages.get(random.nextInt(messages.size())).clone();
    switch (random.nextInt(4)) {
      case 0 -> {
        message = new byte[random.nextInt(random.nextInt(10) == 0 ? MAX_DATAGRAM : 64)];
        random.nextBytes(message);
      }
      case 1 -> message = Arrays.copyOf(message, random.nextInt(message.length + 1));
      case 2 -> {
        for (int change = random.nextInt(4); change >= 0; change--) {
          message[random.nextInt(message.length)] = (byte) random.nextInt(256);
        }
      }
      default -> {
        byte[] insert = new byte[random.nextInt(20)];
        random.nextBytes(insert);
        int at = random.nextInt(message.length);
        byte[] longer = Arrays.copyOf(message, message.length + insert.length);
        System.arraycopy(message, at, longer, at + insert.length, message.length - at);
        System.arraycopy(insert, 0, longer, at, insert.length);
        message = longer;
      }
    }
    if (message.length > 4 && random.nextBoolean()) {
      message[2] = (byte) random.nextInt(256); // or most would be duplicates
      message[3] = (byte) random.nextInt(256);
    }
    return message;
  }

  /**
   * What others have of it is told by the processor time that it takes of the gateway: how long
   * they wait depends on who else is busy on the machine.
   */
  @Test
  @DisplayName("Random, truncated and mutated datagrams neither crash it nor slow it for others")
  void shouldOutliveAnyDatagrams(@TempDir Path folder) throws IOException {
    try (CoapDevices system = new CoapDevices(folder, Map.of());
        CoapPeer fuzzer = system.device("127.0.8.1");
        CoapPeer other = system.device("127.0.8.2")) {
      Duration before = system.gateway().cpuTime();
      for (int mid = 0; mid < QUIET_REQUESTS; mid++) {
        ask(other, mid);
      }
      Duration begin = system.gateway().cpuTime();
      Duration quiet = begin.minus(before);
      Duration longest = Duration.ZERO;
      Duration last = begin;
      for (int sent = 0; sent < DATAGRAMS; sent += BATCH) {
        for (int i = 0; i < BATCH; i++) {
          fuzzer.send(next());
        }
        ask(other, QUIET_REQUESTS + sent / BATCH);
        Duration now = system.gateway().cpuTime();
        longest = Collections.max(List.of(longest, now.minus(last)));
        last = now;
      }
      Duration all = last.minus(begin);

      System.out.printf(
          "processor time: %d requests %d ms, %d datagrams %d ms, the hundred that took most %d ms%n",
          QUIET_REQUESTS, quiet.toMillis(), DATAGRAMS, all.toMillis(), longest.toMillis());
      assertThat(all.dividedBy(DATAGRAMS))
          .as("processor time of a datagram")
          .isLessThan(quiet.dividedBy(QUIET_REQUESTS));
      assertThat(longest)
          .as("processor time of a hundred datagrams")
          .isLessThan(quiet.dividedBy(QUIET_REQUESTS).multipliedBy(MAX_REQUESTS));
      assertThat(system.gateway().log())
          .filteredOn(line -> !line.contains("level=INFO"))
          .filteredOn(line -> STOOD_STILL.stream().noneMatch(line::contains))
          .isEmpty();
      within(Duration.ofMinutes(1))
          .untilAsserted(
              () ->
                  assertThat(system.gateway().get("/q/metrics").body())
                      .contains("tinyfaas_in_flight 0.0\n"));
      ask(other, 0xfeff);
    }
  }

  private static void ask(CoapPeer device, int mid) throws IOException {
    assertThat(device.answer(Datagram.request(CON, GET, mid, "f")).head()).isEqualTo("ACK 2.05");
  }
}
