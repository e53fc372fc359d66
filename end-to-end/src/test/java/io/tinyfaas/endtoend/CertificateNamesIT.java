package io.tinyfaas.endtoend;

import static org.assertj.core.api.Assertions.assertThat;

import io.tinyfaas.harness.Command;
import io.tinyfaas.harness.Docker;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** What the certificate names by which devices know the gateway: compose/broker/make-secrets. */
class CertificateNamesIT {

  /** Makes the secrets for each line of {@code BOX|ADDED}, and shows key and names after each. */
  private static final String EACH_LINE =
      """
      mkdir /manager-secrets /gateway-secrets /broker-secrets
      printf '%s\\n' "$0" | while IFS='|' read -r box added; do
        TINYFAAS_BOX_NAMES=$box TINYFAAS_COAPS_NAMES=$added make-secrets 2>&1 | grep -e certificate -e TINYFAAS
        openssl x509 -in /manager-secrets/coaps-certificate.pem -noout -pubkey | sha256sum
        openssl x509 -in /manager-secrets/coaps-certificate.pem -noout -ext subjectAltName | tail -n 1
        openssl verify -CAfile /manager-secrets/coaps-certificate.pem /gateway-secrets/coaps.pem
      done
      """;

  private record Made(String said, String key, String names) {}

  private static List<Made> make(String... lines) {
    List<String> run = new ArrayList<>(List.of("run", "--rm", "--user", "0", "--network", "none"));
    run.addAll(List.of("--label", "tinyfaas-test", "--volume"));
    run.add(
        Checkout.path().resolve("compose/broker/make-secrets") + ":/usr/local/bin/make-secrets:ro");
    run.addAll(List.of("--entrypoint", "bash", "tinyfaas/broker", "-c", EACH_LINE));
    run.add(String.join("\n", lines));
    Command.Result result = Docker.command(run.toArray(String[]::new)).succeed();
    List<Made> all = new ArrayList<>();
    String said = "";
    String key = "";
    String names = "";
    for (String line : result.lines()) {
      if (line.endsWith("  -")) {
        key = line;
      } else if (line.strip().startsWith("DNS:")) {
        names = line.strip().replace("IP Address:", "IP:");
      } else if (line.endsWith("coaps.pem: OK")) {
        all.add(new Made(said, key, names));
        said = "";
      } else {
        said = line;
      }
    }
    assertThat(all).as(result.output()).hasSameSizeAs(lines);
    return all;
  }

  @Test
  void shouldNameTheBoxAndWhatTheOperatorAdds() {
    Made first = make("box my_box box.local 192.0.2.7 2001:db8::7|door.example").getFirst();

    assertThat(first.said()).isEqualTo("Made the gateway's certificate for devices.");
    assertThat(first.names().split(", "))
        .containsExactly(
            "DNS:tinyfaas",
            "DNS:localhost",
            "IP:127.0.0.1",
            "IP:0:0:0:0:0:0:0:1",
            "DNS:box",
            "DNS:box.local",
            "IP:192.0.2.7",
            "IP:2001:DB8:0:0:0:0:0:7",
            "DNS:door.example");
  }

  /** Devices know the gateway by it. */
  @Test
  void shouldIssueItAnewOnlyIfTheOperatorNamesOthers() {
    List<Made> made =
        make("box|", "box 192.0.2.8|", "box|door.example, 192.0.2.9", "box|door.example 192.0.2.9");

    assertThat(made).extracting(Made::key).containsOnly(made.getFirst().key());
    assertThat(made.get(1).names()).isEqualTo(made.getFirst().names());
    assertThat(made.get(1).said()).contains("does not name 192.0.2.8:", "TINYFAAS_COAPS_NAMES");
    assertThat(made.get(2).said()).contains("issued anew, with the key that it had");
    assertThat(made.get(2).names()).contains("DNS:box", "DNS:door.example", "IP:192.0.2.9");
    assertThat(made.get(3).names()).isEqualTo(made.get(2).names());
    assertThat(made.get(3).said()).isEmpty();
  }

  @Test
  void shouldRefuseWhatIsNoName() {
    for (String wrong : List.of("my_box", "1::2::3", "300.1.1.1", "-box", "a,DNS:b")) {
      List<Made> made = make("box|", "box|" + wrong);
      assertThat(made.getLast().said()).contains("TINYFAAS_COAPS_NAMES has").contains("neither");
      assertThat(made.getLast().names()).isEqualTo(made.getFirst().names());
    }
  }
}
