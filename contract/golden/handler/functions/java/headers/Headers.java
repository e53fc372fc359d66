import io.tinyfaas.function.Request;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Function;

public class Headers implements Function<Request, String> {
  @Override
  public String apply(Request request) {
    StringBuilder seen = new StringBuilder();
    Map<String, String> sorted = new TreeMap<>();
    request.headers().forEach((name, value) -> sorted.put(name.toLowerCase(), value));
    sorted.forEach(
        (name, value) -> {
          if (name.startsWith("x-tinyfaas-")) {
            seen.append(name).append(": ").append(value).append('\n');
          }
        });
    return seen.toString();
  }
}
