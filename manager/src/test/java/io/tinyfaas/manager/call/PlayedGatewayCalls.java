package io.tinyfaas.manager.call;

import io.tinyfaas.contract.control.CallsReply;
import io.tinyfaas.contract.control.CallsRequest;
import jakarta.enterprise.inject.Alternative;
import jakarta.inject.Singleton;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;

/** A gateway that answers what the test says, one answer after the other. */
@Alternative
@Singleton
public class PlayedGatewayCalls extends GatewayCalls {

  private final List<CallsRequest> asked = new ArrayList<>();
  private final Deque<Function<CallsRequest, CallsReply>> answers = new ArrayDeque<>();

  PlayedGatewayCalls() {
    super(null, Duration.ofSeconds(1));
  }

  /** To the question after those that answers are there for. */
  public void answersNext(Function<CallsRequest, CallsReply> answer) {
    answers.add(answer);
  }

  /** What it was asked since this was called last. */
  public List<CallsRequest> asked() {
    List<CallsRequest> questions = List.copyOf(asked);
    asked.clear();
    return questions;
  }

  public void forgetAnswers() {
    asked.clear();
    answers.clear();
  }

  @Override
  CallsReply ask(CallsRequest request) {
    asked.add(request);
    return Optional.ofNullable(answers.poll())
        .orElseThrow(() -> new AssertionError("nothing was to be asked: " + request))
        .apply(request);
  }
}
