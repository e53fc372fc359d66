package io.tinyfaas.gateway.ingress.mqtt;

import io.netty.buffer.ByteBuf;
import io.netty.util.ReferenceCountUtil;
import io.vertx.core.Future;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.function.Consumer;

/**
 * What one device has published and what came after it, in this order: each is done when it has
 * been received and all before it are done.
 */
final class Publications {

  /** That are being received at once. */
  private static final int MAX = 16;

  private static final Receipt NOTHING = new Receipt.NotMeant();

  private static final class Step {
    private final ByteBuf packet;
    private final Consumer<Receipt> then;
    private Receipt receipt;

    Step(ByteBuf packet, Consumer<Receipt> then) {
      this.packet = packet;
      this.then = then;
    }
  }

  private final Deque<Step> steps = new ArrayDeque<>(2);
  private final Runnable advanced;
  private boolean advancing;
  private boolean ended;

  /**
   * @param advanced runs after some were done later than they came
   */
  Publications(Runnable advanced) {
    this.advanced = advanced;
  }

  boolean hasRoom() {
    return steps.size() < MAX;
  }

  int size() {
    return steps.size();
  }

  /**
   * @param then what is done with the receipt, in its turn
   */
  void add(Future<Receipt> receipt, Consumer<Receipt> then) {
    Step step = new Step(null, then);
    steps.add(step);
    receipt.onComplete(
        result -> {
          step.receipt =
              result.succeeded()
                  ? result.result()
                  : new Receipt.Refused(0x80, "the gateway cannot work on the message");
          advance(true);
        });
  }

  /**
   * @param packet that is given to {@code then}, in its turn; or null
   */
  void after(ByteBuf packet, Consumer<ByteBuf> then) {
    if (steps.isEmpty()) {
      then.accept(packet);
      return;
    }
    Step step = new Step(packet, nothing -> then.accept(packet));
    step.receipt = NOTHING;
    steps.add(step);
    advance(false);
  }

  private void advance(boolean tell) {
    if (advancing) {
      return;
    }
    advancing = true;
    try {
      while (!steps.isEmpty() && steps.peek().receipt != null) {
        Step step = steps.poll();
        if (ended && step.packet != null) {
          ReferenceCountUtil.release(step.packet);
        } else {
          step.then.accept(step.receipt);
        }
      }
    } finally {
      advancing = false;
    }
    if (tell) {
      advanced.run();
    }
  }

  /**
   * Those that are being received are still told of their end, and packets after them are dropped.
   */
  void end() {
    ended = true;
  }
}
