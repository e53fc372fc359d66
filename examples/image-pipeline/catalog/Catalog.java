import io.tinyfaas.function.Request;
import java.util.Map;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.function.Function;
import java.util.stream.Collectors;

/** Notes what is posted to /IMAGE, and answers all notes to a GET. A call may run twice: the second changes nothing. */
public class Catalog implements Function<Request, String> {
  private final Map<String, String> images = new ConcurrentSkipListMap<>();

  @Override
  public String apply(Request request) {
    if (request.method().equals("POST")) {
      String caller = request.header("X-tinyFaaS-Caller").orElse("somebody");
      images.put(request.path(), request.text() + ", from " + caller);
    }
    return images.entrySet().stream()
        .map(image -> image.getKey() + ": " + image.getValue() + "\n")
        .collect(Collectors.joining());
  }
}
