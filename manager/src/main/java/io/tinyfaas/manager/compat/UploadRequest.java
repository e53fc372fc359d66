package io.tinyfaas.manager.compat;

import com.fasterxml.jackson.core.Base64Variants;
import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.core.exc.StreamReadException;
import com.fasterxml.jackson.core.io.JsonEOFException;
import io.tinyfaas.manager.archive.ArchiveUploads;
import io.tinyfaas.manager.archive.FunctionArchive;
import io.tinyfaas.manager.problem.ProblemException;
import io.tinyfaas.manager.problem.ProblemType;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/**
 * The JSON of a management call, read as Go reads it: names in any case, others skipped, the last
 * of two counts, null as if it were absent. An archive in it goes to the disk as it comes.
 */
final class UploadRequest implements AutoCloseable {

  /** A file of everything but the archive would be larger than any specification. */
  private static final int MAX_TEXT = 64 * 1024;

  private static final int MAX_VARIABLES = 1_000;

  private static final JsonFactory JSON =
      JsonFactory.builder()
          .streamReadConstraints(
              StreamReadConstraints.builder().maxStringLength(MAX_TEXT).maxNestingDepth(20).build())
          .build();

  private final Map<String, String> texts = new LinkedHashMap<>();
  private final Map<String, String> environment = new LinkedHashMap<>();
  private int threads = 1;
  private Optional<FunctionArchive> archive = Optional.empty();

  private UploadRequest() {}

  /**
   * @throws UnreadableRequest if it is no such JSON
   * @throws ProblemException INVALID_ARCHIVE and others if the archive in it is none
   */
  static UploadRequest read(InputStream body, ArchiveUploads uploads) {
    UploadRequest request = new UploadRequest();
    try (JsonParser parser = JSON.createParser(body)) {
      request.read(parser, uploads);
      // What follows is not looked at, as Go does, but has to have come.
      body.transferTo(OutputStream.nullOutputStream());
      return request;
    } catch (JsonProcessingException e) {
      request.close();
      throw new UnreadableRequest(
          "The body is no JSON that can be read: " + e.getOriginalMessage());
    } catch (IOException e) {
      request.close();
      throw new UnreadableRequest("The request's body broke off or took too long: send it again.");
    } catch (RuntimeException | Error e) {
      request.close();
      throw e;
    }
  }

  private void read(JsonParser parser, ArchiveUploads uploads) throws IOException {
    if (parser.nextToken() != JsonToken.START_OBJECT) {
      throw new UnreadableRequest("The body is no JSON object: {\"name\": …}.");
    }
    while (parser.nextToken() == JsonToken.FIELD_NAME) {
      String name = parser.currentName().toLowerCase(Locale.ROOT);
      JsonToken value = parser.nextToken();
      if (value == JsonToken.VALUE_NULL) {
        continue;
      }
      switch (name) {
        case "name", "env", "url", "subfolder_path" -> {
          require(value == JsonToken.VALUE_STRING, name, "a string");
          texts.put(name, parser.getText());
        }
        case "threads" -> {
          require(value == JsonToken.VALUE_NUMBER_INT, name, "a whole number");
          threads = Math.clamp(parser.getValueAsLong(), -1, 1_000_000);
        }
        case "envs" -> {
          require(value == JsonToken.START_ARRAY, name, "a list of strings");
          readVariables(parser);
        }
        case "zip" -> {
          require(value == JsonToken.VALUE_STRING, name, "a string");
          close();
          archive = Optional.of(uploads.receive(out -> decode(parser, out), ""));
        }
        default -> parser.skipChildren();
      }
    }
  }

  private void readVariables(JsonParser parser) throws IOException {
    environment.clear();
    int count = 0;
    while (parser.nextToken() != JsonToken.END_ARRAY) {
      require(parser.currentToken() == JsonToken.VALUE_STRING, "envs", "a list of strings");
      require(++count <= MAX_VARIABLES, "envs", "a list of at most " + MAX_VARIABLES);
      String variable = parser.getText();
      int equals = variable.indexOf('=');
      // The existing tinyFaaS leaves out what has none.
      if (equals >= 0) {
        environment.put(variable.substring(0, equals), variable.substring(equals + 1));
      }
    }
  }

  private static void decode(JsonParser parser, OutputStream out) throws IOException {
    try {
      parser.readBinaryValue(Base64Variants.MIME_NO_LINEFEEDS, out);
    } catch (JsonEOFException e) {
      throw new UnreadableRequest("The body ends within the archive: send it again.");
    } catch (StreamReadException | IllegalArgumentException e) {
      throw ProblemException.ofField(
          ProblemType.INVALID_ARCHIVE, "zip", "zip is not the base64 of a zip file.");
    }
  }

  private static void require(boolean right, String field, String what) {
    if (!right) {
      throw new UnreadableRequest(field + " is " + what + ".");
    }
  }

  /** Empty if there is none. */
  String text(String name) {
    return texts.getOrDefault(name, "");
  }

  /** How many handlers; 1 if it does not say. */
  int threads() {
    return threads;
  }

  Map<String, String> environment() {
    return environment;
  }

  Optional<FunctionArchive> archive() {
    return archive;
  }

  @Override
  public void close() {
    archive.ifPresent(FunctionArchive::close);
    archive = Optional.empty();
  }
}
