import java.util.function.Function;

public class Slow implements Function<String, String> {
  @Override
  public String apply(String text) {
    try {
      Thread.sleep(500);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    return text;
  }
}
