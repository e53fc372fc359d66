package io.tinyfaas.endtoend;

import static io.tinyfaas.harness.Eventually.patient;
import static io.tinyfaas.harness.Eventually.within;
import static java.nio.charset.StandardCharsets.UTF_8;

import io.tinyfaas.endtoend.CallLedger.Accepted;
import io.tinyfaas.endtoend.CallLedger.Way;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.Random;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedDeque;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicInteger;
import org.eclipse.californium.core.coap.CoAP.Code;
import org.eclipse.californium.core.coap.CoAP.ResponseCode;
import org.eclipse.californium.core.coap.Request;
import org.eclipse.californium.core.coap.Response;
import org.eclipse.californium.core.config.CoapConfig;
import org.eclipse.californium.core.network.CoapEndpoint;
import org.eclipse.californium.elements.config.Configuration;

/**
 * Clients that have calls accepted by all ways in, without end and whatever becomes of the box:
 * what is accepted goes into a ledger. A client by HTTP or gRPC that has heard nothing asks again
 * with the same key; a device by CoAP reports something else.
 */
final class MixedLoad implements AutoCloseable {

  /** Some of its attempts fail, by chance, and {@link #POISON} always. */
  static final String MOODY = "ledger-moody";

  /** Takes its time, and every POST is a call. */
  static final String SLOW = "ledger-slow";

  /** Called with the ends of others, and by the clock. */
  static final String ALARM = "ledger-alarm";

  static final String POISON = "poison";

  private static final Duration PATIENCE = Duration.ofSeconds(5);
  private static final Duration LAST_ANSWERS = Duration.ofSeconds(30);
  private static final int TO_ASK_AGAIN = 20;

  /** What a client asks by HTTP, with a key by which it may ask again. */
  private record Asked(Way way, String path, String body, String key, List<String> headers) {
    String function() {
      return path.substring(path.lastIndexOf('/') + 1);
    }
  }

  private record Answered(Asked asked, String id) {}

  private final Installation system;
  private final CallLedger ledger;
  private final Random random;
  private final HttpClient http = HttpClient.newBuilder().connectTimeout(PATIENCE).build();
  private final CoapEndpoint endpoint;
  private final Process grpc;
  private final List<Thread> clients = new ArrayList<>();
  private final Queue<String> failures = new ConcurrentLinkedQueue<>();
  private final ConcurrentLinkedDeque<Answered> recent = new ConcurrentLinkedDeque<>();
  private final Map<Way, AtomicInteger> counts = new ConcurrentHashMap<>();
  private volatile boolean stopped;

  MixedLoad(Installation system, CallLedger ledger, Random random, Path folder) {
    this.system = system;
    this.ledger = ledger;
    this.random = random;
    for (Way way : Way.values()) {
      counts.put(way, new AtomicInteger());
    }
    CoapConfig.register();
    this.endpoint =
        CoapEndpoint.builder().setConfiguration(Configuration.createStandardWithoutFile()).build();
    try {
      endpoint.start();
      grpc = new GrpcClient(system, folder).build().start(GRPC_LOAD);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    client("http 1", () -> http(Way.HTTP, MOODY, "calls/" + MOODY, 150));
    client("http 2", () -> http(Way.HTTP, SLOW, SLOW, 250, "Prefer", "respond-async"));
    client("durable", () -> http(Way.DURABLE_FUNCTION, SLOW, SLOW, 300));
    client("coap", this::coap);
    client("grpc", this::grpc);
  }

  private void client(String name, Runnable client) {
    clients.add(
        Thread.ofPlatform()
            .name(name)
            .start(
                () -> {
                  try {
                    client.run();
                  } catch (RuntimeException e) {
                    failures.add(name + ": " + e);
                  }
                }));
  }

  private void http(Way way, String function, String path, int pauseMillis, String... headers) {
    while (!stopped) {
      List<String> more = new ArrayList<>(List.of(headers));
      if (chance(5)) {
        more.addAll(List.of("X-tinyFaaS-Delay", "3"));
      }
      if (chance(5)) {
        more.addAll(List.of("X-tinyFaaS-Callback", ALARM));
      }
      String body = function.equals(MOODY) && chance(20) ? POISON : "report " + random.nextInt();
      Asked asked = new Asked(way, path, body, UUID.randomUUID().toString(), more);
      String id = askUntilAccepted(asked);
      ledger.accept(new Accepted(id, way, asked.function(), more.contains("X-tinyFaaS-Callback")));
      counts.get(way).incrementAndGet();
      recent.addFirst(new Answered(asked, id));
      pause(pauseMillis);
    }
  }

  private String askUntilAccepted(Asked asked) {
    while (!Thread.currentThread().isInterrupted()) {
      try {
        HttpResponse<String> response = ask(asked);
        if (response.statusCode() == 202) {
          return idOf(response);
        }
        if (response.statusCode() != 503 && response.statusCode() != 429) {
          throw new IllegalStateException(
              asked + ": " + response.statusCode() + ' ' + response.body());
        }
      } catch (IOException e) {
        // The box is away.
      }
      pause(100);
    }
    throw new IllegalStateException(asked + ": not accepted before the end");
  }

  private HttpResponse<String> ask(Asked asked) throws IOException {
    HttpRequest.Builder request =
        HttpRequest.newBuilder(URI.create(system.httpUri(asked.path())))
            .timeout(PATIENCE)
            .header("Idempotency-Key", asked.key())
            .POST(BodyPublishers.ofString(asked.body()));
    if (!asked.headers().isEmpty()) {
      request.headers(asked.headers().toArray(String[]::new));
    }
    try {
      return http.send(request.build(), BodyHandlers.ofString());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new InterruptedIOException();
    }
  }

  private static String idOf(HttpResponse<?> response) {
    return response.headers().firstValue("Location").orElseThrow().substring("/calls/".length());
  }

  private void coap() {
    while (!stopped) {
      Request request = new Request(Code.POST);
      request.setURI(system.coapUri("calls/" + (chance(2) ? MOODY : SLOW)));
      request.setPayload("report " + random.nextInt());
      request.send(endpoint);
      try {
        Response response = request.waitForResponse(PATIENCE.toMillis());
        if (response == null) {
          request.cancel();
        } else if (response.getCode() == ResponseCode.CREATED) {
          List<String> location = response.getOptions().getLocationPath();
          String function = request.getOptions().getUriPath().getLast();
          ledger.accept(new Accepted(location.getLast(), Way.COAP, function, false));
          counts.get(Way.COAP).incrementAndGet();
        } else if (response.getCode() != ResponseCode.SERVICE_UNAVAILABLE
            && response.getCode() != ResponseCode.TOO_MANY_REQUESTS) {
          failures.add("CoAP: " + response.getCode() + ' ' + response.getPayloadString());
        }
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        return;
      }
      pause(200);
    }
  }

  /** Each line that it prints is a call that was accepted, or says why it was not. */
  private static final String GRPC_LOAD =
      """
      import random, sys, time, uuid
      options = [('grpc.max_reconnect_backoff_ms', 300), ('grpc.initial_reconnect_backoff_ms', 100)]
      stub = tinyfaas_pb2_grpc.TinyFaaSStub(grpc.insecure_channel(target, options))
      while True:
          function = random.choice(['ledger-moody', 'ledger-slow'])
          data = tinyfaas_pb2.Data(functionIdentifier=function, data='report ' + str(random.random()))
          metadata = (('prefer', 'respond-async'), ('idempotency-key', str(uuid.uuid4())))
          while True:
              try:
                  _, call = stub.Request.with_call(data, metadata=metadata, timeout=5)
                  known = dict(call.initial_metadata()) | dict(call.trailing_metadata())
                  print('accepted', function, known['x-tinyfaas-call'], flush=True)
                  break
              except grpc.RpcError as error:
                  if error.code().name not in ('UNAVAILABLE', 'DEADLINE_EXCEEDED', 'RESOURCE_EXHAUSTED'):
                      print('refused', error.code().name, error.details(), flush=True)
                      break
                  time.sleep(0.1)
          time.sleep(0.25)
      """;

  private void grpc() {
    try (BufferedReader lines = grpc.inputReader(UTF_8)) {
      for (String line = lines.readLine(); line != null; line = lines.readLine()) {
        String[] words = line.split(" ");
        if (words[0].equals("accepted")) {
          ledger.accept(new Accepted(words[2], Way.GRPC, words[1], false));
          counts.get(Way.GRPC).incrementAndGet();
        } else {
          failures.add("gRPC: " + line);
        }
      }
    } catch (IOException e) {
      // It was ended.
    }
  }

  /** Returns when each way has had a call accepted once more. */
  void awaitOneMoreByEachWay(Duration quiet) {
    Map<Way, Integer> before = new ConcurrentHashMap<>();
    counts.forEach((way, count) -> before.put(way, count.get()));
    within(quiet)
        .alias("a call by each way")
        .until(
            () ->
                !failures.isEmpty()
                    || counts.entrySet().stream()
                        .allMatch(way -> way.getValue().get() > before.get(way.getKey())));
  }

  /**
   * Asks once more what was asked last before, with the same key.
   *
   * @return what is not the same call
   */
  List<String> askAgain() {
    List<String> others = new ArrayList<>();
    List<Answered> last = recent.stream().limit(TO_ASK_AGAIN).toList();
    for (Answered answered : last) {
      String again = askUntilAccepted(answered.asked());
      if (!again.equals(answered.id())) {
        others.add(answered + " is now " + again);
      }
    }
    return others;
  }

  /** Answers that no client should have had. */
  Set<String> failures() {
    return Set.copyOf(failures);
  }

  private boolean chance(int in) {
    return random.nextInt(in) == 0;
  }

  private static void pause(int millis) {
    try {
      Thread.sleep(millis);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  /** Returns when what was asked last has been accepted. */
  @Override
  public void close() {
    stopped = true;
    grpc.descendants().forEach(ProcessHandle::destroy);
    grpc.destroy();
    for (Thread client : clients) {
      try {
        client.join(patient(LAST_ANSWERS).toMillis());
        client.interrupt();
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      }
    }
    endpoint.destroy();
  }
}
