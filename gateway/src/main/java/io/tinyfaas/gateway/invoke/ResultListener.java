package io.tinyfaas.gateway.invoke;

import io.tinyfaas.gateway.invoke.InvocationResult.Answered;
import io.tinyfaas.gateway.loop.InvocationLoop;

/** Hears what observable functions answer, by whatever protocol they were asked. */
public interface ResultListener {

  /** On the {@link InvocationLoop}; must not block. */
  void onResult(Invocation invocation, Answered result);
}
