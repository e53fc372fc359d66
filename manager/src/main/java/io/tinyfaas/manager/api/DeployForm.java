package io.tinyfaas.manager.api;

import static io.tinyfaas.manager.problem.ProblemType.INVALID_REQUEST;
import static java.nio.charset.StandardCharsets.UTF_8;

import io.tinyfaas.manager.problem.ProblemException;
import io.tinyfaas.manager.spec.PartialSpec;
import io.tinyfaas.manager.text.JsonDocument;
import io.tinyfaas.manager.text.PlainText;
import java.io.IOException;
import java.io.InputStream;
import java.util.Collection;
import java.util.Set;
import org.jboss.resteasy.reactive.server.multipart.FormValue;
import org.jboss.resteasy.reactive.server.multipart.MultipartFormDataInput;

/**
 * The two parts of a deployment sent as {@code multipart/form-data}.
 *
 * @param archive the caller closes it
 */
record DeployForm(PartialSpec spec, InputStream archive) {

  private static final Set<String> PARTS = Set.of("spec", "archive");

  static DeployForm read(MultipartFormDataInput form) throws IOException {
    for (String name : form.getValues().keySet()) {
      if (name == null || !PARTS.contains(name)) {
        throw invalid(
            "part",
            "There is a part "
                + (name == null ? "without a name" : PlainText.quoted(name))
                + ", but the parts are spec and archive: curl -F spec=@spec.json"
                + " -F archive=@function.zip.");
      }
    }
    FormValue spec = single(form, "spec", "-F spec=@spec.json");
    FormValue archive = single(form, "archive", "-F archive=@function.zip");
    if (!archive.isFileItem()) {
      throw invalid("archive", "The part archive is not a file: use -F archive=@function.zip.");
    }
    PartialSpec fields = PartialSpec.of(JsonDocument.parse(bytes(spec)));
    return new DeployForm(fields, archive.getFileItem().getInputStream());
  }

  private static byte[] bytes(FormValue part) throws IOException {
    if (!part.isFileItem()) {
      return part.getValue().getBytes(UTF_8);
    }
    try (InputStream content = part.getFileItem().getInputStream()) {
      return content.readNBytes(JsonDocument.MAX_BYTES + 1);
    }
  }

  private static FormValue single(MultipartFormDataInput form, String name, String example) {
    Collection<FormValue> values = form.getValues().get(name);
    if (values == null || values.size() != 1) {
      throw invalid(name, "The part " + name + " is needed, once: curl " + example + ".");
    }
    return values.iterator().next();
  }

  private static ProblemException invalid(String field, String detail) {
    return ProblemException.ofField(INVALID_REQUEST, field, detail);
  }
}
