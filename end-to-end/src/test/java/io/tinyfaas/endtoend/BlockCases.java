package io.tinyfaas.endtoend;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;
import static org.eclipse.californium.core.coap.CoAP.ResponseCode.CHANGED;
import static org.eclipse.californium.core.coap.CoAP.ResponseCode.CONTENT;
import static org.eclipse.californium.core.coap.CoAP.ResponseCode.CONTINUE;
import static org.eclipse.californium.core.coap.CoAP.ResponseCode.CREATED;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.function.Function;
import org.eclipse.californium.core.coap.BlockOption;
import org.eclipse.californium.core.coap.CoAP.ResponseCode;
import org.eclipse.californium.core.coap.OptionSet;
import org.eclipse.californium.core.coap.Response;
import org.junit.jupiter.api.function.Executable;

/** TD_COAP_BLOCK of the ETSI CoAP test descriptions (CoAP#4). */
final class BlockCases {

  private static final String BODY = "0123456789abcdefghijklmnopqrstuvwxyz".repeat(60);

  private final PlugtestServer server;
  private final Path file;

  /**
   * @param folder for what clients send
   */
  BlockCases(PlugtestServer server, Path folder) throws IOException {
    this.server = server;
    this.file = Files.writeString(folder.resolve("body"), BODY, US_ASCII);
  }

  List<ConformanceCase> all() {
    server.offer("large", "large-update", "large-create", "large-post");
    return List.of(
        of(1, "GET of a large resource, the client names the block size", () -> early(64)),
        of(2, "GET of a large resource, the server begins with blocks", this::late),
        of(3, "PUT of a large body", this::put),
        of(4, "POST of a large body that creates a resource", this::create),
        of(5, "POST with large bodies both ways", this::bothWays),
        of(6, "GET of a large resource in blocks of 16 bytes", () -> early(16)));
  }

  private static ConformanceCase of(int number, String objective, Executable check) {
    return new ConformanceCase("TD_COAP_BLOCK_%02d".formatted(number), objective, "libcoap", check);
  }

  private void early(int size) {
    Exchange exchange = server.ask("large", "-b", Integer.toString(size));
    assertThat(exchange.request().getOptions().getBlock2().getSize()).isEqualTo(size);
    isWholeIn(exchange.responses(), OptionSet::getBlock2, CONTENT, CONTENT, size);
    assertThat(exchange.displayed()).hasSize(2000);
  }

  private void late() {
    Exchange exchange = server.ask("large", "-L", "1");
    assertThat(exchange.request().getOptions().hasBlock2()).isFalse();
    int size = exchange.responses().getFirst().getOptions().getBlock2().getSize();
    isWholeIn(exchange.responses(), OptionSet::getBlock2, CONTENT, CONTENT, size);
    assertThat(exchange.displayed()).hasSize(2000);
  }

  private void put() {
    Exchange exchange = server.ask("large-update", "-m", "put", "-b", "64", "-f", file.toString());
    isWholeIn(exchange.responses(), OptionSet::getBlock1, CONTINUE, CHANGED, 64);
    server.ask("large-update").shows(BODY);
  }

  private void create() {
    Exchange exchange = server.ask("large-create", "-m", "post", "-b", "64", "-f", file.toString());
    isWholeIn(exchange.responses(), OptionSet::getBlock1, CONTINUE, CREATED, 64);
    List<String> location = exchange.responses().getLast().getOptions().getLocationPath();
    assertThat(location).hasSize(2).first().isEqualTo("large-create");
    server.ask(String.join("/", location)).shows(BODY);
  }

  private void bothWays() {
    Exchange exchange =
        server
            .ask("large-post", "-m", "post", "-b", "64", "-f", file.toString())
            .shows(BODY.toUpperCase(Locale.ROOT));
    List<Response> received = exchange.responses();
    int uploaded = (BODY.length() + 63) / 64;
    isWholeIn(received.subList(0, uploaded), OptionSet::getBlock1, CONTINUE, CHANGED, 64);
    List<Response> answer = received.subList(uploaded - 1, received.size());
    int size = answer.getFirst().getOptions().getBlock2().getSize();
    isWholeIn(answer, OptionSet::getBlock2, CHANGED, CHANGED, size);
  }

  /** Every block once, in order and full, and none after the last. */
  private static void isWholeIn(
      List<Response> responses,
      Function<OptionSet, BlockOption> option,
      ResponseCode each,
      ResponseCode last,
      int size) {
    for (int i = 0; i < responses.size(); i++) {
      Response response = responses.get(i);
      BlockOption block = option.apply(response.getOptions());
      boolean more = i < responses.size() - 1;
      assertThat(response.getCode()).as("block %d", i).isEqualTo(more ? each : last);
      assertThat(block.getNum()).isEqualTo(i);
      assertThat(block.getSize()).isEqualTo(size);
      assertThat(block.isM()).isEqualTo(more);
      if (each == last) {
        assertThat(response.getPayloadSize()).isBetween(more ? size : 1, size);
      }
    }
  }
}
