package io.tinyfaas.gateway;

import static io.tinyfaas.gateway.Datagram.BLOCK1;
import static io.tinyfaas.gateway.Datagram.BLOCK2;
import static io.tinyfaas.gateway.Datagram.CON;
import static io.tinyfaas.gateway.Datagram.CONTENT_FORMAT;
import static io.tinyfaas.gateway.Datagram.ETAG;
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
import java.util.List;
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
      "RFC 7959 4: what one says of the size of a body that comes in one block changes nothing")
  void shouldPassOverTheSizeOfTheOnlyBlock() throws IOException {
    byte[] body = PlayedFunction.random(64);
    try (CoapPeer device = system.device()) {
      for (int said : new int[] {1, 64, 65, MAX_BODY + 1}) {
        Datagram only = block(PUT, body, 0, 64, "f").with(SIZE1, bytes(said));
        assertThat(device.answer(only).payload()).isEqualTo(body);
      }
      Datagram first = block(PUT, PlayedFunction.random(65), 0, 64, "f").with(SIZE1, (byte) 1);
      assertThat(device.answer(first).head()).isEqualTo("ACK 4.13");
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
      device.answer(block(PUT, old, 0, 64, "f", "again").withToken(1));
      assertThat(device.answer(block(PUT, body, 0, 64, "f", "again").withToken(1)).head())
          .isEqualTo("ACK 2.31");
      assertThat(device.answer(block(PUT, body, 1, 64, "f", "again").withToken(1)).payload())
          .isEqualTo(body);
    }
  }

  @Test
  @DisplayName("RFC 7959 2.5: uploads at once, by one device to one URI, told apart by their token")
  void shouldTellUploadsApartByToken() throws IOException {
    byte[][] bodies = {
      PlayedFunction.random(3_000), PlayedFunction.random(3_001), PlayedFunction.random(3_002)
    };
    try (CoapPeer device = system.device()) {
      int runs = system.runs();
      for (int num = 0; num < 3; num++) {
        for (int upload = 0; upload < bodies.length; upload++) {
          Datagram answer =
              device.answer(block(POST, bodies[upload], num, 1_024, "f").withToken(upload));
          assertThat(answer.head()).isEqualTo(num < 2 ? "ACK 2.31" : "ACK 2.04");
        }
      }
      for (int num = 1; num < 3; num++) {
        for (int upload = 0; upload < bodies.length; upload++) {
          int from = num * 1_024;
          assertThat(device.answer(further(POST, num, "f").withToken(upload)).payload())
              .isEqualTo(
                  Arrays.copyOfRange(
                      bodies[upload], from, Math.min(from + 1_024, bodies[upload].length)));
        }
      }
      assertThat(system.runs() - runs).isEqualTo(3);
    }
  }

  @Test
  @DisplayName("a block that may be of either of two uploads is of none: both begin again")
  void shouldNotMixUploadsThatItCannotTellApart() throws IOException {
    byte[] one = PlayedFunction.random(200);
    byte[] other = PlayedFunction.random(201);
    try (CoapPeer device = system.device()) {
      int runs = system.runs();
      device.answer(block(POST, one, 0, 64, "f"));
      device.answer(block(POST, other, 0, 64, "f"));
      assertThat(device.answer(block(POST, one, 1, 64, "f")).head()).isEqualTo("ACK 4.08");
      assertThat(device.answer(block(POST, other, 1, 64, "f")).head()).isEqualTo("ACK 4.08");
      assertThat(system.runs()).isEqualTo(runs);

      for (int num = 0; num < 3; num++) {
        assertThat(device.answer(block(POST, one, num, 64, "f")).head()).isEqualTo("ACK 2.31");
      }
      assertThat(device.answer(block(POST, one, 3, 64, "f")).payload()).isEqualTo(one);
    }
  }

  private Datagram further(int code, int num, String... path) {
    return Datagram.request(CON, code, ++mid, path).block(BLOCK2, num, false, 1_024);
  }

  /** Runs the function, which answers with 3,000 such bytes; the first 1,024 of them. */
  private Datagram repeat(CoapPeer device, char what, int token) throws IOException {
    Datagram answer =
        device.answer(
            Datagram.request(CON, POST, ++mid, "f", "repeat", "3000")
                .withToken(token)
                .payload(new byte[] {(byte) what}));
    assertThat(answer.text()).isEqualTo(String.valueOf(what).repeat(1_024));
    return answer;
  }

  @Test
  @DisplayName("RFC 7959 2.9.2: a block of an answer that this port has not asked for is 4.08")
  void shouldNotRunAFunctionForABlockOfNothing() throws IOException {
    try (CoapPeer device = system.device();
        CoapPeer other = system.device()) {
      repeat(device, 'a', 1);
      int runs = system.runs();
      for (int code : List.of(POST, PUT)) {
        assertThat(other.answer(further(code, 1, "f", "repeat", "3000").withToken(1)).head())
            .isEqualTo("ACK 4.08");
      }
      assertThat(system.runs()).isEqualTo(runs);
    }
  }

  @ParameterizedTest(name = "RFC 7959 2.4: a block that is asked for again comes again, token: {0}")
  @ValueSource(strings = {"kept", "one for each block"})
  void shouldServeABlockThatIsAskedForAgain(String tokens) throws IOException {
    String[] path = {"f", "repeat", "3000"};
    try (CoapPeer device = system.device()) {
      int runs = system.runs();
      repeat(device, 'a', 1);
      for (int num : List.of(1, 1, 2, 2, 2)) {
        Datagram request = further(POST, num, path);
        Datagram block =
            device.answer(tokens.equals("kept") ? request.withToken(1) : request.withToken(2, mid));
        assertThat(block.head()).isEqualTo("ACK 2.04");
        assertThat(block.hasMore(BLOCK2)).isEqualTo(num < 2);
        assertThat(block.text()).isEqualTo("a".repeat(num < 2 ? 1_024 : 3_000 - 2_048));
      }
      assertThat(system.runs() - runs).isEqualTo(1);

      repeat(device, 'b', 1);
      assertThat(device.answer(further(POST, 1, path).withToken(1)).text()).startsWith("b");
      assertThat(device.answer(further(POST, 2, path).withToken(1)).text())
          .as("not the last block of the answer before")
          .startsWith("b");
    }
  }

  @Test
  @DisplayName("answers that one device fetches at once are told apart by their token")
  void shouldTellDownloadsApartByToken() throws IOException {
    String[] path = {"f", "repeat", "3000"};
    try (CoapPeer device = system.device()) {
      int runs = system.runs();
      repeat(device, 'a', 1);
      repeat(device, 'b', 2);
      for (int num = 1; num < 3; num++) {
        assertThat(device.answer(further(POST, num, path).withToken(1)).text()).startsWith("a");
        assertThat(device.answer(further(POST, num, path).withToken(2)).text()).startsWith("b");
      }
      assertThat(device.answer(further(POST, 2, path).withToken(1)).text())
          .as("the last block again")
          .startsWith("a");
      assertThat(system.runs() - runs).isEqualTo(2);
    }
  }

  @Test
  @DisplayName("a block that may be of either of two answers is of none")
  void shouldNotMixDownloadsThatItCannotTellApart() throws IOException {
    String[] path = {"f", "repeat", "3000"};
    try (CoapPeer device = system.device()) {
      repeat(device, 'a', 1);
      repeat(device, 'b', 2);
      int runs = system.runs();
      assertThat(device.answer(further(POST, 1, path).withToken(3)).head()).isEqualTo("ACK 4.08");
      assertThat(device.answer(further(POST, 1, path).withToken(4)).head()).isEqualTo("ACK 4.08");
      assertThat(system.runs()).isEqualTo(runs);
    }
  }

  @Test
  @DisplayName("RFC 7959 2.4: each block of what is read has an ETag, also from another port")
  void shouldGiveEachBlockAnEntityTag() throws IOException {
    String[] path = {"f", "size", "3000"};
    try (CoapPeer device = system.device();
        CoapPeer other = system.device()) {
      byte[] tag =
          device.answer(Datagram.request(CON, GET, ++mid, path)).option(ETAG).orElseThrow();
      assertThat(tag).hasSize(8);
      for (int num = 1; num < 3; num++) {
        assertThat(device.answer(further(GET, num, path)).option(ETAG).orElseThrow())
            .isEqualTo(tag);
        Datagram elsewhere = other.answer(further(GET, num, path));
        assertThat(elsewhere.head()).isEqualTo("ACK 2.05");
        assertThat(elsewhere.option(ETAG).orElseThrow()).isEqualTo(tag);
      }
      Datagram known = device.answer(Datagram.request(CON, GET, ++mid, path).with(ETAG, tag));
      assertThat(known.head()).as("a device that has it").isEqualTo("ACK 2.03");
      assertThat(known.option(ETAG).orElseThrow()).isEqualTo(tag);
      assertThat(known.payload()).isEmpty();
      Datagram larger = device.answer(Datagram.request(CON, GET, ++mid, "f", "size", "3001"));
      assertThat(larger.option(ETAG).orElseThrow()).isNotEqualTo(tag);
    }
  }

  @Test
  @DisplayName("RFC 9175 3: a Request-Tag changes nothing where nothing is in blocks")
  void shouldPassOverARequestTagWithoutBlocks() throws IOException {
    try (CoapPeer device = system.device()) {
      Datagram discovery = Datagram.request(CON, GET, ++mid, ".well-known", "core");
      assertThat(device.answer(discovery.with(REQUEST_TAG, (byte) 1)).text()).contains("</f>");
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
  @DisplayName("one address may hold half of the memory for bodies")
  void shouldBoundTheBytesOfOneAddress() throws IOException {
    byte[] body = PlayedFunction.random(100);
    try (CoapPeer greedy = system.device("127.0.8.3");
        CoapPeer other = system.device("127.0.8.4")) {
      int taken = 0;
      byte[] third = bytes(MAX_BODY / 3); // which counts twice, so that there is room to run it
      Datagram answer = greedy.answer(block(PUT, body, 0, 64, "f", "0").with(SIZE1, third));
      while (answer.head().equals("ACK 2.31")) {
        answer = greedy.answer(block(PUT, body, 0, 64, "f", "" + ++taken).with(SIZE1, third));
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

  @Test
  @DisplayName("an upload that does not say its size takes as much memory as has come of it")
  void shouldHoldNoMoreOfAnUploadThanHasCome() throws IOException {
    byte[] body = PlayedFunction.random(3_000);
    try (CoapPeer device = system.device("127.0.8.5");
        CoapPeer other = system.device("127.0.8.6")) {
      for (int upload = 0; upload < MAX_OF_ONE_ADDRESS; upload++) {
        for (int num = 0; num < 2; num++) {
          assertThat(device.answer(block(PUT, body, num, 1_024, "f", "" + upload)).head())
              .isEqualTo("ACK 2.31");
        }
      }
      byte[] large = bytes(MAX_BODY);
      for (int upload = 0; upload < 3; upload++) {
        assertThat(
                other.answer(block(PUT, body, 0, 64, "f", "" + upload).with(SIZE1, large)).head())
            .as("room for three of the largest")
            .isEqualTo("ACK 2.31");
      }
      for (int upload = 0; upload < MAX_OF_ONE_ADDRESS; upload++) {
        Datagram last = device.answer(block(PUT, body, 2, 1_024, "f", "" + upload));
        assertThat(last.head()).isEqualTo("ACK 2.04");
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
