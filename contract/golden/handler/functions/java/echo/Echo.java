import io.tinyfaas.function.Request;
import io.tinyfaas.function.Response;
import java.util.function.Function;

public class Echo implements Function<Request, Response> {
  @Override
  public Response apply(Request request) {
    String type = request.header("Content-Type").orElse("application/octet-stream");
    return Response.of(type, request.body());
  }
}
