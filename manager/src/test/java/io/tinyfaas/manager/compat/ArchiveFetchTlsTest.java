package io.tinyfaas.manager.compat;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.net.httpserver.HttpsConfigurator;
import com.sun.net.httpserver.HttpsServer;
import io.tinyfaas.harness.Command;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.util.ArrayList;
import java.util.List;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import org.junit.jupiter.api.Test;

class ArchiveFetchTlsTest extends ArchiveFetches {

  @Test
  void shouldCheckTheCertificateForTheNameAndTrustTheOperatorsAuthority() throws Exception {
    Path store = folder.resolve("keys.p12");
    keytool(
        "-genkeypair",
        "-keyalg",
        "EC",
        "-alias",
        "a",
        "-dname",
        "CN=archive.example",
        "-ext",
        "SAN=dns:archive.example",
        "-keystore",
        store.toString(),
        "-storepass",
        "secret");
    Path authorities = Files.createDirectories(folder.resolve("compose/ca-certificates"));
    HttpsServer https = HttpsServer.create(new InetSocketAddress(ALLOWED, 0), 0);
    https.setHttpsConfigurator(new HttpsConfigurator(tls(store)));
    https.createContext("/", exchange -> send(exchange, 200, "over TLS"));
    https.createContext(
        "/down",
        exchange -> {
          exchange.getResponseHeaders().add("Location", url("/archive.zip"));
          send(exchange, 301, "");
        });
    https.start();
    try {
      String authority = "archive.example:" + https.getAddress().getPort();
      ArchiveFetch.Resolver here = host -> new InetAddress[] {InetAddress.getByName(ALLOWED)};

      ArchiveFetch distrusting = fetch(here);
      assertThat(refusal(distrusting, "https://" + authority + "/"))
          .hasMessageContaining("could not be reached");

      keytool(
          "-exportcert",
          "-rfc",
          "-alias",
          "a",
          "-keystore",
          store.toString(),
          "-storepass",
          "secret",
          "-file",
          authorities.resolve("own.crt").toString());
      ArchiveFetch trusting = fetch(here);
      assertThat(read(trusting, "https://" + authority + "/")).isEqualTo("over TLS");
      assertThat(refusal(trusting, "https://" + authority + "/down"))
          .hasMessageContaining("from https to http");
      assertThat(refusal(trusting, "https://other.example:" + https.getAddress().getPort()))
          .hasMessageContaining("could not be reached");
    } finally {
      https.stop(0);
    }
  }

  private static SSLContext tls(Path store) throws Exception {
    KeyStore keys = KeyStore.getInstance(store.toFile(), "secret".toCharArray());
    KeyManagerFactory factory =
        KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
    factory.init(keys, "secret".toCharArray());
    SSLContext context = SSLContext.getInstance("TLS");
    context.init(factory.getKeyManagers(), null, null);
    return context;
  }

  private static void keytool(String... arguments) {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "keytool").toString());
    command.addAll(List.of(arguments));
    Command.of(command).succeed();
  }
}
