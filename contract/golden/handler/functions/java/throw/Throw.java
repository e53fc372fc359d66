import java.util.function.Function;

public class Throw implements Function<String, String> {
  @Override
  public String apply(String text) {
    throw new IllegalStateException(text);
  }
}
