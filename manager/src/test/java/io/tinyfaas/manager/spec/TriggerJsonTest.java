package io.tinyfaas.manager.spec;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.tinyfaas.contract.mqtt.MqttTrigger;
import io.tinyfaas.contract.mqtt.MqttTrigger.Source;
import io.tinyfaas.contract.mqtt.TopicFilter;
import io.tinyfaas.manager.problem.ProblemException;
import io.tinyfaas.manager.problem.ProblemType;
import io.tinyfaas.manager.text.JsonDocument;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class TriggerJsonTest {

  private static ObjectNode document(String json) {
    return JsonDocument.parse(json.replace('\'', '"').getBytes(UTF_8));
  }

  private static FunctionSpec read(String triggers) {
    return FunctionSpecJson.read(document("{'runtime':'python','mqtt':" + triggers + "}"));
  }

  private static ProblemException refusal(String triggers) {
    ProblemException problem = catchThrowableOfType(ProblemException.class, () -> read(triggers));
    assertThat(problem.type()).isEqualTo(ProblemType.INVALID_SPEC);
    return problem;
  }

  @Test
  void shouldGiveDefaultsToAllButTheTopic() {
    assertThat(read("[{'topic':'shed/#','qos':null},{'topic':'a','broker':'external'}]").triggers())
        .containsExactly(
            new MqttTrigger(new TopicFilter("shed/#"), 1, Optional.empty(), false, Source.BOX),
            new MqttTrigger(new TopicFilter("a"), 1, Optional.empty(), false, Source.EXTERNAL));
  }

  @Test
  void shouldHaveNoneWhereNothingIsSaid() {
    assertThat(FunctionSpecJson.write(read("null")).has("mqtt")).isFalse();
    assertThat(read("[]")).isEqualTo(read("null"));
  }

  @Test
  void shouldReplaceThemAllWithAPatch() {
    FunctionSpec spec = read("[{'topic':'a'},{'topic':'b'}]");

    FunctionSpec other = FunctionSpecJson.patch(spec, document("{'mqtt':[{'topic':'c'}]}"));
    assertThat(other.triggers()).extracting(MqttTrigger::topic).hasToString("[c]");
    assertThat(FunctionSpecJson.patch(other, document("{'mqtt':null}")).triggers()).isEmpty();
    assertThat(FunctionSpecJson.patch(other, document("{'handlers':2}")).triggers())
        .isEqualTo(other.triggers());
  }

  @Test
  void shouldRefuseMoreThanSixteen() {
    ArrayNode many = document("{'a':[]}").withArray("a");
    for (int number = 1; number <= 17; number++) {
      many.addObject().put("topic", "shed/" + number);
    }
    assertThat(refusal(many.toString())).hasMessageContaining("has 17 entries, at most 16");
    many.remove(0);
    assertThat(read(many.toString()).triggers()).hasSize(16);
  }

  @Test
  void shouldTakeTheSameTopicFromBothBrokers() {
    assertThat(read("[{'topic':'a'},{'topic':'a','broker':'external'}]").triggers()).hasSize(2);
  }

  @Test
  void shouldRefuseATopicThatIsTooLong() {
    assertThat(refusal("[{'topic':'" + "x".repeat(513) + "'}]"))
        .hasMessageContaining("a topic has 1 to 512 bytes");
    assertThat(refusal("[{'topic':'" + "x/".repeat(32) + "'}]"))
        .hasMessageContaining("at most 32 levels");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "`shed/#` | mqtt | mqtt is an array of objects, such as",
        "[`shed/#`] | mqtt | send it with PATCH, or in the part spec",
        "{`topic`:`a`} | mqtt | mqtt is an array of objects",
        "[{}] | mqtt[0].topic | has no topic: give it one",
        "[{`topic`:7}] | mqtt[0].topic | topic is a string",
        "[{`topic`:``}] | mqtt[0].topic | a topic has 1 to 512 bytes",
        "[{`topic`:`a`,`at`:`noon`}] | mqtt[0] | has no field \"at\"; its fields are topic, qos",
        "[{`topic`:`shed/#/a`}] | mqtt[0].topic | + only as a whole level and # only as the last",
        "[{`topic`:`shed+`}] | mqtt[0].topic | + only as a whole level and # only as the last",
        "[{`topic`:`a`},{`topic`:`b+`}] | mqtt[1].topic | is \"b+\"",
        "[{`topic`:`$SYS/#`}] | mqtt[0].topic | what begins with $ is a broker's own",
        "[{`topic`:`$share/g/a`,`broker`:`external`}] | mqtt[0].topic | what begins with $",
        "[{`topic`:`functions/f`}] | mqtt[0].topic | at and below functions/ functions are asked",
        "[{`topic`:`functions`}] | mqtt[0].topic | need no trigger",
        "[{`topic`:`a`},{`topic`:`a`,`qos`:2}] | mqtt[1] | has the topic of mqtt[0]",
        "[{`topic`:`a`,`qos`:3}] | mqtt[0].qos | is \"3\", but qos is 0, 1 or 2",
        "[{`topic`:`a`,`qos`:-1}] | mqtt[0].qos | qos is 0, 1 or 2",
        "[{`topic`:`a`,`qos`:1.5}] | mqtt[0].qos | qos is 0, 1 or 2",
        "[{`topic`:`a`,`qos`:`1`}] | mqtt[0].qos | qos is 0, 1 or 2",
        "[{`topic`:`a`,`reply`:`b/+`}] | mqtt[0].reply | a reply goes to one topic",
        "[{`topic`:`a`,`reply`:``}] | mqtt[0].reply | a reply goes to one topic",
        "[{`topic`:`a`,`reply`:`$SYS/a`}] | mqtt[0].reply | what begins with $",
        "[{`topic`:`a`,`reply`:`functions/f`}] | mqtt[0].reply | functions are asked",
        "[{`topic`:`a`,`reply`:`functions/f`,`broker`:`external`}] | mqtt[0].reply | name another",
        "[{`topic`:`shed/#`,`reply`:`shed/a`}] | mqtt[0].reply | again and again: reply to another",
        "[{`topic`:`a`,`reply`:`a`}] | mqtt[0].reply | is \"a\", but that is a topic of mqtt[0]",
        "[{`topic`:`a`,`shared`:`yes`}] | mqtt[0].shared | shared is true or false",
        "[{`topic`:`a`,`shared`:true}] | mqtt[0].shared | \"broker\": \"external\" only",
        "[{`topic`:`a`,`broker`:`other`}] | mqtt[0].broker | broker is box, for what devices"
      })
  void shouldSayWhatIsWrong(String triggers, String field, String message) {
    ProblemException problem = refusal(triggers.replace('`', '"'));
    assertThat(problem.field()).isEqualTo(field);
    assertThat(problem).hasMessageContaining(message);
  }
}
