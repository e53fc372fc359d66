import io.tinyfaas.function.Response;
import java.util.function.Function;

public class Status implements Function<String, Response> {
  @Override
  public Response apply(String text) {
    return Response.text("made").withStatus(201).withHeader("Location", "/things/7");
  }
}
