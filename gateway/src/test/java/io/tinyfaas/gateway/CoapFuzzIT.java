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
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Datagrams that no device would send: random bytes, messages cut off, messages with bytes changed.
 * 20,000 of them; {@code -Dtinyfaas.fuzz=1000000} sends a million, {@code -Dtinyfaas.fuzz.seed=N}
 * the same ones again.
 */
class CoapFuzzIT {

  private static final int DATAGRAMS = Integer.getInteger("tinyfaas.fuzz", 20_000);
  private static final long SEED = Long.getLong("tinyfaas.fuzz.seed", System.nanoTime());

  /** After so many, another device asks. */
  private static final int BATCH = 100;

  private static final int MAX_DATAGRAM = 2_100;
  private static final int QUIET_REQUESTS = 200;

  private final Random random = new Random(SEED);
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

  @Test
  @DisplayName("Random, truncated and mutated datagrams neither crash it nor slow it for others")
  void shouldOutliveAnyDatagrams(@TempDir Path folder) throws IOException {
    try (CoapDevices system = new CoapDevices(folder, Map.of());
        CoapPeer fuzzer = system.device("127.0.8.1");
        CoapPeer other = system.device("127.0.8.2")) {
      List<Long> quiet = new ArrayList<>();
      for (int mid = 0; mid < QUIET_REQUESTS; mid++) {
        quiet.add(ask(other, mid));
      }
      List<Long> disturbed = new ArrayList<>();
      for (int sent = 0; sent < DATAGRAMS; sent += BATCH) {
        for (int i = 0; i < BATCH; i++) {
          fuzzer.send(next());
        }
        disturbed.add(ask(other, QUIET_REQUESTS + sent / BATCH));
      }

      System.out.printf(
          "%d datagrams, seed %d; another device's answers: median %d µs before, %d µs meanwhile, at most %d µs%n",
          DATAGRAMS, SEED, median(quiet), median(disturbed), Collections.max(disturbed));
      assertThat(median(disturbed)).as("µs, seed " + SEED).isLessThan(50_000);
      assertThat(Collections.max(disturbed)).as("µs, seed " + SEED).isLessThan(1_500_000);
      assertThat(system.gateway().log().stream().filter(line -> !line.contains("level=INFO")))
          .as("seed " + SEED)
          .isEmpty();
      await()
          .atMost(15, TimeUnit.SECONDS)
          .until(
              () -> system.gateway().get("/q/metrics").body().contains("tinyfaas_in_flight 0.0"));
      assertThat(ask(other, 0xffff)).isPositive();
    }
  }

  /** In microseconds. */
  private static long ask(CoapPeer device, int mid) throws IOException {
    long start = System.nanoTime();
    Datagram answer = device.ask(Datagram.request(CON, GET, mid & 0xffff, "f"));
    if (answer.head().equals("ACK 0.00")) {
      answer = device.next();
      device.send(Datagram.empty(ACK, answer.mid()));
      return TimeUnit.NANOSECONDS.toMicros(System.nanoTime() - start);
    }
    assertThat(answer.head()).as("seed " + SEED).isEqualTo("ACK 2.05");
    return TimeUnit.NANOSECONDS.toMicros(System.nanoTime() - start);
  }

  private static long median(List<Long> values) {
    return values.stream().sorted().skip(values.size() / 2).findFirst().orElseThrow();
  }
}
