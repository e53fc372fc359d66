package io.tinyfaas.endtoend;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;

/**
 * Clients that we did not write, of every protocol. Those that can send headers send {@code X-oWN:
 * mine}.
 */
enum StockClient {
  LIBCOAP("coap", true) {
    @Override
    List<byte[]> post(Installation system, Path folder, List<Body> bodies) throws IOException {
      List<byte[]> answers = new ArrayList<>();
      for (Body body : bodies) {
        Path sent = Files.write(folder.resolve("sent"), body.bytes());
        Path received = folder.resolve("received");
        Files.deleteIfExists(received);
        List<String> options = new ArrayList<>(List.of("-m", "post", "-o", received.toString()));
        if (body.bytes().length > 0) {
          options.addAll(List.of("-b", "1024", "-f", sent.toString()));
        }
        Libcoap.ask(system, system.coapUri(body.function()), options.toArray(String[]::new));
        answers.add(Files.exists(received) ? Files.readAllBytes(received) : new byte[0]);
      }
      return answers;
    }
  },

  AIOCOAP("coap", true) {
    @Override
    List<byte[]> post(Installation system, Path folder, List<Body> bodies) throws IOException {
      String script =
          """
          for function, file in %s:
              answer = await ask(POST, function, open('/work/' + file, 'rb').read())
              print('=' + base64.b64encode(answer.payload).decode())
          """
              .formatted(files(folder, bodies));
      return decoded(new Aiocoap(system, folder).build().python(script));
    }
  },

  CURL("http", true) {
    @Override
    List<byte[]> post(Installation system, Path folder, List<Body> bodies) throws IOException {
      Curl curl = new Curl(system, folder);
      List<byte[]> answers = new ArrayList<>();
      for (Body body : bodies) {
        Path sent = Files.write(folder.resolve("sent"), body.bytes());
        answers.add(
            curl.ask(body.function(), "--data-binary", "@" + sent, "--header", "X-oWN: mine")
                .body());
      }
      return answers;
    }
  },

  GRPC("grpc", false) {
    @Override
    List<byte[]> post(Installation system, Path folder, List<Body> bodies) throws IOException {
      String script =
          """
          import base64
          for function, file in %s:
              answer = ask(function, open('/work/' + file).read(), metadata=[('x-own', 'mine')])
              print('=' + base64.b64encode(answer.encode()).decode())
          """
              .formatted(files(folder, bodies));
      return decoded(new GrpcClient(system, folder).build().python(script));
    }
  };

  /** What the gateway calls its protocol. */
  final String protocol;

  /** Whether bodies are bytes, and not text only. */
  final boolean carriesBytes;

  StockClient(String protocol, boolean carriesBytes) {
    this.protocol = protocol;
    this.carriesBytes = carriesBytes;
  }

  record Body(String function, byte[] bytes) {}

  /**
   * Sends one body after the other.
   *
   * @param folder for files of its own
   * @return the answers' bodies
   */
  abstract List<byte[]> post(Installation system, Path folder, List<Body> bodies)
      throws IOException;

  /** Whether a client of this protocol can send headers of its own. */
  boolean hasHeaders() {
    return !protocol.equals("coap");
  }

  /** A list for Python of functions and the files with their bodies. */
  private static String files(Path folder, List<Body> bodies) throws IOException {
    StringBuilder list = new StringBuilder("[");
    for (Body body : bodies) {
      String file = "sent-" + list.length();
      Files.write(folder.resolve(file), body.bytes());
      list.append("('").append(body.function()).append("', '").append(file).append("'), ");
    }
    return list.append("]").toString();
  }

  private static List<byte[]> decoded(List<String> lines) {
    return lines.stream().map(line -> Base64.getDecoder().decode(line.substring(1))).toList();
  }
}
