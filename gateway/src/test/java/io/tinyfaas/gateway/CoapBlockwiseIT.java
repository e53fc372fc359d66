package io.tinyfaas.gateway;

import static io.tinyfaas.gateway.Datagram.BLOCK1;
import static io.tinyfaas.gateway.Datagram.BLOCK2;
import static io.tinyfaas.gateway.Datagram.CON;
import static io.tinyfaas.gateway.Datagram.CONTENT_FORMAT;
import static io.tinyfaas.gateway.Datagram.GET;
import static io.tinyfaas.gateway.Datagram.MAX_AGE;
import static io.tinyfaas.gateway.Datagram.NON;
import static io.tinyfaas.gateway.Datagram.POST;
import static io.tinyfaas.gateway.Datagram.PUT;
import static io.tinyfaas.gateway.Datagram.REQUEST_TAG;
import static io.tinyfaas.gateway.Datagram.SIZE1;
import static io.tinyfaas.gateway.Datagram.SIZE2;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Block-wise transfer, block by block. */
@Tag("slow")
class CoapBlockwiseIT {

  private static final int MAX_BODY = 1 << 20;
  private static final int MAX_OF_ONE_ADDRESS = 64;

  @TempDir private static Path folder;
  private static CoapDevices system;
  private int mid;

  @BeforeAll
  static void start() throws IOException {
    system = new CoapDevices(folder, Map.of());
  }

  @AfterAll
  static void stop() {
    system.close();
  }

  /** A block of the body, as the request that carries it. */
  private Datagram block(int code, byte[] body, int num, int size, String... path) {
    int end = Math.min((num + 1) * size, body.length);
    return Datagram.request(CON, code, ++mid, path)
        .block(BLOCK1, num, end < body.length, size)
        .payload(Arrays.copyOfRange(body, num * size, end));
  }

  private static byte[] bytes(int value) {
    return ByteBuffer.allocate(4).putInt(value).array();
  }

  @ParameterizedTest(name = "RFC 7959 2.3: an upload in blocks of {0}, each acknowledged with 2.31")
  @ValueSource(ints = {16, 32, 64, 128, 256, 512, 1_024})
  void shouldContinueAnUpload(int size) throws IOException {
    byte[] body = PlayedFunction.random(3 * size + 1);
    try (CoapPeer device = system.device()) {
      int runs = system.runs();
      for (int num = 0; num < 3; num++) {
        Datagram answer = device.answer(block(PUT, body, num, size, "f").with(SIZE1, bytes(3_073)));
        assertThat(answer.head()).isEqualTo("ACK 2.31");
        assertThat(answer.number(BLOCK1).orElseThrow() >> 4).isEqualTo(num);
        assertThat(answer.blockSize(BLOCK1)).isEqualTo(size);
        assertThat(answer.hasMore(BLOCK1)).isTrue();
      }
      Datagram last = device.answer(block(PUT, body, 3, size, "f").block(BLOCK2, 0, false, size));
      assertThat(last.head()).isEqualTo("ACK 2.04");
      assertThat(last.hasMore(BLOCK1)).isFalse();
      assertThat(last.number(SIZE2)).hasValue((long) body.length);
      assertThat(system.runs() - runs).isEqualTo(1);

      ByteArrayOutputStream back = new ByteArrayOutputStream();
      back.writeBytes(last.payload());
      Datagram next = last;
      for (int num = 1; next.hasMore(BLOCK2); num++) {
        next =
            device.answer(Datagram.request(CON, PUT, ++mid, "f").block(BLOCK2, num, false, size));
        assertThat(next.head()).isEqualTo("ACK 2.04");
        back.writeBytes(next.payload());
      }
      assertThat(back.toByteArray()).isEqualTo(body);
      assertThat(system.runs() - runs).as("not run again for a block").isEqualTo(1);
    }
  }

  @Test
  @DisplayName(
      "RFC 7959 2.4: a device that names a block size first gets no larger one (early negotiation)")
  void shouldHeedTheBlockSizeThatIsAskedFor() throws IOException {
    try (CoapPeer device = system.device()) {
      Datagram first =
          device.answer(
              Datagram.request(CON, GET, ++mid, "f", "size", "200")
                  .block(BLOCK2, 0, false, 64)
                  .with(SIZE2));
      assertThat(first.head()).isEqualTo("ACK 2.05");
      assertThat(first.blockSize(BLOCK2)).isEqualTo(64);
      assertThat(first.hasMore(BLOCK2)).isTrue();
      assertThat(first.number(SIZE2)).as("RFC 7959 4: Size2").hasValue(200L);
      Datagram last =
          device.answer(
              Datagram.request(CON, GET, ++mid, "f", "size", "200").block(BLOCK2, 3, false, 64));
      assertThat(last.hasMore(BLOCK2)).isFalse();
      assertThat(last.payload()).hasSize(200 - 3 * 64);
    }
  }

  @Test
  @DisplayName("RFC 7959 2.2: the reserved block size 7 is a bad request")
  void shouldRefuseTheReservedBlockSize() throws IOException {
    try (CoapPeer device = system.device()) {
      assertThat(
              device.answer(Datagram.request(CON, GET, ++mid, "f").with(BLOCK2, (byte) 7)).head())
          .isEqualTo("ACK 4.00");
      assertThat(
              device
                  .answer(
                      Datagram.request(CON, PUT, ++mid, "f")
                          .with(BLOCK1, (byte) 15)
                          .payload(new byte[1_024]))
                  .head())
          .isEqualTo("ACK 4.00");
    }
  }

  @Test
  @DisplayName("RFC 7959 2.9.2: a block without its first, or after a gap, is 4.08")
  void shouldSayThatABodyIsIncomplete() throws IOException {
    byte[] body = PlayedFunction.random(500);
    try (CoapPeer device = system.device()) {
      int runs = system.runs();
      assertThat(device.answer(block(PUT, body, 3, 64, "f", "gap")).head()).isEqualTo("ACK 4.08");
      assertThat(device.answer(block(PUT, body, 0, 64, "f", "gap")).head()).isEqualTo("ACK 2.31");
      assertThat(device.answer(block(PUT, body, 2, 64, "f", "gap")).head()).isEqualTo("ACK 4.08");
      assertThat(device.answer(block(PUT, body, 3, 64, "f", "gap")).head()).isEqualTo("ACK 4.08");
      Datagram other = block(PUT, body, 0, 64, "f", "gap").with(CONTENT_FORMAT, (byte) 60);
      assertThat(device.answer(other).head()).isEqualTo("ACK 2.31");
      assertThat(device.answer(block(PUT, body, 1, 64, "f", "gap")).head())
          .as("of another Content-Format")
          .isEqualTo("ACK 4.08");
      assertThat(system.runs()).isEqualTo(runs);
    }
  }

  @Test
  @DisplayName(
      "RFC 7959 2.9.3: a body above the bound is 4.13 with Size1, as soon as that is known")
  void shouldSayHowLargeABodyMayBe() throws IOException {
    byte[] body = PlayedFunction.random(MAX_BODY + 1);
    try (CoapPeer device = system.device()) {
      Datagram announced =
          device.answer(block(PUT, body, 0, 1_024, "f", "huge").with(SIZE1, bytes(MAX_BODY + 1)));
      assertThat(announced.head()).isEqualTo("ACK 4.13");
      assertThat(announced.number(SIZE1)).hasValue((long) MAX_BODY);

      byte[] small = PlayedFunction.random(100);
      device.answer(block(PUT, small, 0, 64, "f", "liar").with(SIZE1, (byte) 64));
      Datagram beyond = device.answer(block(PUT, small, 1, 64, "f", "liar"));
      assertThat(beyond.head()).as("more than was announced").isEqualTo("ACK 4.13");
    }
  }

  @Test
  @DisplayName("RFC 7959 2.5: beginning again replaces the body that was begun")
  void shouldTakeAFirstBlockAsANewBeginning() throws IOException {
    byte[] old = PlayedFunction.random(100);
    byte[] body = PlayedFunction.random(101);
    try (CoapPeer device = system.device()) {
      device.answer(block(PUT, old, 0, 64, "f", "again"));
      assertThat(device.answer(block(PUT, body, 0, 64, "f", "again")).head()).isEqualTo("ACK 2.31");
      assertThat(device.answer(block(PUT, body, 1, 64, "f", "again")).payload()).isEqualTo(body);
    }
  }

  @Test
  @DisplayName("RFC 9175 3.5: uploads at once, by one device to one URI, told apart by Request-Tag")
  void shouldTellUploadsApartByRequestTag() throws IOException {
    byte[][] tags = {{}, {1}, {1, 2, 3, 4, 5, 6, 7, 8}};
    byte[][] bodies = {
      PlayedFunction.random(200),
      PlayedFunction.random(201),
      PlayedFunction.random(202),
      PlayedFunction.random(203)
    };
    try (CoapPeer device = system.device()) {
      for (int num = 0; num < 4; num++) {
        for (int upload = 0; upload < bodies.length; upload++) {
          Datagram block = block(POST, bodies[upload], num, 64, "f");
          if (upload < tags.length) {
            block = block.with(REQUEST_TAG, tags[upload]);
          }
          Datagram answer = device.answer(block);
          assertThat(answer.head()).isEqualTo(num < 3 ? "ACK 2.31" : "ACK 2.04");
          if (num == 3) {
            assertThat(answer.payload()).isEqualTo(bodies[upload]);
          }
        }
      }
      Datagram tagged =
          Datagram.request(CON, GET, ++mid, "f", "headers").with(REQUEST_TAG, tags[1]);
      assertThat(device.answer(tagged).text()).doesNotContain("request-tag", "x-tinyfaas-query");
    }
  }

  @Test
  @DisplayName("one address may have 64 bodies half-finished; others are served meanwhile")
  void shouldBoundTheHalfFinishedBodiesOfOneAddress() throws IOException {
    byte[] body = PlayedFunction.random(100);
    try (CoapPeer greedy = system.device("127.0.8.1");
        CoapPeer other = system.device("127.0.8.2")) {
      for (int upload = 0; upload < MAX_OF_ONE_ADDRESS; upload++) {
        Datagram first = block(PUT, body, 0, 64, "f", "" + upload).with(SIZE1, (byte) 100);
        assertThat(greedy.answer(first).head()).isEqualTo("ACK 2.31");
      }
      Datagram refused = greedy.answer(block(PUT, body, 0, 64, "f", "x").with(SIZE1, (byte) 100));
      assertThat(refused.head()).isEqualTo("ACK 5.03");
      assertThat(refused.number(MAX_AGE)).hasValue(1L);
      assertThat(other.answer(block(PUT, body, 0, 64, "f").with(SIZE1, (byte) 100)).head())
          .isEqualTo("ACK 2.31");
      assertThat(other.answer(block(PUT, body, 1, 64, "f")).payload()).isEqualTo(body);

      assertThat(greedy.answer(block(PUT, body, 1, 64, "f", "0")).head()).isEqualTo("ACK 2.04");
      assertThat(greedy.answer(block(PUT, body, 0, 64, "f", "x").with(SIZE1, (byte) 100)).head())
          .as("once one is finished")
          .isEqualTo("ACK 2.31");
    }
  }

  @Test
  @DisplayName("one address may hold three quarters of the memory for bodies")
  void shouldBoundTheBytesOfOneAddress() throws IOException {
    byte[] body = PlayedFunction.random(100);
    try (CoapPeer greedy = system.device("127.0.8.3");
        CoapPeer other = system.device("127.0.8.4")) {
      int taken = 0;
      Datagram answer = greedy.answer(block(PUT, body, 0, 64, "f", "0")); // does not say its size
      while (answer.head().equals("ACK 2.31")) {
        answer = greedy.answer(block(PUT, body, 0, 64, "f", "" + ++taken));
      }
      assertThat(answer.head()).isEqualTo("ACK 5.03");
      assertThat(taken).isBetween(8, 12);
      assertThat(other.answer(block(PUT, body, 0, 64, "f")).head()).isEqualTo("ACK 2.31");
      for (int upload = 0; upload < taken; upload++) {
        assertThat(greedy.answer(block(PUT, body, 1, 64, "f", "" + upload)).head())
            .isEqualTo("ACK 2.04");
      }
    }
  }

  /** With 35 MB of heap, where what each device sent last is remembered for minutes. */
  @Test
  @DisplayName("a body that is answered is forgotten")
  void shouldForgetBodiesThatAreAnswered() throws IOException {
    byte[] body = PlayedFunction.random(MAX_BODY);
    for (int i = 1; i <= 48; i++) {
      try (CoapPeer device = system.device("127.0.9." + i)) {
        Datagram answer = null;
        for (int num = 0; num < MAX_BODY / 1_024; num++) {
          answer = device.answer(block(PUT, body, num, 1_024, "f", "status", "204"));
        }
        assertThat(answer.head()).isEqualTo("ACK 2.04");
      }
    }
  }

  /** The last blocks of each device are remembered, too. */
  @Test
  @DisplayName("a body that is fetched is forgotten")
  void shouldForgetBodiesThatAreFetched() throws IOException {
    for (int i = 1; i <= 32; i++) {
      try (CoapPeer device = system.device("127.0.10." + i)) {
        Datagram answer = null;
        for (int num = 0; num < MAX_BODY / 1_024; num++) {
          Datagram request =
              Datagram.request(CON, GET, ++mid, "f", "size", Integer.toString(MAX_BODY));
          answer = device.answer(num == 0 ? request : request.block(BLOCK2, num, false, 1_024));
          assertThat(answer.head()).isEqualTo("ACK 2.05");
        }
        assertThat(answer.hasMore(BLOCK2)).isFalse();
      }
    }
  }

  @Test
  @DisplayName("RFC 7959 2.3: NON uploads")
  void shouldTakeAnUploadByNon() throws IOException {
    byte[] body = PlayedFunction.random(100);
    try (CoapPeer device = system.device()) {
      Datagram first = block(PUT, body, 0, 64, "f", "non");
      assertThat(device.answer(as(NON, first)).head()).isEqualTo("NON 2.31");
      Datagram last = device.answer(as(NON, block(PUT, body, 1, 64, "f", "non")));
      assertThat(last.head()).isEqualTo("NON 2.04");
      assertThat(last.payload()).isEqualTo(body);
    }
  }

  private static Datagram as(int type, Datagram message) {
    return new Datagram(
        type, message.code(), message.mid(), message.token(), message.options(), message.payload());
  }
}
