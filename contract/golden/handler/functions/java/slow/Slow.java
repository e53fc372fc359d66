import java.util.concurrent.CountDownLatch;
import java.util.function.Function;

public class Slow implements Function<String, String> {
  private final CountDownLatch all = new CountDownLatch(8);

  @Override
  public String apply(String text) {
    all.countDown();
    try {
      all.await();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    return text;
  }
}
