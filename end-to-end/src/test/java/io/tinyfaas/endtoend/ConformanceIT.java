package io.tinyfaas.endtoend;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DynamicContainer;
import org.junit.jupiter.api.DynamicNode;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;

/** The cases of {@code docs/coap-conformance.md}, and that the page says what they showed. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class ConformanceIT {

  @RegisterExtension private static final Installation SYSTEM = Installation.UNIX;

  private final PlugtestServer server = new PlugtestServer(SYSTEM);
  private final Map<String, List<ConformanceCase>> sections = new LinkedHashMap<>();
  private DtlsCases dtls;

  /** Names of cases; those that failed and are run again come to them. */
  private static final Set<String> PASSED = ConcurrentHashMap.newKeySet();

  /** For good, or the page that was just written would be right when it is looked at again. */
  private static boolean outOfDate;

  @BeforeAll
  void start(@TempDir Path folder) throws IOException {
    sections.put("Messages and methods (ETSI TD_COAP_CORE)", new CoreCases(server).all());
    sections.put("Discovery (ETSI TD_COAP_LINK)", new LinkCases(server).all());
    sections.put("Observe (ETSI TD_COAP_OBS)", new ObserveCases(server).all());
    sections.put("Block-wise transfer (ETSI TD_COAP_BLOCK)", new BlockCases(server, folder).all());
    dtls = new DtlsCases(server);
    sections.put("Devices (ETSI TD_COAP_DTLS)", dtls.all());
    sections.put("Rules of the RFCs beyond those", new RuleCases(server).all());
  }

  @AfterAll
  void withdraw() {
    dtls.withdraw();
    server.withdrawAll();
  }

  @TestFactory
  Stream<DynamicNode> shouldConform() {
    List<DynamicNode> nodes =
        new ArrayList<>(
            sections.entrySet().stream()
                .map(
                    section ->
                        (DynamicNode)
                            DynamicContainer.dynamicContainer(
                                section.getKey(), section.getValue().stream().map(this::test)))
                .toList());
    nodes.add(DynamicTest.dynamicTest("docs/coap-conformance.md", this::shouldBeWrittenDown));
    return nodes.stream();
  }

  private DynamicTest test(ConformanceCase one) {
    return DynamicTest.dynamicTest(
        one.name(),
        () -> {
          one.check().execute();
          PASSED.add(one.name());
        });
  }

  private void shouldBeWrittenDown() throws IOException {
    assertThat(PASSED)
        .containsExactlyInAnyOrderElementsOf(
            sections.values().stream().flatMap(List::stream).map(ConformanceCase::name).toList());
    ConformanceReport report = new ConformanceReport();
    sections.forEach(report::section);
    outOfDate |= !report.write();
    assertThat(outOfDate)
        .as("docs/coap-conformance.md was out of date and has been written: look at it, commit it")
        .isFalse();
  }
}
