package io.tinyfaas.gateway.route;

import io.tinyfaas.contract.handler.HandlerHttp;

/**
 * How deep the invocations are that one handler is answering: by how many functions, each calling
 * the next, they came about. While it answers none, what it does itself counts as the last one. On
 * the invocation loop only.
 */
public final class Depths {

  private final int[] running = new int[HandlerHttp.MAX_DEPTH + 1];
  private int last;

  public void begin(int depth) {
    running[depth]++;
  }

  public void end(int depth) {
    running[depth]--;
    last = depth;
  }

  public int least() {
    for (int depth = 0; depth < running.length; depth++) {
      if (running[depth] > 0) {
        return depth;
      }
    }
    return last;
  }

  public int greatest() {
    for (int depth = running.length - 1; depth >= 0; depth--) {
      if (running[depth] > 0) {
        return depth;
      }
    }
    return last;
  }
}
