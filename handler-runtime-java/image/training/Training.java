import io.tinyfaas.function.Request;
import io.tinyfaas.function.Response;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/** Compiled and served once while the image is built, for what it uses to be in the AOT caches. */
public class Training implements Function<Request, Response> {
  @Override
  public Response apply(Request request) {
    if (request.text().isEmpty()) {
      throw new IllegalArgumentException("no text");
    }
    String numbers = IntStream.range(0, 3).mapToObj(Integer::toString).collect(Collectors.joining(","));
    return Response.text(request.method() + request.parameter("a") + numbers).withHeader("ETag", "x");
  }
}
