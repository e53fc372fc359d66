package io.tinyfaas.manager.api;

import static io.restassured.RestAssured.given;
import static io.tinyfaas.harness.Eventually.eventually;
import static io.tinyfaas.harness.Eventually.patient;
import static org.assertj.core.api.Assertions.assertThat;
import static org.hamcrest.Matchers.blankOrNullString;
import static org.hamcrest.Matchers.equalTo;
import static org.hamcrest.Matchers.not;

import io.quarkus.test.common.http.TestHTTPResource;
import io.restassured.config.ConnectionConfig;
import io.restassured.config.EncoderConfig;
import io.restassured.config.RestAssuredConfig;
import io.restassured.http.ContentType;
import io.restassured.response.ValidatableResponse;
import io.restassured.specification.RequestSpecification;
import io.tinyfaas.manager.deploy.FakeDeployer;
import io.tinyfaas.manager.store.FunctionStore;
import io.tinyfaas.manager.store.StoreFolder;
import jakarta.inject.Inject;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.Socket;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Random;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import org.junit.jupiter.api.AfterEach;

/**
 * Calls of the REST API as its clients make them. After each test no function is left, and no
 * upload.
 */
public abstract class RestCalls {

  protected static final String TOKEN = "a-token-for-tests-only";
  protected static final String FORM = "application/x-www-form-urlencoded";

  /** For what a server says or does to a socket, in milliseconds. */
  static final int PATIENCE = (int) patient(Duration.ofSeconds(10)).toMillis();

  static final String MERGE_PATCH = "application/merge-patch+json";

  @Inject protected FakeDeployer deployer;
  @Inject protected FunctionStore store;
  @Inject StoreFolder folder;

  @TestHTTPResource URI server;

  /** Of a function, as a client writes it. */
  static void sendDeployment(Socket socket) throws IOException {
    byte[] archive = zip("x");
    String head =
        "PUT /functions/sieve?runtime=nodejs HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer "
            + TOKEN
            + "\r\nContent-Type: application/zip\r\nContent-Length: "
            + archive.length
            + "\r\n\r\n";
    socket.getOutputStream().write(head.getBytes(StandardCharsets.US_ASCII));
    socket.getOutputStream().write(archive);
  }

  @AfterEach
  protected void removeFunctionsAndUploads() {
    store.functions().forEach(store::remove);
    eventually().untilAsserted(() -> assertThat(folder.uploads()).isEmptyDirectory());
  }

  protected static RequestSpecification call() {
    return given().config(closing()).header("Authorization", "Bearer " + TOKEN);
  }

  /**
   * With which each call closes the connection that it has of its own: the manager has places for
   * 128.
   */
  private static RestAssuredConfig closing() {
    return RestAssuredConfig.config()
        .connectionConfig(
            ConnectionConfig.connectionConfig().closeIdleConnectionsAfterEachResponse());
  }

  protected static RestAssuredConfig asText(String mediaType) {
    return closing()
        .encoderConfig(
            EncoderConfig.encoderConfig().encodeContentTypeAs(mediaType, ContentType.TEXT));
  }

  protected static byte[] zip(String content) {
    return zip(content.getBytes(StandardCharsets.UTF_8));
  }

  protected static byte[] zip(byte[] content) {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (ZipOutputStream zip = new ZipOutputStream(bytes)) {
      zip.putNextEntry(new ZipEntry("index.js"));
      zip.write(content);
      zip.closeEntry();
    } catch (IOException e) {
      throw new AssertionError(e);
    }
    return bytes.toByteArray();
  }

  protected static byte[] noise(int bytes) {
    byte[] noise = new byte[bytes];
    new Random(1).nextBytes(noise);
    return noise;
  }

  static ValidatableResponse deploy(String nameAndQuery) {
    return call()
        .contentType("application/zip")
        .body(zip(nameAndQuery))
        .put("/functions/" + nameAndQuery)
        .then();
  }

  static void shouldBeProblem(ValidatableResponse response, int status, String type) {
    response
        .statusCode(status)
        .contentType("application/problem+json")
        .body("type", equalTo(type.isEmpty() ? "about:blank" : "urn:tinyfaas:problem:" + type))
        .body("status", equalTo(status))
        .body("title", not(blankOrNullString()))
        .body("detail", not(blankOrNullString()))
        .body("instance", not(blankOrNullString()));
  }

  /** Up to the end of its JSON object or of the connection. */
  static String readAnswer(Socket socket) throws IOException {
    socket.setSoTimeout(PATIENCE);
    StringBuilder answer = new StringBuilder();
    InputStream in = socket.getInputStream();
    for (int next = in.read(); next >= 0; next = in.read()) {
      answer.append((char) next);
      if (next == '}') {
        break;
      }
    }
    return answer.toString();
  }
}
