package io.tinyfaas.contract.control;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.tinyfaas.contract.control.CallsRequest.Action;
import io.tinyfaas.contract.route.FunctionName;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class CallsMessagesTest {

  private static final Path GOLDEN = Path.of("golden/control");

  private static final FunctionName SIEVE = new FunctionName("sieve");
  private static final CallId CALL = new CallId("AAAAAAAAAAAAAAAAAAAA-_");

  private static final UUID LIST = UUID.fromString("5f0c7f4e-3c1e-4d68-9a55-0d6a1c1f2e3b");
  private static final UUID OF_ONE = UUID.fromString("5f0c7f4e-3c1e-4d68-9a55-0d6a1c1f2e3c");

  private static byte[] golden(String name) throws IOException {
    return Files.readAllBytes(GOLDEN.resolve(name));
  }

  private static CallDescription call(String reason, String device) {
    return new CallDescription(
        CALL,
        SIEVE,
        CallState.FAILED,
        6,
        Instant.parse("2026-11-30T20:15:00Z"),
        Optional.empty(),
        Optional.of(Instant.parse("2026-11-30T20:16:03.250Z")),
        Optional.of(500),
        Optional.of(reason),
        "coaps",
        Optional.of(device),
        Optional.empty());
  }

  private static CallsRequest request(
      Action action, Set<CallState> states, Optional<CallId> call, int limit, String after) {
    return new CallsRequest(
        action == Action.LIST ? LIST : OF_ONE,
        action,
        SIEVE,
        states,
        call,
        limit,
        Optional.ofNullable(after).map(CallsPlace::new));
  }

  private static void shouldReadAndWrite(String name, CallsRequest request) throws IOException {
    assertThat(ControlMessages.decodeCallsRequest(golden(name))).isEqualTo(request);
    assertThat(new String(ControlMessages.encode(request), UTF_8))
        .isEqualToIgnoringWhitespace(new String(golden(name), UTF_8));
  }

  private static void shouldReadAndWrite(String name, CallsReply reply) throws IOException {
    assertThat(ControlMessages.decodeCallsReply(golden(name))).isEqualTo(reply);
    assertThat(new String(ControlMessages.encode(reply), UTF_8))
        .isEqualToIgnoringWhitespace(new String(golden(name), UTF_8));
  }

  @Test
  void shouldReadAndWriteTheGoldenRequests() throws IOException {
    shouldReadAndWrite(
        "calls-request.json",
        request(
            Action.LIST,
            Set.of(CallState.FAILED, CallState.WAITING),
            Optional.empty(),
            2,
            "a-place"));
    shouldReadAndWrite(
        "calls-request-of-one.json",
        request(Action.REDRIVE, Set.of(CallState.FAILED), Optional.of(CALL), 1, null));
  }

  @Test
  void shouldReadAndWriteTheGoldenReplies() throws IOException {
    CallDescription waiting =
        new CallDescription(
            new CallId("B".repeat(22)),
            SIEVE,
            CallState.WAITING,
            0,
            Instant.parse("2026-11-30T20:17:00Z"),
            Optional.of(Instant.parse("2026-11-30T21:17:00Z")),
            Optional.empty(),
            Optional.empty(),
            Optional.empty(),
            "http",
            Optional.empty(),
            Optional.of("https://example.org:443"));

    shouldReadAndWrite(
        "calls-reply.json",
        CallsReply.listed(
            LIST,
            List.of(call("the function answered 500", "barn/lamp-7"), waiting),
            Optional.of(new CallsPlace("another-place"))));
    shouldReadAndWrite(
        "calls-reply-problem.json",
        CallsReply.problem(OF_ONE, "the journal of calls cannot be read"));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "{}",
        "null",
        "{'id':'1','action':'list','function':'a','states':['failed'],'limit':1}",
        "{'id':'ID','action':'LIST','function':'a','states':['failed'],'limit':1}",
        "{'id':'ID','action':'list','function':'a b','states':['failed'],'limit':1}",
        "{'id':'ID','action':'list','function':'a','states':['lost'],'limit':1}",
        "{'id':'ID','action':'list','function':'a','states':[],'limit':1}",
        "{'id':'ID','action':'list','function':'a','states':[null],'limit':1}",
        "{'id':'ID','action':'list','function':'a','limit':1}",
        "{'id':'ID','action':'list','function':'a','states':['failed']}",
        "{'id':'ID','action':'list','function':'a','states':['failed'],'limit':0}",
        "{'id':'ID','action':'list','function':'a','states':['failed'],'limit':1001}",
        "{'id':'ID','action':'list','function':'a','states':['failed'],'limit':1,'call':'x'}",
        "{'id':'ID','action':'list','function':'a','states':['failed'],'limit':1,'after':'a/b'}",
        "{'id':'ID','action':'remove','function':'a','states':['running'],'limit':1}",
        "{'id':'ID','action':'redrive','function':'a','states':['done','failed'],'limit':1}"
      })
  void shouldRefuseWhatIsNoRequest(String message) {
    String json = message.replace('\'', '"').replace("ID", LIST.toString());

    assertThatThrownBy(() -> ControlMessages.decodeCallsRequest(json.getBytes(UTF_8)))
        .isInstanceOf(IOException.class);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "{}",
        "{'id':'ID','count':-1,'calls':[]}",
        "{'id':'ID','count':1001,'calls':[]}",
        "{'id':'ID','calls':[]}",
        "{'id':'ID','count':0}",
        "{'id':'ID','count':1,'calls':[{}]}",
        "{'id':'ID','count':1,'calls':[{'id':'AAAAAAAAAAAAAAAAAAAAAA','function':'a',"
            + "'state':'failed','attempts':1,'acceptedAt':'yesterday','protocol':'http'}]}",
        "{'id':'ID','count':1,'calls':[{'id':'AAAAAAAAAAAAAAAAAAAAAA','function':'a',"
            + "'state':'failed','attempts':1,'acceptedAt':1,'protocol':'http'}]}"
      })
  void shouldRefuseWhatIsNoReply(String message) {
    String json = message.replace('\'', '"').replace("ID", LIST.toString());

    assertThatThrownBy(() -> ControlMessages.decodeCallsReply(json.getBytes(UTF_8)))
        .isInstanceOf(IOException.class);
  }

  /** Those that take most: of three bytes each, and those that JSON escapes. */
  @ParameterizedTest
  @ValueSource(strings = {"\u20ac", "\"", "\u2028"})
  void shouldHaveRoomInAMessageForTheLargestPage(String character) throws IOException {
    CallDescription largest =
        call(
            character.repeat(CallDescription.MAX_REASON),
            character.repeat(CallDescription.MAX_DEVICE));
    CallsReply page =
        CallsReply.listed(
            LIST,
            Collections.nCopies(CallsRequest.MAX_LIMIT, largest),
            Optional.of(new CallsPlace("p".repeat(64))));

    byte[] message = ControlMessages.encode(page);

    assertThat(message).hasSizeLessThan(ControlTopics.MAX_MESSAGE_BYTES / 2);
    assertThat(ControlMessages.decodeCallsReply(message)).isEqualTo(page);
  }

  @Test
  void shouldRefuseTextsThatAreTooLongOrHoldControlCharacters() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> call("x".repeat(CallDescription.MAX_REASON + 1), "lamp"));
    assertThatIllegalArgumentException().isThrownBy(() -> call("two\nlines", "lamp"));
    assertThatIllegalArgumentException()
        .isThrownBy(() -> call("late", "x".repeat(CallDescription.MAX_DEVICE + 1)));
    assertThatIllegalArgumentException().isThrownBy(() -> CallsReply.problem(LIST, "two\nlines"));
  }

  @Test
  void shouldRefuseAPageAboveTheLimit() {
    List<CallDescription> calls =
        Collections.nCopies(CallsRequest.MAX_LIMIT + 1, call("late", "lamp"));

    assertThatIllegalArgumentException()
        .isThrownBy(() -> CallsReply.listed(LIST, calls, Optional.empty()));
  }
}
