package io.tinyfaas.endtoend;

import static org.assertj.core.api.Assertions.assertThat;

import io.restassured.path.json.JsonPath;
import io.restassured.response.Response;

/** What every refusal has to look like (RFC 9457). */
final class Problems {

  private Problems() {}

  /** A problem, complete, and without anything of the manager's inside. */
  static JsonPath assertProblem(Response answer) {
    String body = answer.asString();
    assertThat(answer.contentType()).as(body).startsWith("application/problem+json");
    JsonPath problem = answer.jsonPath();
    assertThat(problem.getString("type")).matches("urn:tinyfaas:problem:[a-z-]+|about:blank");
    assertThat(problem.getString("title")).isNotBlank();
    assertThat(problem.getInt("status")).isEqualTo(answer.statusCode());
    assertThat(problem.getString("detail")).isNotBlank();
    assertThat(problem.getString("instance")).startsWith("/");
    assertThat(problem.getString("detail"))
        .doesNotContain("Exception", "java.lang", "io.tinyfaas", "\tat ");
    return problem;
  }

  /**
   * @param type what follows {@code urn:tinyfaas:problem:}
   * @param details all in the detail
   */
  static JsonPath assertProblem(Response answer, int status, String type, String... details) {
    assertThat(answer.statusCode()).as(answer.asString()).isEqualTo(status);
    JsonPath problem = assertProblem(answer);
    assertThat(problem.getString("type")).isEqualTo("urn:tinyfaas:problem:" + type);
    for (String detail : details) {
      assertThat(problem.getString("detail")).contains(detail);
    }
    return problem;
  }
}
