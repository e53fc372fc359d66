package io.tinyfaas.gateway.ingress.coap.transfer;

import static org.assertj.core.api.Assertions.assertThat;

import io.tinyfaas.gateway.ingress.coap.peer.Peers;
import io.tinyfaas.gateway.ingress.coap.socket.PeerContext;
import io.tinyfaas.gateway.ingress.coap.socket.Sender;
import io.tinyfaas.gateway.ingress.coap.transfer.Transfer.Subject;
import io.tinyfaas.gateway.memory.BodyMemory;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.eclipse.californium.core.coap.BlockOption;
import org.eclipse.californium.core.coap.CoAP.Code;
import org.eclipse.californium.core.coap.CoAP.ResponseCode;
import org.eclipse.californium.core.coap.Response;
import org.eclipse.californium.core.coap.Token;
import org.eclipse.californium.elements.EndpointContext;
import org.junit.jupiter.api.Test;

class TransferListTest {

  private static final int MEMORY = 4_000;
  private static final int MAX_BODY = 1_000;
  private static final int MAX_COUNT = 1_024;
  private static final int BLOCK = 16;
  private static final Token TOKEN = token(1);

  private final BodyMemory memory = new BodyMemory(MEMORY);
  private final Peers peers = new Peers(List.of("10.0.0.0/8"));
  private final TransferList transfers = new TransferList(memory, peers, () -> this.nanos);
  private final Map<Subject, Transfer> begun = new HashMap<>();
  private long nanos = 1;

  private static Token token(int value) {
    return new Token(new byte[] {(byte) value});
  }

  private EndpointContext peer(String address) {
    InetSocketAddress socket = new InetSocketAddress(InetAddress.ofLiteral(address), 1);
    return new PeerContext(new Sender(socket, peers.at(socket), null), null, Optional.empty());
  }

  private boolean begin(String address, String path, int bytes) {
    Optional<Transfer> transfer =
        transfers.begin(upload(address, path), TOKEN, BLOCK, bytes, peer(address));
    transfer.ifPresent(one -> begun.put(upload(address, path), one));
    return transfer.isPresent();
  }

  private boolean continued(String address, String path) {
    return transfers.continued(upload(address, path), TOKEN, BLOCK, BLOCK).isPresent();
  }

  private void end(String address, String path) {
    transfers.end(begun.get(upload(address, path)));
  }

  private static Subject upload(String address, String path) {
    return new Subject(true, address, Code.PUT, List.of(path), List.of(), List.of());
  }

  private void pass(int seconds) {
    nanos += TimeUnit.SECONDS.toNanos(seconds);
    transfers.expire();
  }

  private boolean isAllGivenBack() {
    boolean free = memory.take(MEMORY);
    if (free) {
      memory.give(MEMORY);
    }
    return free;
  }

  @Test
  void shouldForgetATransferThatPausesForTooLong() {
    begin("10.0.0.1", "a", MAX_BODY);
    pass(100);
    assertThat(continued("10.0.0.1", "a")).isTrue();
    pass(100);
    assertThat(isAllGivenBack()).isFalse();
    pass(20);
    assertThat(isAllGivenBack()).isTrue();
    assertThat(continued("10.0.0.1", "a")).isFalse();
  }

  @Test
  void shouldEndATransferThatTakesMoreThanAnHour() {
    begin("10.0.0.1", "a", MAX_BODY);
    for (int minute = 0; minute < 60; minute++) {
      pass(60);
      assertThat(continued("10.0.0.1", "a")).isTrue();
    }
    pass(60);
    assertThat(continued("10.0.0.1", "a")).isFalse();
    assertThat(isAllGivenBack()).isTrue();
  }

  @Test
  void shouldLeaveThreeEighthsToOthers() {
    assertThat(begin("10.0.0.1", "a", MAX_BODY)).isTrue();
    assertThat(begin("10.0.0.1", "b", MAX_BODY)).isTrue();
    assertThat(begin("10.0.0.1", "c", 1)).as("half is one's").isFalse();
    assertThat(begin("10.0.0.2", "a", MEMORY / 8)).isTrue();
    assertThat(begin("10.0.0.3", "a", 1)).as("five eighths are all's").isFalse();
    assertThat(memory.take(3 * MEMORY / 8)).isTrue();
    memory.give(3 * MEMORY / 8);
    end("10.0.0.1", "a");
    assertThat(begin("10.0.0.1", "d", MAX_BODY)).isTrue();
  }

  @Test
  void shouldGiveAllUnprovedAddressesAQuarterTogether() {
    assertThat(begin("192.0.2.1", "a", MAX_BODY)).isTrue();
    assertThat(begin("192.0.2.2", "a", 1)).isFalse();
    assertThat(begin("10.0.0.1", "a", MAX_BODY)).isTrue();
    end("192.0.2.1", "a");
    for (int device = 1; device <= 64; device++) {
      assertThat(begin("192.0.2." + device, "a", 1)).isTrue();
    }
    assertThat(begin("192.0.2.65", "a", 1)).isFalse();
  }

  @Test
  void shouldBoundHowManyThereAre() {
    for (int i = 0; i < MAX_COUNT; i++) {
      assertThat(begin("10.0.%d.1".formatted(i / 64), "" + i, 1)).isTrue();
    }
    assertThat(begin("10.1.0.1", "one more", 1)).isFalse();
  }

  @Test
  void shouldCountABodyThatBeginsAgainOnce() {
    for (int i = 0; i < 10; i++) {
      assertThat(begin("10.0.0.1", "a", MAX_BODY)).isTrue();
    }
    end("10.0.0.1", "a");
    assertThat(isAllGivenBack()).isTrue();
  }

  private Optional<Transfer> begin(int token, int bytes) {
    return transfers.begin(upload("10.0.0.1", "a"), token(token), BLOCK, bytes, peer("10.0.0.1"));
  }

  private Optional<Transfer> continued(int token, int block) {
    return transfers.continued(upload("10.0.0.1", "a"), token(token), block * BLOCK, BLOCK);
  }

  @Test
  void shouldKnowATransferByItsTokenOrAsTheOnlyOne() {
    Transfer only = begin(1, 1).orElseThrow();
    assertThat(continued(7, 1)).as("a token for each block").hasValue(only);
    assertThat(continued(8, 2)).hasValue(only);
    assertThat(continued(8, 3)).as("a token that is kept").hasValue(only);
    assertThat(continued(9, 4)).as("of another device's program").isEmpty();
  }

  @Test
  void shouldTellTransfersApartByWhereTheirNextBlockBegins() {
    Transfer ahead = begin(1, 1).orElseThrow();
    continued(2, 1);
    Transfer behind = begin(3, 1).orElseThrow();
    assertThat(continued(4, 2)).hasValue(ahead);
    assertThat(continued(5, 1)).hasValue(behind);
    assertThat(continued(6, 7)).as("the next one of none").isEmpty();
    assertThat(continued(7, 2)).hasValue(behind);
    assertThat(continued(8, 3)).as("of either").isEmpty();
    assertThat(continued(9, 3)).as("both are over").isEmpty();
  }

  @Test
  void shouldGiveBackWhatTransfersHoldThatItCannotTellApart() {
    begin(1, MAX_BODY);
    begin(2, MAX_BODY);
    assertThat(continued(3, 1)).isEmpty();
    assertThat(isAllGivenBack()).isTrue();
  }

  @Test
  void shouldCountABodyThatBeginsAgainWithItsTokenOnce() {
    begin(4, MAX_BODY);
    Transfer again = begin(4, MAX_BODY).orElseThrow();
    assertThat(continued(4, 1)).hasValue(again);
    transfers.end(again);
    assertThat(isAllGivenBack()).isTrue();
  }

  @Test
  void shouldBeginInThePlaceOfTheEldestWhereThereIsNoRoom() {
    Transfer eldest = begin(1, MAX_BODY).orElseThrow();
    Transfer second = begin(2, MAX_BODY).orElseThrow();
    Transfer third = begin(3, MAX_BODY).orElseThrow();
    assertThat(continued(1, 1)).as("the eldest is over, and this one of any other").isEmpty();
    assertThat(begin(5, 2 * MAX_BODY + 1)).as("not even then").isEmpty();
    for (Transfer transfer : List.of(eldest, second, third)) {
      transfers.end(transfer);
    }
    assertThat(isAllGivenBack()).isTrue();
  }

  @Test
  void shouldCountWhatAnUploadHoldsByNow() {
    Transfer transfer = begin(1, 10).orElseThrow();
    assertThat(transfers.hold(transfer, 2 * MAX_BODY, peer("10.0.0.1"))).isTrue();
    assertThat(begin("10.0.0.2", "a", MEMORY / 8 + 1)).isFalse();
    assertThat(transfers.hold(transfer, 2 * MAX_BODY + 1, peer("10.0.0.1"))).isFalse();
    assertThat(continued(1, 1)).as("it is over").isEmpty();
    assertThat(isAllGivenBack()).isTrue();
  }

  @Test
  void shouldCountAnUploadForItsAddressOnceThatIsVerified() {
    begin("192.0.2.1", "a", MAX_BODY);
    assertThat(begin("192.0.2.2", "a", MAX_BODY)).isFalse();
    Transfer transfer = begun.get(upload("192.0.2.1", "a"));
    peers.at(new InetSocketAddress("192.0.2.1", 1)).verify();
    assertThat(transfers.hold(transfer, MAX_BODY + 1, peer("192.0.2.1"))).isTrue();
    assertThat(begin("192.0.2.2", "a", MAX_BODY)).isTrue();
  }

  @Test
  void shouldAnswerTheLastBlockAgainOfTheLatestDownloadsOfEachSubject() {
    for (int number = 1; number <= 5; number++) {
      fetch("10.0.0.1", number);
      fetch("10.0.0.2", number);
    }

    for (String address : List.of("10.0.0.1", "10.0.0.2")) {
      assertThat(lastBlock(address, 1)).isEmpty();
      for (int number = 2; number <= 5; number++) {
        assertThat(lastBlock(address, number))
            .hasValueSatisfying(block -> assertThat(block.getPayload()).containsExactly(7));
      }
    }
    assertThat(isAllGivenBack()).isTrue();
  }

  /** A body of a block and one byte, with a token of its own. */
  private void fetch(String address, int number) {
    Response answer = new Response(ResponseCode.CONTENT);
    byte[] body = new byte[BLOCK + 1];
    body[BLOCK] = 7;
    answer.setPayload(body);
    transfers
        .begin(download(address), token(number), BLOCK, body.length, peer(address))
        .orElseThrow()
        .fetch(Download.of(answer));
    assertThat(lastBlock(address, number)).isPresent();
  }

  private Optional<Response> lastBlock(String address, int number) {
    return transfers.block(
        download(address), token(number), new BlockOption(BlockOption.size2Szx(BLOCK), false, 1));
  }

  private static Subject download(String address) {
    return new Subject(false, address, Code.GET, List.of("a"), List.of(), List.of());
  }
}
