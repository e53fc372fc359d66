package io.tinyfaas.gateway;

import static io.tinyfaas.gateway.Datagram.ACK;
import static io.tinyfaas.gateway.Datagram.BLOCK1;
import static io.tinyfaas.gateway.Datagram.BLOCK2;
import static io.tinyfaas.gateway.Datagram.CON;
import static io.tinyfaas.gateway.Datagram.POST;
import static io.tinyfaas.gateway.Datagram.SIZE1;
import static io.tinyfaas.harness.Eventually.within;
import static org.assertj.core.api.Assertions.assertThat;

import io.grpc.CallOptions;
import io.grpc.ManagedChannel;
import io.grpc.MethodDescriptor;
import io.grpc.MethodDescriptor.MethodType;
import io.grpc.StatusRuntimeException;
import io.grpc.netty.NettyChannelBuilder;
import io.grpc.stub.ClientCalls;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpServerRequest;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * More bodies of the largest size than there is memory for, both ways and by each protocol at once.
 * The function answers in chunks, without a length.
 */
@Tag("slow")
class LargeBodiesIT {

  private static final long FUNCTION_TIMEOUT_MILLIS = 600_000;

  /** Nothing is ended by its time. */
  private static final Map<String, String> PATIENT =
      Map.of(
          "TINYFAAS_HTTP_BODY_TIMEOUT", "10m",
          "TINYFAAS_HTTP_SEND_TIMEOUT", "10m",
          "TINYFAAS_GRPC_HANDSHAKE_TIMEOUT", "10m",
          "TINYFAAS_GRPC_RECEIVE_TIMEOUT", "10m",
          "TINYFAAS_GRPC_SEND_TIMEOUT", "10m");

  private static final int CLIENTS = 12;
  private static final int DEVICES = 6;
  private static final int ROUNDS = 4;
  private static final int BLOCK = 1_024;

  /** What a function's name and the data's tag and length take before it. */
  private static final byte[] GRPC_HEAD = {10, 1, 'f', 18};

  /** Of messages as they are on the wire. */
  private static final MethodDescriptor<byte[], Integer> REQUEST =
      MethodDescriptor.<byte[], Integer>newBuilder()
          .setType(MethodType.UNARY)
          .setFullMethodName("openfogstack.tinyfaas.tinyfaas.TinyFaaS/Request")
          .setRequestMarshaller(new Wire())
          .setResponseMarshaller(new Length())
          .build();

  private static final String EXHAUSTED = "gRPC RESOURCE_EXHAUSTED";

  /** Sends the body, and says what came of it. */
  @FunctionalInterface
  private interface Client {
    String ask() throws Exception;
  }

  @TempDir private Path folder;
  private ServedGateway system;
  private byte[] body;

  @ParameterizedTest(name = "bodies of {0}, a heap of {1}")
  @CsvSource({"2M, 90m", "8M, 145m"})
  void shouldRefuseWhatDoesNotFitAndLive(String size, String heap) throws Exception {
    Map<String, String> environment = new HashMap<>(PATIENT);
    environment.put("TINYFAAS_MAX_BODY", size);
    try (ServedGateway served = new ServedGateway(folder, environment, heap, LargeBodiesIT::echo)) {
      system = served.serve(PlayedManager.route("f", FUNCTION_TIMEOUT_MILLIS, served.handler()));
      body = new byte[bytes(size)];
      Arrays.fill(body, (byte) 'x');
      List<Client> devices =
          IntStream.rangeClosed(1, DEVICES)
              .mapToObj(i -> (Client) () -> byCoap("127.0.10." + i))
              .toList();
      List<Client> http = Collections.nCopies(CLIENTS, this::byHttp);
      List<Client> grpc = Collections.nCopies(CLIENTS, this::byGrpc);
      List<Client> all = List.of(devices, http, grpc).stream().flatMap(List::stream).toList();
      for (List<Client> clients : List.of(devices, http, grpc, all)) {
        Map<String, Long> outcomes = flood(clients);
        assertThat(served.process().log()).noneMatch(l -> l.contains("OutOfMemoryError"));
        assertThat(served.process().isAlive()).isTrue();
        assertThat(outcomes.keySet())
            .isSubsetOf("HTTP 200", "HTTP 503", "CoAP 2.04", "CoAP 5.03", "gRPC OK", EXHAUSTED);
      }

      // What is on its way to a client that has left is given back when the kernel says so.
      within(Duration.ofMinutes(1)).until(() -> byHttp().equals("HTTP 200"));
      within(Duration.ofMinutes(1)).until(() -> byCoap("127.0.11.1").equals("CoAP 2.04"));
      within(Duration.ofMinutes(1)).until(() -> byGrpc().equals("gRPC OK"));
    }
  }

  /** As many as are admitted, all at once. */
  @Test
  void shouldInvokeWithEachUploadWhoseSizeWasSaid() throws Exception {
    body = PlayedFunction.random(1 << 20);
    try (ServedGateway served = new ServedGateway(folder, Map.of(), LargeBodiesIT::silent)) {
      system = served.serve(PlayedManager.route("f", FUNCTION_TIMEOUT_MILLIS, served.handler()));
      List<Upload> uploads = new ArrayList<>();
      Upload next = new Upload("127.0.12.1", true);
      while (next.nextBlock().equals("2.31")) {
        uploads.add(next);
        next = new Upload("127.0.12." + (1 + uploads.size()), true);
      }
      next.close();
      assertThat(uploads).hasSizeBetween(4, 6);
      for (Upload upload : uploads) {
        assertThat(upload.finish()).isEqualTo("2.04");
        assertThat(upload.finishAgain()).as("the last block comes again").isEqualTo("2.04");
        upload.close();
      }
      assertThat(served.runs()).isEqualTo(uploads.size());
    }
  }

  @Test
  void shouldGiveAFinishedUploadsMemoryToItsInvocation() throws Exception {
    body = PlayedFunction.random(1 << 20);
    try (ServedGateway served = new ServedGateway(folder, Map.of(), LargeBodiesIT::silent)) {
      system = served.serve(PlayedManager.route("f", FUNCTION_TIMEOUT_MILLIS, served.handler()));
      List<Upload> uploads = new ArrayList<>();
      for (int i = 1; i <= 10; i++) { // of 11 MiB
        uploads.add(new Upload("127.0.13." + i, false));
        assertThat(uploads.getLast().nextBlock()).isEqualTo("2.31");
      }
      assertThat(uploads.getFirst().finish()).isEqualTo("2.04");
      uploads.forEach(Upload::close);
    }
  }

  private static void silent(HttpServerRequest request, Buffer received) {
    request.response().setStatusCode(204).end();
  }

  /** Of the body, by a device with an address of its own. */
  private final class Upload implements AutoCloseable {
    private final CoapPeer device;
    private final boolean saysSize;
    private int num;
    private boolean acknowledges = true;

    Upload(String own, boolean saysSize) throws IOException {
      this.device = new CoapPeer(own, system.process().coapPort());
      this.saysSize = saysSize;
    }

    /** The answer to the next block. */
    String nextBlock() throws IOException {
      num++;
      return again();
    }

    /** The answer to the same block. */
    String again() throws IOException {
      int end = Math.min(num * BLOCK, body.length);
      Datagram block =
          Datagram.request(CON, POST, num, "f")
              .block(BLOCK1, num - 1, end < body.length, BLOCK)
              .payload(Arrays.copyOfRange(body, (num - 1) * BLOCK, end));
      if (saysSize) {
        block = block.with(SIZE1, ByteBuffer.allocate(4).putInt(body.length).array());
      }
      Datagram answer = ask(device, block);
      acknowledges = answer.type() == ACK;
      return answer.head().substring("ACK ".length());
    }

    /**
     * The answer to the last block if it comes again: the same, unless it came on its own since the
     * gateway had much to do; then it has been acknowledged, and is not sent again.
     */
    String finishAgain() throws IOException {
      return acknowledges ? again() : "2.04";
    }

    /** The answer to the last block. */
    String finish() throws IOException {
      String answer = "2.31";
      while (answer.equals("2.31")) {
        answer = nextBlock();
      }
      return answer;
    }

    @Override
    public void close() {
      device.close();
    }
  }

  private static int bytes(String size) {
    int number = Integer.parseInt(size.substring(0, size.length() - 1));
    return number << (size.endsWith("M") ? 20 : 10);
  }

  private static void echo(HttpServerRequest request, Buffer received) {
    request.response().setChunked(true).end(received);
  }

  /** How often there was which outcome. */
  private static Map<String, Long> flood(List<Client> clients) throws Exception {
    List<String> outcomes = new ArrayList<>();
    // Of the system: a virtual one that waits for a datagram takes the processor twice as long.
    try (ExecutorService threads = Executors.newCachedThreadPool()) {
      for (Future<List<String>> each :
          threads.invokeAll(
              clients.stream().map(c -> (Callable<List<String>>) () -> rounds(c)).toList())) {
        outcomes.addAll(each.get());
      }
    }
    return outcomes.stream()
        .collect(Collectors.groupingBy(o -> o, TreeMap::new, Collectors.counting()));
  }

  private static List<String> rounds(Client client) throws Exception {
    List<String> outcomes = new ArrayList<>();
    for (int round = 0; round < ROUNDS; round++) {
      try {
        outcomes.add(client.ask());
      } catch (IOException | AssertionError e) {
        outcomes.add(e.toString());
      }
    }
    return outcomes;
  }

  private String byHttp() throws IOException {
    HttpUpload upload = HttpUpload.post(system.process().httpPort(), "/f", body);
    if (upload.status() == 200) {
      assertThat(upload.bodyLength()).isEqualTo(body.length);
    }
    return "HTTP " + upload.status();
  }

  private String byGrpc() {
    ManagedChannel channel =
        NettyChannelBuilder.forAddress("127.0.0.1", system.process().grpcPort())
            .usePlaintext()
            .maxInboundMessageSize(body.length + BLOCK)
            .build();
    try {
      Integer length = ClientCalls.blockingUnaryCall(channel, REQUEST, CallOptions.DEFAULT, body);
      assertThat(length).isGreaterThan(body.length);
      return "gRPC OK";
    } catch (StatusRuntimeException e) {
      return "gRPC " + e.getStatus().getCode();
    } finally {
      channel.shutdownNow();
    }
  }

  private String byCoap(String own) throws IOException {
    try (CoapPeer device = new CoapPeer(own, system.process().coapPort())) {
      int mid = 0;
      Datagram answer = null;
      int last = (body.length - 1) / BLOCK;
      for (int num = 0; num <= last; num++) {
        answer =
            ask(
                device,
                Datagram.request(CON, POST, ++mid, "f")
                    .block(BLOCK1, num, num < last, BLOCK)
                    .payload(
                        Arrays.copyOfRange(
                            body, num * BLOCK, Math.min((num + 1) * BLOCK, body.length))));
        if (!answer.head().endsWith("2.31")) {
          break;
        }
      }
      for (int num = 1; answer.head().endsWith("2.04") && answer.hasMore(BLOCK2); num++) {
        answer =
            ask(device, Datagram.request(CON, POST, ++mid, "f").block(BLOCK2, num, false, BLOCK));
      }
      return "CoAP " + answer.head().substring("CON ".length());
    }
  }

  /** The answer, also if it comes on its own since the gateway has much to do. */
  private static Datagram ask(CoapPeer device, Datagram request) throws IOException {
    Datagram answer = device.ask(request);
    if (answer.head().equals("ACK 0.00")) {
      answer = device.next();
      device.send(Datagram.empty(ACK, answer.mid()));
    }
    return answer;
  }

  private static final class Wire implements MethodDescriptor.Marshaller<byte[]> {
    @Override
    public InputStream stream(byte[] data) {
      Buffer message = Buffer.buffer().appendBytes(GRPC_HEAD);
      int rest = data.length;
      for (; rest >= 0x80; rest >>>= 7) {
        message.appendByte((byte) (rest | 0x80));
      }
      return new ByteArrayInputStream(message.appendByte((byte) rest).appendBytes(data).getBytes());
    }

    @Override
    public byte[] parse(InputStream stream) {
      throw new UnsupportedOperationException();
    }
  }

  private static final class Length implements MethodDescriptor.Marshaller<Integer> {
    @Override
    public InputStream stream(Integer value) {
      throw new UnsupportedOperationException();
    }

    @Override
    public Integer parse(InputStream stream) {
      try {
        return stream.readAllBytes().length;
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }
  }
}
