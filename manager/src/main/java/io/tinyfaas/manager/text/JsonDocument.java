package io.tinyfaas.manager.text;

import static io.tinyfaas.manager.problem.ProblemType.INVALID_REQUEST;

import com.fasterxml.jackson.core.JsonLocation;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectReader;
import com.fasterxml.jackson.databind.exc.MismatchedInputException;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.tinyfaas.manager.problem.ProblemException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.regex.Pattern;

/** A JSON object that somebody sends. */
public final class JsonDocument {

  /** Of a document, in bytes: the largest specification with every character escaped fits. */
  public static final int MAX_BYTES = 512 * 1024;

  private static final ObjectReader JSON =
      JsonMapper.builder()
          .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
          .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
          .disable(JsonParser.Feature.INCLUDE_SOURCE_IN_LOCATION)
          .build()
          .readerFor(JsonNode.class);

  /** What Jackson says of the place where something began that does not end. */
  private static final Pattern WITHOUT_SOURCE = Pattern.compile("\\[Source: [^;]*; ([^]]*)]");

  private JsonDocument() {}

  /**
   * @return a JSON object
   * @throws ProblemException INVALID_REQUEST if the bytes are something else
   */
  public static ObjectNode parse(byte[] document) {
    if (document.length > MAX_BYTES) {
      throw ProblemException.of(
          INVALID_REQUEST, "The JSON document is larger than " + MAX_BYTES + " bytes.");
    }
    try {
      JsonNode node = JSON.readTree(document);
      if (node instanceof ObjectNode object) {
        return object;
      }
      throw ProblemException.of(
          INVALID_REQUEST, "A JSON object is needed, such as {\"handlers\": 2}.");
    } catch (MismatchedInputException e) {
      throw ProblemException.of(
          INVALID_REQUEST, "Something follows the JSON object: send one object only.", e);
    } catch (JsonProcessingException e) {
      JsonLocation at = e.getLocation();
      throw ProblemException.of(
          INVALID_REQUEST,
          "This is not JSON"
              + (at == null ? "" : " at line " + at.getLineNr() + ", column " + at.getColumnNr())
              + ": "
              + WITHOUT_SOURCE.matcher(e.getOriginalMessage()).replaceAll("$1"),
          e);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
