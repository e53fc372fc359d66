package io.tinyfaas.gateway.ingress.coap.transfer;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import org.eclipse.californium.core.coap.CoAP.Code;
import org.eclipse.californium.core.coap.Request;
import org.junit.jupiter.api.Test;

class UploadTest {

  private static final int BLOCK = 16;
  private static final int LIMIT = 10 * BLOCK;

  private static Request block(int number) {
    byte[] payload = new byte[BLOCK];
    payload[0] = (byte) number;
    Request block = new Request(Code.PUT);
    block.getOptions().setBlock1(0, true, number);
    block.setPayload(payload);
    return block;
  }

  @Test
  void shouldBeWhatItsBlocksAre() {
    Upload upload = new Upload(block(0), LIMIT);
    ByteArrayOutputStream body = new ByteArrayOutputStream();
    for (int number = 0; number < 10; number++) {
      Request block = block(number);
      assertThat(upload.goesOnWith(block)).isTrue();
      assertThat(upload.goesOnWith(block(number + 1))).isFalse();
      assertThat(upload.mayHave(block)).isTrue();
      upload.add(block);
      body.writeBytes(block.getPayload());
    }
    assertThat(upload.mayHave(block(10))).isFalse();
    assertThat(upload.whole(block(9)).getPayload()).isEqualTo(body.toByteArray());
  }

  @Test
  void shouldTakeAsMuchAsHasComeAndNoMoreThanItsLimit() {
    Upload upload = new Upload(block(0), LIMIT);
    for (int blocks : new int[] {1, 2, 4, 4, 8, 8, 8, 8, 10, 10}) {
      assertThat(upload.sizeWith(block(0))).isEqualTo(blocks * BLOCK);
      upload.add(block(0));
    }
  }

  @Test
  void shouldHoldADeviceToTheSizeItSaid() {
    Request first = block(0);
    first.getOptions().setSize1(2 * BLOCK);
    Upload upload = new Upload(first, LIMIT);
    assertThat(upload.limit()).isEqualTo(2 * BLOCK);
    assertThat(upload.announced()).hasValue(2 * BLOCK);
    upload.add(first);
    upload.add(block(1));
    assertThat(upload.mayHave(block(2))).isFalse();
  }

  @Test
  void shouldSayWhatABlockTakesThatIsLargerThanWhatWasSaid() {
    Request first = block(0);
    first.getOptions().setSize1(BLOCK - 1);
    Upload upload = new Upload(first, LIMIT);
    assertThat(upload.mayHave(first)).isFalse();
    assertThat(upload.sizeWith(first)).isEqualTo(BLOCK);
    upload.add(first); // as the only one
    assertThat(upload.whole(first).getPayload()).hasSize(BLOCK);
  }

  @Test
  void shouldPassOverASizeOfNothing() {
    Request first = block(0);
    first.getOptions().setSize1(0);
    assertThat(new Upload(first, LIMIT).limit()).isEqualTo(LIMIT);
  }
}
