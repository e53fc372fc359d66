package io.tinyfaas.harness.flood;

import java.net.InetSocketAddress;

/** A flood by hand: {@code benchmark/flood HOST:PORT http connections 90 field a: 3900}. */
final class FloodCommand {

  private static final long TOLD_EVERY_MILLIS = 1_000;

  private FloodCommand() {}

  public static void main(String[] args) {
    if (args.length < 2) {
      System.err.println("HOST:PORT http|grpc|coap|dtls [PARAMETER [VALUE]...]...");
      System.exit(2);
    }
    int colon = args[0].lastIndexOf(':');
    InetSocketAddress to =
        new InetSocketAddress(
            args[0].substring(0, colon), Integer.parseInt(args[0].substring(colon + 1)));
    StringBuilder line = new StringBuilder();
    for (int i = 1; i < args.length; i++) {
      line.append(args[i].contains(" ") ? '"' + args[i] + '"' : args[i]).append(' ');
    }
    try (RunningFlood flood = Flood.of(line.toString()).start(to)) {
      while (!flood.hasEnded()) {
        flood.awaitEnd(TOLD_EVERY_MILLIS);
        System.out.println(flood);
      }
    }
  }
}
