import io.tinyfaas.function.Request;
import io.tinyfaas.function.Response;
import java.util.function.Function;

/** Greets whom the query names, and refuses a body: what a function can read and what it can answer. */
public class Hello implements Function<Request, Response> {

  @Override
  public Response apply(Request request) {
    if (request.body().length > 0) {
      return Response.text("Ask with a query: hello-java?name=Ada").withStatus(400);
    }
    String name = request.parameter("name").orElse("world");
    System.out.println(request.method() + " from " + request.header("X-tinyFaaS-Peer").orElse("nobody"));
    return Response.text("Hello " + name + "\n").withHeader("Cache-Control", "max-age=60");
  }
}
