package io.tinyfaas.endtoend;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.eclipse.californium.core.CoapResponse;

/** The function in {@code src/test/functions/intruder}, which tries what no function may. */
final class Intruder {

  static final byte[] ZIP = Archives.ofFolder("end-to-end/src/test/functions/intruder");

  private static final int AT_ONCE = 250;

  private final Device device;
  private final String function;

  Intruder(Device device, String function) {
    this.device = device;
    this.function = function;
  }

  /** What comes of one attempt. */
  String tries(String attempt) {
    return tries(List.of(attempt)).get(attempt);
  }

  /** What comes of each attempt, in their order. */
  Map<String, String> tries(Collection<String> attempts) {
    Map<String, String> outcomes = new LinkedHashMap<>();
    List<String> left = new ArrayList<>(attempts);
    while (!left.isEmpty()) {
      List<String> some = left.subList(0, Math.min(AT_ONCE, left.size()));
      CoapResponse response = device.post(function, String.join("\n", some).getBytes(UTF_8));
      assertThat(response).as("an answer of " + function).isNotNull();
      assertThat(response.isSuccess()).as(response.getResponseText()).isTrue();
      outcomes.putAll(parse(List.of(response.getResponseText().split("\n"))));
      some.clear();
    }
    assertThat(outcomes.keySet()).containsAll(attempts);
    return outcomes;
  }

  /** Reads lines of the form {@code attempt -> outcome}; an outcome may have several lines. */
  static Map<String, String> parse(List<String> lines) {
    Map<String, String> outcomes = new LinkedHashMap<>();
    String attempt = "";
    for (String line : lines) {
      int arrow = line.indexOf(" -> ");
      if (arrow >= 0) {
        attempt = line.substring(0, arrow);
        outcomes.put(attempt, line.substring(arrow + 4));
      } else {
        outcomes.computeIfPresent(attempt, (known, outcome) -> outcome + "\n" + line);
      }
    }
    return outcomes;
  }
}
