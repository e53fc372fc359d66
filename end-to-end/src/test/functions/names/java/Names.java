import io.tinyfaas.function.Request;
import java.util.function.Function;

/** Answers the header that the body names, which Java asks for in any case. */
public class Names implements Function<Request, String> {
  @Override
  public String apply(Request request) {
    System.out.println("asked for " + request.text());
    String name = request.text().toUpperCase();
    return name + "=" + request.header(name).orElse("");
  }
}
