package io.tinyfaas.harness.flood;

import java.io.IOException;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.Arrays;
import java.util.Iterator;
import java.util.List;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;

/**
 * Load as nobody wants it, in one line: {@code Flood.http().connections(90).field("a:", 3_900)
 * .unfinished()}. Each method but {@link #start} changes this flood and returns it.
 *
 * <p>It is bounded in number and time, ends by itself, and is as cheap for the machine as it can
 * be: a virtual thread for each connection, and no parts of the system under test.
 *
 * @param <F> the flood itself
 */
public abstract class Flood<F extends Flood<F>> {

  /** What no test takes. */
  private static final int USUAL_SECONDS = 300;

  private static final int NEVER = -1;
  private static final Pattern WORD = Pattern.compile("\"([^\"]*)\"|(\\S+)");

  private int connections = 1;
  private InetAddress first = InetAddress.ofLiteral("127.0.0.1");
  private int addresses = 1;
  private int again = NEVER;
  private int seconds = USUAL_SECONDS;

  Flood() {}

  public static HttpFlood http() {
    return new HttpFlood();
  }

  public static GrpcFlood grpc() {
    return new GrpcFlood();
  }

  public static CoapFlood coap() {
    return new CoapFlood();
  }

  public static DtlsFlood dtls() {
    return new DtlsFlood();
  }

  /**
   * The same from a line of text, of the words of what Java would call: {@code http connections 90
   * field a: 3900 unfinished}. Quotation marks hold words with blanks together.
   */
  public static Flood<?> of(String line) {
    Iterator<String> words =
        WORD.matcher(line)
            .results()
            .map((MatchResult word) -> word.group(1) == null ? word.group(2) : word.group(1))
            .iterator();
    Flood<?> flood =
        switch (words.hasNext() ? words.next() : "") {
          case "http" -> http();
          case "grpc" -> grpc();
          case "coap" -> coap();
          case "dtls" -> dtls();
          default -> throw new IllegalArgumentException("begins with http, grpc, coap or dtls");
        };
    while (words.hasNext()) {
      flood.change(words.next(), words);
    }
    return flood;
  }

  private void change(String name, Iterator<String> words) {
    List<Method> known =
        Arrays.stream(getClass().getMethods())
            .filter(method -> Flood.class.isAssignableFrom(method.getReturnType()))
            .filter(method -> method.getName().equals(name) && !method.isBridge())
            .toList();
    if (known.size() != 1) {
      throw new IllegalArgumentException(getClass().getSimpleName() + " knows no " + name);
    }
    Object[] arguments =
        Arrays.stream(known.getFirst().getParameterTypes())
            .map(type -> type == int.class ? (Object) Integer.valueOf(words.next()) : words.next())
            .toArray();
    try {
      known.getFirst().invoke(this, arguments);
    } catch (IllegalAccessException | InvocationTargetException e) {
      throw new IllegalArgumentException(name, e);
    }
  }

  abstract F self();

  /** How many clients there are, each with a connection of TCP, or with a port of UDP. */
  public final F connections(int connections) {
    this.connections = connections;
    return self();
  }

  /**
   * Of so many addresses of this machine, which take turns.
   *
   * @param first such as 127.0.7.1, counted up from there
   */
  public final F addresses(String first, int addresses) {
    this.first = InetAddress.ofLiteral(first);
    this.addresses = addresses;
    return self();
  }

  /** When it has been answered, or sent away, each client asks again after so long. */
  public final F again(int millis) {
    this.again = millis;
    return self();
  }

  /** It ends after so long, if nobody ends it before. */
  public final F seconds(int seconds) {
    this.seconds = seconds;
    return self();
  }

  /**
   * @param port of this machine
   */
  public final RunningFlood start(int port) {
    return start(new InetSocketAddress(InetAddress.ofLiteral("127.0.0.1"), port));
  }

  public final RunningFlood start(InetSocketAddress to) {
    RunningFlood running = new RunningFlood(seconds);
    for (int number = 0; number < connections; number++) {
      FloodClient client = new FloodClient(running, number, address(number), to, again);
      running.add(() -> live(client));
    }
    return running.begin();
  }

  private InetAddress address(int number) {
    byte[] bytes = first.getAddress();
    int last = bytes.length - 1;
    int sum = (bytes[last - 1] & 0xff) << 8 | bytes[last] & 0xff;
    sum += number % addresses;
    bytes[last - 1] = (byte) (sum >> 8);
    bytes[last] = (byte) sum;
    try {
      return InetAddress.getByAddress(bytes);
    } catch (IOException e) {
      throw new IllegalStateException(e); // as many bytes as before
    }
  }

  private void live(FloodClient client) {
    do {
      try {
        attack(client);
      } catch (IOException e) {
        client.closed(e);
      } finally {
        client.sent();
      }
    } while (client.comesAgain());
  }

  /** All that a client does with one connection, which it closes. */
  abstract void attack(FloodClient client) throws IOException;
}
